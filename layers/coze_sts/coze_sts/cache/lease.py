"""One request's way to a token: who leads, and who waits or is served meanwhile.

`Flight.run` is a generator. It yields operations and is sent their results, so that the same
decisions run in Lambda, on a real table in tests, and in the simulator under a clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

from coze_sts.cache.decision import LEASE_SECONDS, Lead, choose
from coze_sts.cache.leader import MARGIN_SECONDS, POST_SECONDS, Errand, Leader
from coze_sts.cache.operations import (
    Acquire,
    Failed,
    Operation,
    Read,
    Refused,
    Seen,
    Served,
    Sleep,
    Source,
    Spend,
    Table,
)
from coze_sts.errors import TemporarilyUnavailable

MIN_LEASE_SECONDS = 3
WAIT_SECONDS = 4


@dataclass(frozen=True, kw_only=True)
class Flight(Errand):
    """One request's way to a token; `new_lease_id` must be random beyond guessing."""

    new_lease_id: Callable[[], str]

    def run(self) -> Generator[Operation, Any, Served]:
        """The whole way; raises the StsError that the caller gets in place of a token."""
        seen: Seen | Table = yield Read()
        known = Seen()
        waiting_since: float | None = None
        polls = 0
        stood_back = False
        while isinstance(seen, Seen):
            known, now = seen, self.clock()
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
            pause = self._pause(polls)
            patient = now + pause <= waiting_since + WAIT_SECONDS and self.in_time(after=pause)
            if not patient or (isinstance(decision, Lead) and self.renews(seen)):
                return self._serve_or_refuse(known)
            yield Sleep(seconds=pause)
            polls += 1
            seen = yield Read()
        return (yield from self._without_table(known))

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
        if answer is Table.FAILED:
            return Table.FAILED
        row = answer.seen if isinstance(answer, Refused) else answer
        row = replace(row, hold_until=seen.hold_until, hold_error=seen.hold_error)
        # A lost reply makes the SDK ask again, and our own lease then stands in the way.
        if isinstance(answer, Refused) and row.lease_id != lease_id:
            return row
        leader = Leader(
            clock=self.clock,
            deadline=self.deadline,
            rejected=self.rejected,
            rng=self.rng,
            lease_id=lease_id,
            lease_until=lease_until,
        )
        return (yield from leader.run(row))

    def _without_table(self, known: Seen) -> Generator[Operation, Any, Served]:
        """The lock saves money, not correctness: this process asks by itself, a little."""
        if self.usable(known) is not None or not (yield Spend()):
            return self._serve_or_refuse(known)
        left = self.deadline - MARGIN_SECONDS - self.clock()
        answer = yield from self.post(min(POST_SECONDS, left), counted=False)
        if isinstance(answer, Failed):
            raise answer.error
        # Nobody can tell whether the rejected one was ours; a storm ends here all the same.
        token = replace(answer, forced=self.rejected is not None)
        return self.brought(token, source=Source.DIRECT)

    def _serve_or_refuse(self, known: Seen) -> Served:
        usable = self.usable(known)
        if usable is None:
            raise TemporarilyUnavailable(
                "No token yet: the lease holder is slow, or the table is down."
            )
        return Served(token=usable, source=Source.STALE)


def _after_waiting(served: Served) -> Served:
    return replace(served, source=Source.WAITED) if served.source is Source.TABLE else served


def fly(flight: Flight, *, perform: Callable[[Operation], object]) -> Served:
    """Runs a flight to its end: performs what it asks for and tells it what came of it."""
    steps = flight.run()
    try:
        operation = next(steps)
        while True:
            operation = steps.send(perform(operation))
    except StopIteration as end:
        served: Served = end.value
        return served
