"""What all of the crowd have in common: the way in, and what they write down together."""

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.crowd.directions import Directions, IssuerDirections
from tests.crowd.door import Door, fetch
from tests.crowd.referee import Sighting, Spent
from tests.crowd.tickets import TicketPress
from tests.local.gateway import IamUser
from tests.local.oidc import OidcIssuer
from tests.local.outside import DEMO_MINI_PROGRAM
from tests.local.wechat import WechatStandIn

_pen = threading.Lock()


@dataclass(kw_only=True)
class Notes:
    """What everybody saw; `odd` is whatever was answered neither as asked for nor as it should."""

    counts: Counter[str] = field(default_factory=Counter)
    routes: Counter[str] = field(default_factory=Counter)
    sightings: list[Sighting] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)

    def count(self, what: str, *, route: str | None = None) -> None:
        """Adds one."""
        with _pen:
            self.counts[what] += 1
            if route:
                self.routes[route] += 1


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """An issuer, its route, and what the session names of its users begin with."""

    path: str
    issuer: OidcIssuer
    prefix: str

    @classmethod
    def by(cls, way: IssuerDirections) -> Self:
        """The issuer that signs with this key, which is served elsewhere."""
        issuer = OidcIssuer(issuer=way.url, audience=way.audience)
        issuer.kid = way.kid
        issuer.private_key = load_pem_private_key(way.pem, password=None)  # type: ignore[assignment]
        return cls(path=way.path, issuer=issuer, prefix=way.prefix)


@dataclass(frozen=True, kw_only=True)
class Phone:
    """Has the mini-program on it; wx.login is at `url`."""

    url: str

    def log_in(self, user: str) -> str:
        """A code that works once."""
        return fetch("GET", f"{self.url}?user={user}").body.decode()

    def openid(self, user: str) -> str:
        """What WeChat calls them there."""
        return WechatStandIn().openid(appid=DEMO_MINI_PROGRAM, user=user)


@dataclass(frozen=True, kw_only=True)
class Place:
    """`carried` are the guests whose sessions a user asked to keep, `kept` the one they got."""

    door: Door
    origin: str
    entrances: tuple[Entrance, ...]
    backend: IamUser
    phone: Phone
    press: TicketPress
    notes: Notes = field(default_factory=Notes)
    carried: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    kept: dict[str, str] = field(default_factory=dict)

    @classmethod
    def by(cls, way: Directions, *, requests: int) -> Self:
        """Where the directions lead, for so many requests."""
        return cls(
            door=Door(way.ports, requests=requests),
            origin=way.origin,
            entrances=tuple(Entrance.by(issuer) for issuer in way.issuers),
            backend=way.backend,
            phone=Phone(url=way.phone_url),
            press=way.press,
        )

    def guests_of(self, user: str | None) -> frozenset[str]:
        """The sessions beside their own that may be this user's by now."""
        return frozenset(self.carried[user]) if user in self.carried else frozenset()
