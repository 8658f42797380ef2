"""The holder of a lease: asks Coze, writes what came of it, and lets go.

`Leader.run` is a generator, as `coze_sts.cache.lease.Flight.run` is.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from coze_sts.access_token import AccessToken, State, outlives
from coze_sts.cache.decision import (
    MAX_BACK_OFF_SECONDS,
    UNKNOWN_KEY,
    is_rejected,
    noted_failure,
    phase_of,
    usable_token,
)
from coze_sts.cache.operations import (
    Complete,
    Exchange,
    Fail,
    Failed,
    Hold,
    Operation,
    Probe,
    Seen,
    Served,
    Sleep,
    Source,
    Table,
)
from coze_sts.errors import TemporarilyUnavailable

MARGIN_SECONDS = 0.5
"""What a lease leaves of the request's own time."""
POST_SECONDS = 8
MIN_POST_SECONDS = 0.5
RENEWAL_SECONDS = 2.5
WRITE_SECONDS = 1.5
"""What an exchange leaves of its lease, for writing what it brought."""
TABLE_SECONDS = 2.1
"""What a call to the table takes at most once connected: two attempts of a second and a pause.

Connecting anew may take as long again; the function's time-out has that to spare.
"""
PROBE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What a request has to go by.

    `deadline` is the time by `clock` (UNIX seconds) at which the answer is due; `rejected` is the
    digest of a token that Coze refused before its time; `rng` spreads waits.
    """

    clock: Callable[[], float]
    deadline: float
    rejected: str | None
    rng: Random

    def in_time(self, *, after: float = 0) -> bool:
        """Whether a call to the table may begin so many seconds from now, be it ever so slow."""
        return self.clock() + after + TABLE_SECONDS <= self.deadline + MARGIN_SECONDS

    def renews(self, seen: Seen) -> bool:
        """Whether the row's token is good enough not to let anybody wait for another."""
        phase = phase_of(seen, now=self.clock(), rejected=self.rejected)
        return phase is not State.INVALID

    def usable(self, seen: Seen) -> AccessToken | None:
        """Judged anew: a table that does not answer takes seconds to say so."""
        return usable_token(seen, now=self.clock(), rejected=self.rejected)

    def brought(self, token: AccessToken, *, source: Source) -> Served:
        """A new token, unless this process was stopped for so long that it wore out."""
        if not outlives(token, now=self.clock()):
            raise TemporarilyUnavailable("This process was stopped, and its new token wore out.")
        return Served(token=token, source=source)

    def post(
        self, seconds: float, *, counted: bool = True
    ) -> Generator[Operation, Any, AccessToken | Failed]:
        """One exchange; a table that was slow, or a pause of the process, may leave no time."""
        if seconds < MIN_POST_SECONDS:
            return Failed(error=TemporarilyUnavailable("No time was left to ask Coze."))
        answer: AccessToken | Failed = yield Exchange(seconds=seconds, counted=counted)
        return answer


@dataclass(frozen=True, kw_only=True)
class Leader(Errand):
    """Holds the lease `lease_id` until `lease_until` (UNIX milliseconds)."""

    lease_id: str
    lease_until: int

    def run(self, seen: Seen) -> Generator[Operation, Any, Served]:
        """A new token, or after a failure the one in `seen`; raises the failure."""
        answer = yield from self._ask(seen)
        if isinstance(answer, Failed):
            yield from self._give_up(answer, seen)
            usable = self.usable(seen)
            if usable is None:
                raise answer.error
            return Served(token=usable, source=Source.STALE)
        token = replace(answer, forced=is_rejected(seen.token, self.rejected))
        yield from self._write(token)
        if seen.hold_error == UNKNOWN_KEY and self.in_time():
            yield Hold(until=0, error=None)
        return self.brought(token, source=Source.EXCHANGED)

    def _ask(self, seen: Seen) -> Generator[Operation, Any, AccessToken | Failed]:
        """One attempt for a renewal, two on a miss; each within what the lease leaves."""
        if seen.hold_error == UNKNOWN_KEY and not (yield from self._may_probe(seen)):
            return Failed(error=noted_failure(seen, seconds=1))
        if self.renews(seen):
            return (yield from self.post(min(self._left(), RENEWAL_SECONDS)))
        answer = yield from self.post(self._left())
        if isinstance(answer, AccessToken) or not answer.error.retryable:
            return answer
        pause = max(answer.retry_after, self.rng.uniform(0, 0.3))
        if self._left() - pause < MIN_POST_SECONDS:
            return answer
        yield Sleep(seconds=pause)
        return (yield from self.post(self._left()))

    def _left(self) -> float:
        """Seconds in which an exchange that begins now must have ended."""
        return min(POST_SECONDS, self.lease_until / 1000 - self.clock() - WRITE_SECONDS)

    def _may_probe(self, seen: Seen) -> Generator[Operation, Any, bool]:
        """One try a minute in the whole fleet while Coze does not know the key."""
        if not self.in_time():
            return False
        until = int((self.clock() + PROBE_SECONDS) * 1000)
        answer = yield Probe(seen_until=seen.hold_until, until=until)
        return answer is not Table.FENCED

    def _write(self, token: AccessToken) -> Generator[Operation, Any, None]:
        """Twice where the table fails; the token is good even where it refuses."""
        answer = yield Complete(lease_id=self.lease_id, token=token)
        if answer is Table.FAILED and self.in_time():
            yield Complete(lease_id=self.lease_id, token=token)

    def _give_up(self, failed: Failed, seen: Seen) -> Generator[Operation, Any, None]:
        """Lets others try once the back-off is over, and tells the fleet what concerns it."""
        now, error = self.clock(), failed.error.code
        back_off = self.rng.uniform(0.5, 1) * min(60, 2 ** min(seen.fail_n + 1, 6))
        seconds = min(max(back_off, failed.retry_after), MAX_BACK_OFF_SECONDS)
        if self.in_time():
            retry_at = int((now + seconds) * 1000)
            yield Fail(lease_id=self.lease_id, retry_at=retry_at, error=error)
        if failed.hold_seconds and self.in_time():
            until = int((now + failed.hold_seconds) * 1000)
            yield Hold(until=until, error=UNKNOWN_KEY if failed.unknown_key else error)
