"""The wire between a process and the table: what is lost on it, late, doubled or out of date."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from coze_sts.cache.row import FleetHold, Row, Sealed
from coze_sts.errors import StoreUnavailable

from tests.simulation.environment import Environment
from tests.simulation.trip import Trip
from tests.simulation.watch_table import TableWatch

GIVE_UP_SECONDS = 2.1
"""What boto3 takes at most: two attempts of a second, and its pause between them."""


SDK_SECONDS = 1
"""After which the SDK makes a call again."""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of one call; times in seconds."""

    out: float
    back: float
    doubled: bool = False
    request_lost: bool = False
    reply_lost: bool = False
    staleness: float = 0.0


def draw_fate(rng: Random, env: Environment, *, down: bool) -> Fate:
    """The fate of one call to a table that may be down."""
    out, back = rng.uniform(0.002, 0.02), rng.uniform(0.002, 0.02)
    if rng.random() < env.slow:
        out, back = rng.uniform(0, 1), rng.uniform(0, 1)
    request_lost = down or rng.random() < env.lost_request
    reply_lost = rng.random() < env.lost_reply
    if request_lost or reply_lost:
        throttled = rng.random() < 0.3
        back = 0.1 if throttled else rng.uniform(1, GIVE_UP_SECONDS - out)
    doubled = not request_lost and rng.random() < env.doubled
    return Fate(
        out=out,
        back=min(back, GIVE_UP_SECONDS - SDK_SECONDS - out) if doubled else back,
        doubled=doubled,
        request_lost=request_lost,
        reply_lost=reply_lost,
        staleness=rng.uniform(0, 1.5) if rng.random() < env.stale else 0.0,
    )


class DroppedError(Exception):
    """The call was carried out, and the SDK makes it again."""


class Wire:
    """The methods of TokenStore for one request; `fate` is that of the call in hand."""

    def __init__(self, *, watch: TableWatch, trip: Trip) -> None:
        self._watch = watch
        self._trip = trip
        self._sent: dict[str, Any] | None = None
        self.fate = Fate(out=0, back=0)
        self.drop_reply = False

    def read(
        self, pk: str, *, fleet_pk: str, binding_pk: str | None = None
    ) -> tuple[Row | None, FleetHold | None]:
        return self._call(
            lambda: self._watch.read(self._trip, fleet_pk=fleet_pk, ago=self.fate.staleness)
        )

    def acquire(self, pk: str, **asked: Any) -> Row:
        return self._call(lambda: self._watch.acquire(self._trip, **self._same(asked)))

    def complete(self, pk: str, *, lease_id: str, sealed: Sealed, now: float) -> None:
        asked = {"lease_id": lease_id, "sealed": sealed, "now": now}
        self._call(lambda: self._watch.complete(self._trip, **self._same(asked)))

    def fail(self, pk: str, **asked: Any) -> None:
        self._call(lambda: self._watch.fail(self._trip, **asked))

    def hold(self, fleet_pk: str, hold: FleetHold, *, now: float) -> None:
        self._call(lambda: self._watch.hold(self._trip, fleet_pk, hold, now=now))

    def probe(self, fleet_pk: str, *, seen_until: int, until: int) -> None:
        self._call(
            lambda: self._watch.probe(self._trip, fleet_pk, seen_until=seen_until, until=until)
        )

    def forget(self, pk: str) -> None:
        self._call(lambda: self._watch.forget(self._trip, pk))

    def _same(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What the SDK sends again is what it sent before, whatever we would say now."""
        if self._sent is not None:
            asked, self._sent = self._sent, None
        elif self.drop_reply:
            self._sent = asked
        return asked

    def _call(self, act: Callable[[], Any]) -> Any:
        if self.drop_reply:
            self._try(act)
            self.drop_reply = False
            raise DroppedError
        if self.fate.request_lost:
            raise StoreUnavailable("lost")
        answer = act()
        if self.fate.reply_lost:
            raise StoreUnavailable("lost")
        return answer

    @staticmethod
    def _try(act: Callable[[], Any]) -> None:
        """Nobody hears of what the first of two calls brings."""
        try:
            act()
        except Exception as error:
            if isinstance(error, AssertionError):
                raise
