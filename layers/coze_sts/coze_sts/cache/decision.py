"""What to do about a row: serve it, wait, or try for its lease. Pure.

issued_at ── refresh_at ── expires_at − min_left ── expires_at − 5 s ── expires_at
    │  FRESH     │     STALE       │     INVALID, GRACE     │   INVALID   │
    │  served    │  one renews,    │  exchanged or waited   │   never     │
    │            │  all are served │  for; served where     │   served    │
    │            │                 │  Coze or table fails   │             │
"""

from __future__ import annotations

import hmac
import math
from dataclasses import dataclass

from coze_sts.access_token import AccessToken, State, outlives, state
from coze_sts.cache.operations import Seen, Served, Source
from coze_sts.cache.row import seconds_to_midnight
from coze_sts.errors import BudgetSpent, SlowDown, StsError, UpstreamRejected, UpstreamUnavailable

LEASE_SECONDS = 12
TAKE_OVER_SECONDS = 2
"""A lease is dead this long after its end: two clocks may differ by a second each."""
MAX_BACK_OFF_SECONDS = 300
FORCED_INTERVAL_SECONDS = 60
"""A token that replaced a rejected one can itself be rejected only after this long."""

UNKNOWN_KEY = "unknown_key"


@dataclass(frozen=True, kw_only=True)
class Lead:
    """Decision: try for the lease."""

    over: str | None
    seen_gen: int | None


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Decision: somebody else is at it."""


def choose(seen: Seen, *, now: float, rejected: str | None) -> Served | Lead | Wait:
    """What to do about a row at `now` (UNIX seconds).

    `rejected` is the digest of a token that Coze refused before its time. Raises SlowDown where
    that repeats, and the failure that was noted while its back-off lasts.
    """
    refused = is_rejected(seen.token, rejected)
    phase = phase_of(seen, now=now, rejected=rejected)
    if seen.token is not None and phase is State.FRESH:
        return Served(token=seen.token, source=Source.TABLE)
    if seen.token is not None and refused:
        refuse_storm(seen.token, now=now)
    busy = seen.lease_id is not None and not lease_is_dead(seen, now=now)
    back_off = back_off_seconds(seen, now=now)
    if seen.token is not None and phase is State.STALE and busy:
        return Served(token=seen.token, source=Source.STALE)
    if seen.exhausted or back_off:
        if usable := usable_token(seen, now=now, rejected=rejected):
            return Served(token=usable, source=Source.STALE)
        raise enough_for_today(now) if seen.exhausted else noted_failure(seen, seconds=back_off)
    if busy:
        return Wait()
    unconditional = refused or seen.damaged
    return Lead(over=seen.lease_id, seen_gen=seen.gen if unconditional else None)


def phase_of(seen: Seen, *, now: float, rejected: str | None) -> State:
    """The state of the row's token for this caller: what Coze rejected is INVALID."""
    refused = is_rejected(seen.token, rejected)
    return State.INVALID if refused else state(seen.token, now=now)


def is_rejected(token: AccessToken | None, rejected: str | None) -> bool:
    """Whether `rejected` is the digest of `token`."""
    if token is None or rejected is None:
        return False
    return hmac.compare_digest(token.sha256, rejected)


def usable_token(seen: Seen, *, now: float, rejected: str | None) -> AccessToken | None:
    """What may be served where Coze or the table fails: GRACE, and never what Coze rejected."""
    token = seen.token
    if token is None or is_rejected(token, rejected) or not outlives(token, now=now):
        return None
    return token


def lease_is_dead(seen: Seen, *, now: float) -> bool:
    """Whether the holder cannot be at it any more; a lease from far ahead is damaged."""
    left = seen.lease_until / 1000 - now
    return left < -TAKE_OVER_SECONDS or left > LEASE_SECONDS + TAKE_OVER_SECONDS


def back_off_seconds(seen: Seen, *, now: float) -> float:
    """How long Coze is to be left alone, for this session or for all; 0 is not at all.

    A time from further ahead than anybody writes is damaged, and must not block a session.
    """
    left = [until / 1000 - now for until in (seen.retry_at, seen.hold_until)]
    return max((s for s in left if 0 < s <= MAX_BACK_OFF_SECONDS + TAKE_OVER_SECONDS), default=0)


def refuse_storm(token: AccessToken, *, now: float) -> None:
    """Raises SlowDown where a token is rejected that replaced a rejected one a moment ago."""
    wait = token.issued_at + FORCED_INTERVAL_SECONDS - now
    if token.forced and wait > 0:
        raise SlowDown(
            "This session's token was replaced a moment ago. A new one will not help: look at "
            "the permissions and the bot's channels at Coze.",
            retry_after=math.ceil(wait),
        )


def enough_for_today(now: float) -> SlowDown:
    """The refusal of a session that has had its tokens for today, or of guests all together."""
    return SlowDown(
        "There are no more tokens for this session today.",
        operator="A session reached TOKENS_PER_SESSION, or guests their share of "
        "EXCHANGES_PER_DAY.",
        retry_after=seconds_to_midnight(now),
    )


def noted_failure(seen: Seen, *, seconds: float) -> StsError:
    """What the caller hears while Coze is left alone, for so many seconds yet."""
    if seen.hold_error == UNKNOWN_KEY:
        return UpstreamRejected(
            "Coze does not know the key and is asked once a minute. Usually the key belongs to "
            "the other region: see the errors logged before."
        )
    if seen.hold_error == BudgetSpent.code:
        return BudgetSpent(retry_after=math.ceil(seconds))
    if seen.error == SlowDown.code:
        return SlowDown("There are no more tokens for now.", retry_after=math.ceil(seconds))
    if UpstreamRejected.code in (seen.error, seen.hold_error):
        return UpstreamRejected(
            "Coze refused a moment ago and is asked again later: see the errors logged before."
        )
    return UpstreamUnavailable(
        "Coze failed a moment ago and is asked again later.", asked_seconds=math.ceil(seconds)
    )
