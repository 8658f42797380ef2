"""Guest tickets: how a visitor without a login stays the same visitor.

A ticket is `g1.<key number>.<payload>.<HMAC-SHA256>`, both parts in unpadded base64url. The
payload is a random 128-bit id and the time of issue. The HMAC covers everything before it and
the audience, and is checked before anything is parsed.
"""

from __future__ import annotations

import base64
import hmac
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from coze_sts.auth.session import Caller
from coze_sts.errors import InvalidToken
from coze_sts.settings import GUEST_PREFIX

LIFETIME_SECONDS = 30 * 24 * 3600
RENEW_SECONDS = LIFETIME_SECONDS // 2
CLOCK_SKEW_SECONDS = 60
MAX_TICKET_CHARACTERS = 200

REFUSAL = "guest_ticket is not valid here or has expired. Ask without one to begin as a new guest."

_VERSION = "g1"
_PAYLOAD = struct.Struct(">16sQ")


class UnknownTicketKey(InvalidToken):
    """The ticket names a key that is not on the ring: made up, or newer than the ring."""


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A guest, by a random id, and the ticket that proves it until `expires_at`.

    `new` says that there was no ticket before.
    """

    guest_id: bytes
    ticket: str = field(repr=False)
    expires_at: int
    new: bool = False

    @property
    def caller(self) -> Caller:
        """The guest as a caller; its name is safe under case folding."""
        text = base64.b32encode(self.guest_id).rstrip(b"=").decode().lower()
        return Caller(kind="guest", name=GUEST_PREFIX + text, new=self.new)


@dataclass(frozen=True, kw_only=True)
class TicketOffice:
    """Issues and verifies tickets.

    `keys` are numbered: `newest` signs, all verify. `audience` keeps the tickets of two stacks
    apart, even if they share a key.
    """

    keys: Mapping[str, bytes] = field(repr=False)
    newest: str
    audience: str
    random_bytes: Callable[[int], bytes]

    def admit(self, ticket: str | None, *, now: float) -> Guest:
        """A new guest where there is no ticket, else the ticket's guest.

        A ticket past half its life is replaced by a new one for the same guest. Raises
        InvalidToken for a ticket that is not ours or too old; it never becomes a new guest.
        Raises UnknownTicketKey where a newer ring may know better.
        """
        if ticket is None:
            return replace(self._issue(self.random_bytes(16), now=now), new=True)
        guest = self._verify(ticket, now=now)
        if guest.expires_at - now < LIFETIME_SECONDS - RENEW_SECONDS:
            return self._issue(guest.guest_id, now=now)
        return guest

    def _issue(self, guest_id: bytes, *, now: float) -> Guest:
        payload = _encode(_PAYLOAD.pack(guest_id, int(now)))
        signed = f"{_VERSION}.{self.newest}.{payload}"
        ticket = f"{signed}.{_encode(self._mac(signed, key_id=self.newest))}"
        return Guest(guest_id=guest_id, ticket=ticket, expires_at=int(now) + LIFETIME_SECONDS)

    def _verify(self, ticket: str, *, now: float) -> Guest:
        signed, _, mac = ticket.rpartition(".")
        version, _, rest = signed.partition(".")
        key_id = rest.partition(".")[0]
        readable = len(ticket) <= MAX_TICKET_CHARACTERS and ticket.isascii()
        if not readable or version != _VERSION:
            raise InvalidToken(REFUSAL)
        if key_id not in self.keys:
            raise UnknownTicketKey(REFUSAL)
        expected = _encode(self._mac(signed, key_id=key_id))
        # Comparing the text, not the decoded bytes, also refuses every other spelling of them.
        if not hmac.compare_digest(mac.encode(), expected.encode()):
            raise InvalidToken(REFUSAL)
        guest_id, issued_at = _PAYLOAD.unpack(_decode(signed.rpartition(".")[2]))
        if not issued_at - CLOCK_SKEW_SECONDS <= now < issued_at + LIFETIME_SECONDS:
            raise InvalidToken(REFUSAL)
        return Guest(guest_id=guest_id, ticket=ticket, expires_at=issued_at + LIFETIME_SECONDS)

    def _mac(self, signed: str, *, key_id: str) -> bytes:
        message = f"{len(self.audience)}:{self.audience}:{signed}"
        return hmac.digest(self.keys[key_id], message.encode(), "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
