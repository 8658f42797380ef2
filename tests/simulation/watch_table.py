"""Passes calls on to the table, and looks at what each of them changed."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from coze_sts.access_token import AccessToken
from coze_sts.cache.row import DamagedRowError, FleetHold, Row, Sealed
from coze_sts.cache.store import ABSURD_MS, RefusedError

from tests.simulation.rules import check
from tests.simulation.trip import Trip
from tests.simulation.watch_fleet import FleetWatch

SKEW = 1.0
"""Seconds by which a clock may be off."""
STALE_SECONDS = 2
"""How old a read may be."""
MOST_BACK_OFF_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was sealed, for whom."""

    pk: str
    sealed: Sealed
    token: AccessToken


class TableWatch:
    """Invariants 3, 6, 7, 8 and 9, at every call; `true_time` gives UNIX seconds."""

    def __init__(
        self,
        *,
        table: Any,
        fleet: FleetWatch,
        true_time: Callable[[], float],
        meddled_at: dict[str, float],
    ) -> None:
        self._meddled_at = meddled_at
        """By pk, when somebody meddled with the row last."""
        self.meddled_times: Counter[str] = Counter()
        self._table = table
        self._fleet = fleet
        self._true_time = true_time
        self._times = [true_time()]
        self._past: list[dict[str, Any]] = [{}]
        self._last_lease: dict[str, str] = {}
        self._holders: dict[str, Trip] = {}
        self._accepted: set[str] = set()
        self.sealed: dict[bytes, Written] = {}

    def read(self, trip: Trip, *, fleet_pk: str, ago: float) -> Any:
        row = self._table.items.get(trip.pk)
        mine = isinstance(row, Row) and row.lease_id in trip.leases
        check("9", not mine or trip.frozen, f"{trip.name} polls for its own lease")
        at = self._true_time() - ago
        trip.seen_true_time = at
        past = self._past[max(bisect_right(self._times, at) - 1, 0)] if ago else self._table.items
        hold = past.get(fleet_pk)
        trip.fleet = hold if isinstance(hold, FleetHold) else None
        return type(self._table)(past).read(trip.pk, fleet_pk=fleet_pk)

    def acquire(self, trip: Trip, **asked: Any) -> Row:
        before = self._table.items.get(trip.pk)
        row = self._table.acquire(trip.pk, **asked)
        self._check_grant(trip, before)
        self._last_lease[trip.pk] = asked["lease_id"]
        self._holders[asked["lease_id"]] = trip
        self.changed()
        return row

    def _check_grant(self, trip: Trip, before: object) -> None:
        if not isinstance(before, Row):
            return
        now = self._true_time()
        token = self.opened(before)
        fresh = token is not None and token.refresh_at - now > SKEW
        forced = token is not None and token.sha256 == trip.rejected
        meddled = self._meddled_at.get(trip.pk, 0) > trip.began - STALE_SECONDS
        due = not fresh or forced or meddled
        check("8", due, f"{trip.name} was granted a lease on a FRESH row")
        wait = before.retry_at / 1000 - now
        check(
            "back-off",
            not SKEW < wait < MOST_BACK_OFF_SECONDS,
            f"{trip.name} was granted a lease {wait:.1f} s before the back-off ends",
        )
        holder = self._holders.get(before.lease_id or "")
        check(
            "4",
            holder is None or holder is trip or holder.crashed or not holder.may_hold(),
            f"{trip.name} took a lease from a request that may be at it",
        )

    def complete(self, trip: Trip, *, lease_id: str, sealed: Sealed, now: float) -> None:
        if trip.brought is not None:
            self.sealed[sealed.ct] = Written(pk=trip.pk, sealed=sealed, token=trip.brought)
        before = self._table.items.get(trip.pk)
        try:
            self._table.complete(trip.pk, lease_id=lease_id, sealed=sealed, now=now)
        except RefusedError as refused:
            there = refused.row is not None and refused.row.sealed == sealed
            check("3", not there, f"{trip.name} is refused what it wrote")
            raise
        after = self._table.items.get(trip.pk)
        if after == before:
            return
        self._check_fence(trip, lease_id)
        check("3", lease_id not in self._accepted, f"{trip.name} completed its lease twice")
        self._accepted.add(lease_id)
        meddled = self._meddled_at.get(trip.pk, 0) > trip.began - STALE_SECONDS
        old = self.opened(before) if isinstance(before, Row) else None
        check(
            "7",
            old is None or sealed.forced or meddled or sealed.expires_at >= old.expires_at,
            f"{trip.name} wrote a token that ends sooner",
        )
        self.changed()

    def fail(self, trip: Trip, *, lease_id: str, **asked: Any) -> None:
        before = self._table.items.get(trip.pk)
        self._table.fail(trip.pk, lease_id=lease_id, **asked)
        if self._table.items.get(trip.pk) != before:
            self._check_fence(trip, lease_id)
            self.changed()

    def _check_fence(self, trip: Trip, lease_id: str) -> None:
        last = self._last_lease.get(trip.pk)
        check("6", last == lease_id, f"{trip.name} wrote after another lease was granted")

    def hold(self, trip: Trip, fleet_pk: str, hold: FleetHold, *, now: float) -> None:
        before = self._table.items.get(fleet_pk)
        absurd = int(now * 1000) + ABSURD_MS
        longer = isinstance(before, FleetHold) and hold.until <= before.until <= absurd
        try:
            self._table.hold(fleet_pk, hold, now=now)
        except RefusedError:
            check("back-off", longer, f"{trip.name} may not tell the fleet, and no hold stands")
            raise
        same = before == hold
        check("back-off", not longer or same, f"{trip.name} shortened the fleet's hold")
        self._fleet.held(trip, hold.error)
        self.changed()

    def probe(self, trip: Trip, fleet_pk: str, **asked: Any) -> None:
        self._table.probe(fleet_pk, **asked)
        self._fleet.probes(trip)
        self.changed()

    def drop_token(self, trip: Trip) -> None:
        """Somebody wants their session's token forgotten, and a process has forgotten it."""
        with suppress(RefusedError, DamagedRowError):
            self._table.drop_token(trip.pk, now=trip.process.clock())
        self.meddled(trip.pk)

    def forget(self, trip: Trip, pk: str) -> None:
        self._table.forget(pk)
        if pk != trip.pk:
            self._fleet.forgets()
        self.meddled(pk)

    def meddled(self, pk: str) -> None:
        """Somebody changed the row by hand."""
        self._meddled_at[pk] = self._true_time()
        self.meddled_times[pk] += 1
        self.changed()

    def changed(self) -> None:
        """Keeps what the table holds now, for those who read it late."""
        self._times.append(self._true_time())
        self._past.append(dict(self._table.items))

    def opened(self, row: Row) -> AccessToken | None:
        """The token that the row truly holds."""
        written = self.sealed.get(row.sealed.ct) if row.sealed else None
        if written is None or (written.pk, written.sealed) != (row.pk, row.sealed):
            return None
        return written.token
