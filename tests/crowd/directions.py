"""What a crowd in a process of its own must know of the town."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.crowd.tickets import TicketPress
from tests.local.gateway import IamUser
from tests.local.oidc import OidcIssuer
from tests.local.outside import LOGIN_PATH

if TYPE_CHECKING:
    from tests.crowd.town import Town


@dataclass(frozen=True, kw_only=True)
class IssuerDirections:
    """An issuer, its route, its users' prefix, and its key, to sign in with."""

    path: str
    prefix: str
    url: str
    audience: str
    kid: str
    pem: bytes = field(repr=False)

    @classmethod
    def to(cls, issuer: OidcIssuer, *, path: str, prefix: str) -> Self:
        """Those that lead to this issuer."""
        pem = issuer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return cls(
            path=path,
            prefix=prefix,
            url=issuer.issuer,
            audience=issuer.audience,
            kid=issuer.kid,
            pem=pem,
        )


@dataclass(frozen=True, kw_only=True)
class Directions:
    """Plain values, so that they can be handed to another process."""

    ports: list[int]
    origin: str
    issuers: list[IssuerDirections]
    backend: IamUser
    phone_url: str
    press: TicketPress

    @classmethod
    def to(cls, town: Town) -> Self:
        """Those that lead to this town."""
        stack = town.stack
        return cls(
            ports=town.ports,
            origin=stack.parameters["AllowedOrigins"].split(",")[0],
            issuers=[
                IssuerDirections.to(stack.oidc, path="/token", prefix=""),
                IssuerDirections.to(town.second_issuer, path="/token/2", prefix=town.second_prefix),
            ],
            backend=town.backend,
            phone_url=stack.coze_url + LOGIN_PATH,
            press=TicketPress.of(town),
        )
