"""An access token of Coze's, and what may be done with it at a given time. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum

from coze_sts.errors import UpstreamRejected

MIN_LIFETIME_SECONDS = 55
"""A token that lives shorter is no use: the least that can be asked for, less some clock skew."""

LAST_SECONDS = 5
"""Nothing is handed out with less than this left, whatever else is failing."""


class State(Enum):
    """FRESH is served; STALE is served where a renewal fails; INVALID needs an exchange."""

    FRESH = "fresh"
    STALE = "stale"
    INVALID = "invalid"


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """A token and its absolute times, in UNIX seconds.

    `issued_at` is taken before the exchange was sent, so that a slow answer never makes the
    token look younger than it is. `kid` names the Coze key that signed for it. `forced` says
    that it replaced a token which Coze had rejected before its time.
    """

    value: str = field(repr=False)
    kid: str
    issued_at: int
    expires_at: int
    refresh_at: int
    forced: bool = False

    @property
    def sha256(self) -> str:
        """The hex digest by which a caller names this token without repeating it."""
        return hashlib.sha256(self.value.encode()).hexdigest()


def min_left(lifetime: float) -> float:
    """Seconds a token must still live to be handed out: a tenth, from 10 s to 5 minutes."""
    return min(max(lifetime / 10, 10), 300)


def from_grant(
    value: str, *, kid: str, sent_at: float, granted_until: int, duration_seconds: int
) -> AccessToken:
    """The token of an exchange that was sent at `sent_at` and asked for `duration_seconds`.

    It expires when Coze says so, or after the duration it was asked for if that is earlier.
    Raises UpstreamRejected where too little is left to be of use.
    """
    issued_at = int(sent_at)
    expires_at = min(granted_until, issued_at + duration_seconds)
    if expires_at - issued_at < MIN_LIFETIME_SECONDS:
        raise UpstreamRejected(
            f"Coze granted a token that lives {expires_at - issued_at} s. Raise "
            "TOKEN_DURATION_SECONDS, and compare the clocks."
        )
    return AccessToken(
        value=value,
        kid=kid,
        issued_at=issued_at,
        expires_at=expires_at,
        refresh_at=_refresh_at(value, issued_at=issued_at, expires_at=expires_at),
    )


def _refresh_at(value: str, *, issued_at: int, expires_at: int) -> int:
    """When to renew: after 60 to 66.7 % of the lifetime.

    The token's own digest spreads it, so that sessions minted together do not renew together.
    """
    spread = int.from_bytes(hashlib.sha256(value.encode()).digest()[:4], "big") / 2**32
    return int(issued_at + (expires_at - issued_at) * (0.60 + 0.0667 * spread))


def state(token: AccessToken | None, *, now: float) -> State:
    """What `token` is good for at `now` (UNIX seconds); no token is INVALID."""
    if token is None:
        return State.INVALID
    if token.expires_at - now < min_left(token.expires_at - token.issued_at):
        return State.INVALID
    return State.FRESH if now < token.refresh_at else State.STALE


def outlives(token: AccessToken, *, now: float) -> bool:
    """Whether `token` may still be served although its renewal failed."""
    return token.expires_at - now >= LAST_SECONDS
