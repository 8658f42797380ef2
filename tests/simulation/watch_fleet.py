"""Looks at what the fleet's row makes of a key that Coze does not know: invariant 17."""

from collections.abc import Callable

from coze_sts.cache.decision import UNKNOWN_KEY
from coze_sts.cache.operations import Failed

from tests.simulation.rules import check
from tests.simulation.trip import Trip

SKEW = 2.0
PROBE_SECONDS = 60
EPSILON = 0.01


class FleetWatch:
    """Who tried a bad key, when; `true_time` gives UNIX seconds."""

    def __init__(self, *, true_time: Callable[[], float]) -> None:
        self._true_time = true_time
        self._known_since: float | None = None
        self._tries: dict[int, float] = {}
        """By request, when it last tried a key that was known to be bad."""
        self.one_key = True

    def ends(self, trip: Trip, answer: object) -> None:
        """An exchange ended."""
        if not isinstance(answer, Failed) or not answer.unknown_key:
            return
        told = self._known_since is not None and trip.seen_true_time >= self._known_since
        if told and self.one_key and not (trip.frozen or trip.table_failed):
            others = [at for number, at in self._tries.items() if number != trip.number]
            since = trip.exchange_began - max(others, default=float("-inf"))
            few = since >= PROBE_SECONDS - SKEW
            check("17", few, f"{trip.name} tries a bad key {since:.1f} s after the last")

    def held(self, trip: Trip, error: str) -> None:
        """The fleet is told to hold."""
        if error != UNKNOWN_KEY:
            self._known_since = None
            return
        if self._known_since is None:
            self._known_since = self._true_time()
        self._note(trip, at=trip.exchange_began)

    def forgets(self) -> None:
        """The fleet's row is gone or another."""
        self._known_since = None

    def probes(self, trip: Trip) -> None:
        """A request took the fleet's one try."""
        self._note(trip, at=self._true_time())

    def _note(self, trip: Trip, *, at: float) -> None:
        """A try that holds the others back for its whole minute."""
        if not trip.frozen and not trip.table_failed:
            self._tries[trip.number] = at


def check_told(trip: Trip) -> None:
    """At its end: whoever learns something of concern to all has told it."""
    last = trip.exchanges[-1] if trip.exchanges else None
    if trip.lease is None or trip.frozen or trip.is_late or last is None:
        return
    if isinstance(last, Failed):
        rule = "17" if last.unknown_key else "back-off"
        check(rule, not last.hold_seconds or trip.holds > 0, f"{trip.name} did not tell the fleet")
    elif trip.hold[1] == UNKNOWN_KEY:
        check("17", trip.holds > 0, f"{trip.name} did not lift the hold of a key that works")
