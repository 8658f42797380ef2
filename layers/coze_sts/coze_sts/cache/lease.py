"""Who fetches a token, and who waits or is served meanwhile: the decisions, without any I/O.

`Flight.run` is a generator. It yields operations and is sent their results, so that the same
decisions run in Lambda, on a real table in tests, and in the simulator under a clock of its own.

    issued_at ── refresh_at ── expires_at − min_left ── expires_at − 5 s ── expires_at
        │  FRESH     │     STALE       │     INVALID, GRACE     │   INVALID   │
        │  served    │  one renews,    │  exchanged or waited   │   never     │
        │            │  all are served │  for; served where     │   served    │
        │            │                 │  Coze or table fails   │             │
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from coze_sts.access_token import AccessToken, State, outlives, state
from coze_sts.cache.operations import (
    Acquire,
    Complete,
    Exchange,
    Fail,
    Failed,
    Hold,
    Operation,
    Probe,
    Read,
    Refused,
    Seen,
    Served,
    Sleep,
    Source,
    Spend,
    Table,
)
from coze_sts.errors import (
    SlowDown,
    StsError,
    TemporarilyUnavailable,
    UpstreamRejected,
    UpstreamUnavailable,
)

LEASE_SECONDS = 12
MIN_LEASE_SECONDS = 3
MARGIN_SECONDS = 0.5
"""What a lease leaves of the request's own time."""
TAKE_OVER_SECONDS = 2
"""A lease is dead this long after its end: two clocks may differ by a second each."""
POST_SECONDS = 8
MIN_POST_SECONDS = 0.5
RENEWAL_SECONDS = 2.5
WRITE_SECONDS = 1.5
"""What an exchange leaves of its lease, for writing what it brought."""
WAIT_SECONDS = 4
MAX_BACK_OFF_SECONDS = 300
PROBE_SECONDS = 60
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
    phase = State.INVALID if refused else state(seen.token, now=now)
    if seen.token is not None and phase is State.FRESH:
        return Served(token=seen.token, source=Source.TABLE)
    if seen.token is not None and refused:
        refuse_storm(seen.token, now=now)
    busy = seen.lease_id is not None and not lease_is_dead(seen, now=now)
    back_off = back_off_seconds(seen, now=now)
    if seen.token is not None and phase is State.STALE and (busy or back_off):
        return Served(token=seen.token, source=Source.STALE)
    if back_off:
        if usable := usable_token(seen, now=now, rejected=rejected):
            return Served(token=usable, source=Source.STALE)
        raise _noted_failure(seen, seconds=back_off)
    if busy:
        return Wait()
    unconditional = refused or seen.damaged
    return Lead(over=seen.lease_id, seen_gen=seen.gen if unconditional else None)


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


def _noted_failure(seen: Seen, *, seconds: float) -> StsError:
    if seen.hold_error == UNKNOWN_KEY:
        return UpstreamRejected(
            "Coze does not know the key and is asked once a minute. Usually the key belongs to "
            "the other region: see the errors logged before."
        )
    if UpstreamRejected.code in (seen.error, seen.hold_error):
        return UpstreamRejected(
            "Coze refused a moment ago and is asked again later: see the errors logged before."
        )
    return UpstreamUnavailable(
        "Coze failed a moment ago and is asked again later.", asked_seconds=math.ceil(seconds)
    )


