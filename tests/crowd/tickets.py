"""Guest tickets, read as what they say, and written as only this service can: old ones, too."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from coze_sts.auth.guest import TicketOffice
from coze_sts.coze.app_key import parse_app
from coze_sts.keyring import Keyring, Purpose, parse_keyring

if TYPE_CHECKING:
    from tests.crowd.town import Town

DAY_SECONDS = 24 * 3600


def guest_of(ticket: str) -> str:
    """The session that a ticket is of, by its payload alone."""
    payload = ticket.split(".")[2]
    guest_id = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))[:16]
    return "guest_" + base64.b32encode(guest_id).decode().rstrip("=").lower()


@dataclass(frozen=True, kw_only=True)
class TicketPress:
    """Prints tickets with the stack's own keys, or with almost these."""

    keyring: Keyring = field(repr=False)
    audience: str

    @classmethod
    def of(cls, town: Town) -> Self:
        """With the keys of this stack."""
        aws = town.stack.aws
        secret = aws.secretsmanager.get_secret_value(SecretId=aws.resolve("${CacheKeySecret}"))
        return cls(
            keyring=parse_keyring(secret["SecretString"]),
            audience="|".join(parse_app(town.coze_config).identity),
        )

    def of_another_stack(self) -> Self:
        """With the same keys, for another OAuth app."""
        return replace(self, audience=self.audience + "0")

    def with_other_keys(self) -> Self:
        """For the same app, with keys that have the same numbers."""
        others = {number: key[::-1] for number, key in self.keyring.keys.items()}
        return replace(self, keyring=replace(self.keyring, keys=others))

    def print(self, guest_id: bytes, *, days: float) -> str:
        """The ticket of this guest, issued so many days ago."""
        number = self.keyring.newest
        office = TicketOffice(
            keys={number: self.keyring.derive(Purpose.TICKET)},
            newest=number,
            audience=self.audience,
            random_bytes=lambda _count: guest_id,
        )
        return office.admit(None, now=time.time() - days * DAY_SECONDS).ticket


def body_of(**fields: str) -> bytes:
    """A JSON body."""
    return json.dumps(fields).encode()
