"""What a run came to, in words."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from tests.crowd.crowd import Crowd
from tests.crowd.logbook import crashes, leaks
from tests.crowd.place import Notes
from tests.crowd.referee import Whose, Wrong, behind, judge
from tests.crowd.town import Town

SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Report:
    """What people saw, and what the referee and the log say about it."""

    crowd: Crowd
    workers: int
    killed: int
    seconds: float
    notes: Notes
    wrong: list[Wrong]
    leaked: Counter[str]
    crashed: Counter[str]
    faults: Counter[str]
    exchanges: int
    behind: list[float]
    never_asked: set[str]

    @classmethod
    def of(cls, town: Town, notes: Notes, *, crowd: Crowd, seconds: float) -> Self:
        """Has the referee judge."""
        coze = town.stack.coze
        wrong = judge(coze, notes.sightings)
        return cls(
            crowd=crowd,
            workers=len(town.ports),
            killed=town.killed,
            seconds=seconds,
            notes=notes,
            wrong=wrong,
            leaked=leaks(town.log),
            crashed=crashes(town.log),
            faults=town.climate.met,
            exchanges=len(coze.exchanges),
            behind=[] if wrong else behind(coze, notes.sightings, notes.spent),
            never_asked=town.stack.gateway.routes.keys() - notes.routes.keys(),
        )

    @property
    def good(self) -> bool:
        """Whether all is as it must be."""
        return not (self.wrong or self.notes.odd or self.leaked or self.crashed)

    def __str__(self) -> str:
        lines = [
            f"{self._head()}: {self._tokens()}; {self._hostile()}; {self._trouble()}",
            f"Asked: {_list(self.notes.routes)}",
            f"Told: {_list(self.notes.counts)}",
            f"Faults: {_list(self.faults)}",
            *[f"NEVER ASKED: {route}" for route in sorted(self.never_asked)],
            *[f"WRONG: {wrong.seen} {wrong.reason}" for wrong in self.wrong[:SHOWN]],
            *[f"ODD: {odd}" for odd in self.notes.odd[:SHOWN]],
            *[f"LOGGED: {what} in {lines} lines" for what, lines in self.leaked.items()],
            *[f"CRASHED, {times} times: {what}" for what, times in self.crashed.most_common(SHOWN)],
        ]
        return "\n".join(lines)

    def _head(self) -> str:
        crowd = self.crowd
        return (
            f"{crowd.requests:,} requests, {crowd.users} users, {self.workers} workers,"
            f" {self.seconds:.0f} s, seed {crowd.seed}"
        )

    def _tokens(self) -> str:
        workers: Mapping[Whose, set[int]] = defaultdict(set)
        for seen in self.notes.sightings:
            workers[seen.owner].add(seen.worker)
        several = sum(len(met) > 1 for met in workers.values())
        return (
            f"{len(self.notes.sightings):,} tokens, {len(self.wrong)} wrong;"
            f" {len(workers):,} sessions, {several:,} of them met several workers;"
            f" {self.exchanges:,} exchanges; {len(self.behind)} tokens of a user's own session"
            f" after a guest's was carried over, up to {max(self.behind, default=0):.0f} s later"
        )

    def _hostile(self) -> str:
        counts = self.notes.counts
        return (
            f"refused as they must be: {counts['hostile, refused']:,}"
            f" ({counts['hostile, not heard']} not heard);"
            f" hostile requests answered with a token: {counts['hostile, answered with a token']}"
        )

    def _trouble(self) -> str:
        return (
            f"{len(self.notes.odd)} odd answers; secrets in the log: {self.leaked.total()};"
            f" {self.faults.total():,} faults; {self.killed} workers killed"
        )


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{what} {number:,}" for what, number in sorted(counts.items()))
