"""The OAuth app's three keys: the one that signs, the one before it, the one that comes next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from coze_sts.coze.private_key import load_private_key

from tests.canaries.grep import Canary
from tests.local.coze import CozeStandIn, demo_config

WHICH = ("current", "previous", "staged")
SAME_IN_ALL_CHARACTERS = 48
"""Of PKCS#8 in base64: what says that it is an RSA key."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Each key's coze_oauth_config.json and its public half."""

    made: dict[str, tuple[dict[str, str], str]]

    @classmethod
    def make(cls, coze_url: str) -> Keys:
        return cls(made={which: demo_config(coze_url) for which in WHICH})

    def config(self, which: str) -> dict[str, str]:
        return self.made[which][0]

    def register(self, coze: CozeStandIn, *which: str) -> None:
        """Makes these keys known to Coze, or all of them."""
        for name in which or WHICH:
            config, public = self.made[name]
            coze.register_app(
                client_id=config["client_id"], kid=config["public_key_id"], public_key_pem=public
            )

    def canaries(self) -> Iterator[Canary]:
        """The body in base64 without its line ends, and the numbers that make it private."""
        for which in WHICH:
            pem = self.config(which)["private_key"]
            body = "".join(pem.splitlines()[1:-1])[SAME_IN_ALL_CHARACTERS:]
            numbers = load_private_key(pem).private_numbers()
            kind = f"{which} private key"
            yield Canary(kind=kind, text=body, long=True)
            for number in (numbers.d, numbers.p, numbers.q):
                yield Canary(kind=kind, text=str(number), long=True)
                yield Canary(kind=kind, text=f"{number:x}", long=True)
        yield Canary(kind="private key's first line", text="-----BEGIN PRIVATE KEY-----", long=True)
