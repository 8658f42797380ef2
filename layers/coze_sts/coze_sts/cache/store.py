"""The table: one item a session, which holds both its lease and its token, and one for the fleet.

Lease and token share an item, so that a condition on the random `lease_id` is an exact fence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_sts.cache.dynamodb import Item
from coze_sts.cache.fleet import ABSURD_MS, KEEP_SECONDS, FleetStore, RefusedError
from coze_sts.cache.row import (
    DAY_SECONDS,
    DamagedRowError,
    FleetHold,
    Row,
    Sealed,
    day_of,
    read_hold,
    read_row,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DROP_INTERVAL_SECONDS = 60
"""Each drop costs an exchange, so a visitor's page must not do it as it likes."""

NO_LEASE = "attribute_not_exists(lease_id)"
DEAD_LEASE = "lease_id = :over"
TOKEN_IS_DUE = "(attribute_not_exists(refresh_at) OR refresh_at <= :now_s)"  # noqa: S105
NO_LEASE_SINCE = "gen = :seen_gen"
BACK_OFF_IS_OVER = (
    "(attribute_not_exists(retry_at) OR retry_at <= :now_ms OR retry_at > :absurd_ms)"
)
LEASE_IS_MINE = "lease_id = :me"


class BoundError(Exception):
    """The caller's own session is not theirs any more; `item` is the binding that says so."""

    def __init__(self, item: Item) -> None:
        super().__init__("bound")
        self.item = item


class TokenStore(FleetStore):
    """Reads and writes items; raises StoreUnavailable where the table does not answer."""

    def __init__(
        self, *, client: DynamoDBClient, table: str, binding_table: str | None = None
    ) -> None:
        super().__init__(client=client, table=table)
        self._binding_table = binding_table

    def read(
        self, pk: str, *, fleet_pk: str, binding_pk: str | None = None
    ) -> tuple[Row | None, FleetHold | None]:
        """Both items in one call, eventually consistent; the binding, if any, consistent.

        Raises BoundError where there is a binding, DamagedRowError where the row's shape is
        wrong.
        """
        elsewhere = None
        if self._binding_table and binding_pk:
            elsewhere = (self._binding_table, binding_pk)
        items = self._items.read([pk, fleet_pk], elsewhere=elsewhere)
        if binding_pk in items:
            raise BoundError(items[binding_pk])
        hold = read_hold(items[fleet_pk]) if fleet_pk in items else None
        try:
            return read_row(items[pk]) if pk in items else None, hold
        except DamagedRowError:
            raise DamagedRowError(hold) from None

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
        """Takes the lease and returns the row as it is then; raises RefusedError.

        Granted where there is no row, or no lease but the dead one `over`, the token is due, the
        back-off over and fewer than `per_day` tokens were fetched today. `seen_gen` stands in for
        the token being due.
        """
        day = day_of(now)
        due = TOKEN_IS_DUE if seen_gen is None else NO_LEASE_SINCE
        lease = NO_LEASE if over is None else DEAD_LEASE
        now_ms = int(now * 1000)
        values: dict[str, Any] = {
            ":me": {"S": lease_id},
            ":until": {"N": str(lease_until)},
            ":purge_at": {"N": str(int(now) + KEEP_SECONDS)},
            ":one": {"N": "1"},
            ":per_day": {"N": str(per_day)},
            ":now_ms": {"N": str(now_ms)},
            ":absurd_ms": {"N": str(now_ms + ABSURD_MS)},
        }
        second, gen = {":now_s": {"N": str(int(now))}}, {":seen_gen": {"N": str(seen_gen)}}
        values |= second if seen_gen is None else gen
        if over is not None:
            values[":over"] = {"S": over}
        item = self._update(
            pk,
            update="SET lease_id = :me, lease_until = :until, purge_at = :purge_at "
            "REMOVE retry_at ADD gen :one",
            condition=f"attribute_not_exists(pk) OR ({lease} AND {due} AND {BACK_OFF_IS_OVER} "
            f"AND (attribute_not_exists({day}) OR {day} < :per_day))",
            values=values,
        )
        return read_row(item)

    def complete(self, pk: str, *, lease_id: str, sealed: Sealed, now: float) -> None:
        """Writes and counts the token and ends the lease; raises RefusedError if it is not ours."""
        try:
            self._update(
                pk,
                update="SET ct = :ct, ek = :ek, kid = :kid, issued_at = :issued_at, "
                "expires_at = :expires_at, refresh_at = :refresh_at, forced = :forced, "
                "purge_at = :purge_at REMOVE lease_id, lease_until, retry_at, fail_n, err, "
                f"{day_of(now - DAY_SECONDS)} ADD {day_of(now)} :one",
                condition=LEASE_IS_MINE,
                values={
                    ":me": {"S": lease_id},
                    ":one": {"N": "1"},
                    ":ct": {"B": sealed.ct},
                    ":ek": {"S": sealed.ek},
                    ":kid": {"S": sealed.kid},
                    ":issued_at": {"N": str(sealed.issued_at)},
                    ":expires_at": {"N": str(sealed.expires_at)},
                    ":refresh_at": {"N": str(sealed.refresh_at)},
                    ":forced": {"BOOL": sealed.forced},
                    ":purge_at": {"N": str(max(sealed.expires_at, int(now)) + KEEP_SECONDS)},
                },
            )
        except RefusedError as refused:
            # A lost reply makes the SDK write again: then the row holds what we wrote.
            if refused.row is None or refused.row.sealed != sealed:
                raise

    def fail(self, pk: str, *, lease_id: str, retry_at: int, error: str) -> None:
        """Ends the lease and notes the failure; raises RefusedError where it is not ours."""
        self._update(
            pk,
            update="SET retry_at = :retry_at, err = :err, "
            "fail_n = if_not_exists(fail_n, :zero) + :one REMOVE lease_id, lease_until",
            condition=LEASE_IS_MINE,
            values={
                ":me": {"S": lease_id},
                ":retry_at": {"N": str(retry_at)},
                ":err": {"S": error},
                ":zero": {"N": "0"},
                ":one": {"N": "1"},
            },
        )

    def drop_token(self, pk: str, *, now: float) -> None:
        """Takes the token out of the row and leaves its lease and back-off where they are.

        Once a minute at most: raises RefusedError where there is a token that must stay.
        """
        try:
            self._update(
                pk,
                update="SET dropped_at = :now "
                "REMOVE ct, ek, kid, issued_at, expires_at, refresh_at, forced",
                condition="attribute_exists(gen) AND "
                "(attribute_not_exists(dropped_at) OR dropped_at <= :before)",
                values={
                    ":now": {"N": str(int(now))},
                    ":before": {"N": str(int(now) - DROP_INTERVAL_SECONDS)},
                },
            )
        except RefusedError as refused:
            if refused.row is not None and refused.row.sealed is not None:
                raise

    def forget(self, pk: str) -> None:
        """Removes an item, whether or not there is one."""
        self._items.delete(pk)
