"""The fleet's own item: what Coze said to one session that holds for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_sts.cache.dynamodb import ConditionError, Item, Items
from coze_sts.cache.row import FleetHold, Row, read_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEEP_SECONDS = 24 * 3600
"""An expired row stays a day, for the operator; DynamoDB then removes it within days."""

ABSURD_MS = 310_000
"""Nobody writes a back-off that is further ahead: such a row is damaged and must not block."""


class RefusedError(Exception):
    """A condition did not hold; `row` is what stood in the way, None where there is no row."""

    def __init__(self, row: Row | None) -> None:
        super().__init__("condition not met")
        self.row = row


class FleetStore:
    """Writes the fleet's item; raises StoreUnavailable where the table does not answer."""

    def __init__(self, *, client: DynamoDBClient, table: str) -> None:
        self._items = Items(client=client, table=table)

    def hold(self, fleet_pk: str, hold: FleetHold, *, now: float) -> None:
        """Tells the fleet, unless a longer believable hold stands; raises RefusedError then."""
        self._update(
            fleet_pk,
            update="SET hold_until = :until, err = :err, kid = :kid, purge_at = :purge_at",
            condition="NOT attribute_type(hold_until, :number) OR hold_until < :until "
            "OR hold_until > :absurd_ms",
            values={
                ":until": {"N": str(hold.until)},
                ":err": {"S": hold.error},
                ":kid": {"S": hold.kid},
                ":purge_at": {"N": str(int(now) + KEEP_SECONDS)},
                ":absurd_ms": {"N": str(int(now * 1000) + ABSURD_MS)},
                ":number": {"S": "N"},
            },
        )

    def probe(self, fleet_pk: str, *, seen_until: int, until: int) -> None:
        """Takes the fleet's one try; raises RefusedError where somebody else has."""
        self._update(
            fleet_pk,
            update="SET hold_until = :until",
            condition="hold_until = :seen",
            values={":until": {"N": str(until)}, ":seen": {"N": str(seen_until)}},
        )

    def _update(self, pk: str, *, update: str, condition: str, values: dict[str, Any]) -> Item:
        """The item after the update; raises RefusedError with the row that was in the way."""
        try:
            return self._items.update(pk, update=update, condition=condition, values=values)
        except ConditionError as failed:
            found = failed.item
        raise RefusedError(read_row(found) if found and "gen" in found else None)