@dataclass(frozen=True, kw_only=True)
class Flight:
    """One request's way to a token.

    `deadline` is the time by `clock` (UNIX seconds) at which the answer is due; `rng` spreads
    waits; `new_lease_id` must be random beyond guessing.
    """

    clock: Callable[[], float]
    deadline: float
    rejected: str | None
    rng: Random
    new_lease_id: Callable[[], str]

    def run(self) -> Generator[Operation, Any, Served]:
        """The whole way; raises the StsError that the caller gets in place of a token."""
        seen: Seen | Table = yield Read()
        usable: AccessToken | None = None
        waiting_since: float | None = None
        polls = 0
        stood_back = False
        while isinstance(seen, Seen):
            now = self.clock()
            usable = usable_token(seen, now=now, rejected=self.rejected)
            decision = choose(seen, now=now, rejected=self.rejected)
            if isinstance(decision, Served):
                return _after_waiting(decision) if polls else decision
            if isinstance(decision, Lead) and not stood_back and self._lease_fits(now):
                answer = yield from self._lead(decision, seen)
                if isinstance(answer, Served):
                    return answer
                seen, stood_back = answer, True
                continue
            stood_back = False
            waiting_since = now if waiting_since is None else waiting_since
            if now >= min(waiting_since + WAIT_SECONDS, self.deadline - MARGIN_SECONDS):
                return _serve_or_refuse(usable)
            yield Sleep(seconds=self._pause(polls))
            polls += 1
            seen = yield Read()
        return (yield from self._without_table(usable))

    def _lease_fits(self, now: float) -> bool:
        return self.deadline - now - MARGIN_SECONDS >= MIN_LEASE_SECONDS

    def _pause(self, polls: int) -> float:
        return min(0.1 * 1.5**polls, 0.5) * self.rng.uniform(0.5, 1.5)

    def _lead(self, lead: Lead, seen: Seen) -> Generator[Operation, Any, Served | Seen | Table]:
        """Tries for the lease; the row that stood in the way where it was not granted."""
        now, lease_id = self.clock(), self.new_lease_id()
        lease_until = int((min(now + LEASE_SECONDS, self.deadline - MARGIN_SECONDS)) * 1000)
        answer = yield Acquire(
            lease_id=lease_id, lease_until=lease_until, over=lead.over, seen_gen=lead.seen_gen
        )
        if isinstance(answer, Refused):
            # A lost reply makes the SDK ask again, and our own lease then stands in the way.
            if answer.seen.lease_id != lease_id:
                return replace(answer.seen, hold_until=seen.hold_until, hold_error=seen.hold_error)
            answer = answer.seen
        if answer is Table.FAILED:
            return Table.FAILED
        held = replace(answer, hold_until=seen.hold_until, hold_error=seen.hold_error)
        return (yield from self._hold(held, lease_id=lease_id, lease_until=lease_until))

    def _hold(
        self, seen: Seen, *, lease_id: str, lease_until: int
    ) -> Generator[Operation, Any, Served]:
        """The lease is ours: exchange, write, and on failure serve what still lives."""
        if seen.hold_error == UNKNOWN_KEY and not (yield from self._may_probe(seen)):
            failed = Failed(error=_noted_failure(seen, seconds=1))
        else:
            renewal = not is_rejected(seen.token, self.rejected) and (
                state(seen.token, now=self.clock()) is not State.INVALID
            )
            answer = yield from self._exchange(lease_until=lease_until, renewal=renewal)
            if isinstance(answer, AccessToken):
                forced = is_rejected(seen.token, self.rejected)
                token = replace(answer, forced=forced)
                yield from self._write(token, lease_id=lease_id)
                if seen.hold_error == UNKNOWN_KEY:
                    yield Hold(until=0, error=None)
                return Served(token=token, source=Source.EXCHANGED)
            failed = answer
        yield from self._give_up(failed, seen, lease_id=lease_id)
        usable = usable_token(seen, now=self.clock(), rejected=self.rejected)
        if usable is None:
            raise failed.error
        return Served(token=usable, source=Source.STALE)

    def _may_probe(self, seen: Seen) -> Generator[Operation, Any, bool]:
        """One try a minute in the whole fleet while Coze does not know the key."""
        until = int((self.clock() + PROBE_SECONDS) * 1000)
        answer = yield Probe(seen_until=seen.hold_until, until=until)
        return answer is not Table.FENCED

    def _exchange(
        self, *, lease_until: int, renewal: bool
    ) -> Generator[Operation, Any, AccessToken | Failed]:
        """One attempt for a renewal, two on a miss; each within what the lease leaves."""
        answer: AccessToken | Failed = yield Exchange(
            seconds=self._post_seconds(
                lease_until, most=RENEWAL_SECONDS if renewal else POST_SECONDS
            )
        )
        if isinstance(answer, AccessToken) or renewal or not answer.error.retryable:
            return answer
        pause = max(answer.retry_after, self.rng.uniform(0, 0.3))
        if self._post_seconds(lease_until, most=POST_SECONDS) - pause < MIN_POST_SECONDS:
            return answer
        yield Sleep(seconds=pause)
        again: AccessToken | Failed = yield Exchange(
            seconds=self._post_seconds(lease_until, most=POST_SECONDS)
        )
        return again

    def _post_seconds(self, lease_until: int, *, most: float) -> float:
        return min(most, lease_until / 1000 - self.clock() - WRITE_SECONDS)

    def _write(self, token: AccessToken, *, lease_id: str) -> Generator[Operation, Any, None]:
        """Twice where the table fails; the token is good even where it refuses."""
        answer = yield Complete(lease_id=lease_id, token=token)
        if answer is Table.FAILED and self.clock() < self.deadline - MARGIN_SECONDS:
            yield Complete(lease_id=lease_id, token=token)

    def _give_up(
        self, failed: Failed, seen: Seen, *, lease_id: str
    ) -> Generator[Operation, Any, None]:
        now = self.clock()
        back_off = self.rng.uniform(0.5, 1) * min(60, 2 ** min(seen.fail_n + 1, 6))
        seconds = min(max(back_off, failed.retry_after), MAX_BACK_OFF_SECONDS)
        yield Fail(lease_id=lease_id, retry_at=int((now + seconds) * 1000), error=failed.error.code)
        if failed.hold_seconds:
            until = int((now + failed.hold_seconds) * 1000)
            yield Hold(until=until, error=UNKNOWN_KEY if failed.unknown_key else failed.error.code)

    def _without_table(self, usable: AccessToken | None) -> Generator[Operation, Any, Served]:
        """The lock saves money, not correctness: this process asks by itself, a little."""
        if usable is not None:
            return Served(token=usable, source=Source.STALE)
        if not (yield Spend()):
            return _serve_or_refuse(None)
        answer: AccessToken | Failed = yield Exchange(
            seconds=min(POST_SECONDS, self.deadline - MARGIN_SECONDS - self.clock())
        )
        if isinstance(answer, Failed):
            raise answer.error
        # Nobody can tell whether the rejected one was ours; a storm ends here all the same.
        token = replace(answer, forced=self.rejected is not None)
        return Served(token=token, source=Source.DIRECT)


def _after_waiting(served: Served) -> Served:
    return replace(served, source=Source.WAITED) if served.source is Source.TABLE else served


def _serve_or_refuse(usable: AccessToken | None) -> Served:
    if usable is None:
        raise TemporarilyUnavailable(
            "No token yet: the lease holder is slow, or the table is down."
        )
    return Served(token=usable, source=Source.STALE)
