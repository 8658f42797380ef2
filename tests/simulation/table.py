"""The table in memory: what `coze_sts.cache.store.TokenStore` asks of DynamoDB, in Python.

A differential test holds the two together.
"""

from dataclasses import replace

from coze_sts.cache.fleet import ABSURD_MS, KEEP_SECONDS, RefusedError
from coze_sts.cache.row import DAY_SECONDS, DamagedRowError, FleetHold, Row, Sealed, day_of
from coze_sts.cache.store import DROP_INTERVAL_SECONDS


class Broken:
    """An item of a shape that nobody here wrote."""


BROKEN = Broken()
Item = Row | FleetHold | Broken


class InMemoryTable:
    """The methods of TokenStore over `items`; rows are values and are replaced, never changed.

    `purge_at` holds the TTL attribute of each item, `dropped_at` when its token was forgotten.
    """

    def __init__(self, items: dict[str, Item] | None = None) -> None:
        self.items: dict[str, Item] = {} if items is None else items
        self.purge_at: dict[str, int] = {}
        self.dropped_at: dict[str, int] = {}

    def read(
        self, pk: str, *, fleet_pk: str, binding_pk: str | None = None
    ) -> tuple[Row | None, FleetHold | None]:
        item = self.items.get(fleet_pk)
        hold = item if isinstance(item, FleetHold) else None
        try:
            return self.row(pk), hold
        except DamagedRowError:
            raise DamagedRowError(hold) from None

    def row(self, pk: str) -> Row | None:
        """The row; raises DamagedRowError."""
        row = self.items.get(pk)
        if row is not None and not isinstance(row, Row):
            raise DamagedRowError
        return row

    def acquire(
        self,
        pk: str,
        *,
        lease_id: str,
        lease_until: int,
        over: str | None,
        seen_gen: int | None,
        per_day: int,
        now: float,
    ) -> Row:
        row = self.row(pk)
        if row is not None and not (
            _lease_is_free(row, over=over)
            and _is_due(row, seen_gen=seen_gen, now=now)
            and _back_off_is_over(row, now=now)
            and row.tokens.get(day_of(now), 0) < per_day
        ):
            raise RefusedError(row)
        row = row or Row(pk=pk, gen=0)
        leased = replace(
            row, lease_id=lease_id, lease_until=lease_until, retry_at=0, gen=row.gen + 1
        )
        return self._put(leased, purge_at=int(now) + KEEP_SECONDS)

    def complete(self, pk: str, *, lease_id: str, sealed: Sealed, now: float) -> None:
        try:
            row = _own(self.row(pk), lease_id)
        except RefusedError as refused:
            if refused.row is None or refused.row.sealed != sealed:
                raise
            return
        today, yesterday = day_of(now), day_of(now - DAY_SECONDS)
        tokens = {day: n for day, n in row.tokens.items() if day != yesterday}
        tokens[today] = tokens.get(today, 0) + 1
        done = Row(pk=pk, gen=row.gen, tokens=tokens, sealed=sealed)
        self._put(done, purge_at=max(sealed.expires_at, int(now)) + KEEP_SECONDS)

    def fail(self, pk: str, *, lease_id: str, retry_at: int, error: str) -> None:
        row = _own(self.row(pk), lease_id)
        failed = replace(
            row,
            retry_at=retry_at,
            error=error,
            fail_n=row.fail_n + 1,
            lease_id=None,
            lease_until=0,
        )
        self._put(failed, purge_at=self.purge_at.get(pk, 0))

    def hold(self, fleet_pk: str, hold: FleetHold, *, now: float) -> None:
        found = self.items.get(fleet_pk)
        absurd = int(now * 1000) + ABSURD_MS
        if isinstance(found, FleetHold) and hold.until <= found.until <= absurd:
            raise RefusedError(None)
        self.items[fleet_pk] = hold
        self.purge_at[fleet_pk] = int(now) + KEEP_SECONDS

    def probe(self, fleet_pk: str, *, seen_until: int, until: int) -> None:
        found = self.items.get(fleet_pk)
        if not isinstance(found, FleetHold) or found.until != seen_until:
            raise RefusedError(None)
        self.items[fleet_pk] = replace(found, until=until)

    def drop_token(self, pk: str, *, now: float) -> None:
        row, seconds = self.row(pk), int(now)
        last = self.dropped_at.get(pk, 0)
        if row is None or last > seconds - DROP_INTERVAL_SECONDS:
            if row is not None and row.sealed is not None:
                raise RefusedError(row)
            return
        self.items[pk] = replace(row, sealed=None, sealed_damaged=False)
        self.dropped_at[pk] = seconds

    def forget(self, pk: str) -> None:
        self.items.pop(pk, None)
        self.purge_at.pop(pk, None)
        self.dropped_at.pop(pk, None)

    def _put(self, row: Row, *, purge_at: int) -> Row:
        self.items[row.pk] = row
        self.purge_at[row.pk] = purge_at
        return row


def _lease_is_free(row: Row, *, over: str | None) -> bool:
    """No lease where none was seen, or still the dead one that was seen."""
    if over is None:
        return row.lease_id is None
    return row.lease_id == over


def _is_due(row: Row, *, seen_gen: int | None, now: float) -> bool:
    """The token is due, or no lease was granted since the row was seen."""
    if seen_gen is not None:
        return row.gen == seen_gen
    return row.sealed is None or row.sealed.refresh_at <= int(now)


def _back_off_is_over(row: Row, *, now: float) -> bool:
    now_ms = int(now * 1000)
    return row.retry_at <= now_ms or row.retry_at > now_ms + ABSURD_MS


def _own(row: Row | None, lease_id: str) -> Row:
    """The row, where the lease on it is `lease_id`; raises RefusedError."""
    if row is None or row.lease_id != lease_id:
        raise RefusedError(row)
    return row
