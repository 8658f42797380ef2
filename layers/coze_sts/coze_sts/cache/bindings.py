"""Which guest became which user, for ever: two records in a table of its own, written together.

The user's record names the guest under whose session they spoke, the guest's record names the
user. Each carries an HMAC, so that somebody who can write the table cannot move anybody into a
session of theirs.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from coze_sts.cache.dynamodb import Item, Items, unavailable
from coze_sts.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DamagedBindingError(Exception):
    """A record that this service did not write so."""


@dataclass(frozen=True, kw_only=True)
class BindingStore:
    """The records; raises StoreUnavailable where the table does not answer.

    `key` signs them. It must never change: a record that it does not fit is damaged.
    """

    client: DynamoDBClient
    table: str
    key: bytes = field(repr=False)

    def find(self, pk: str) -> str | None:
        """What the record of `pk` names, or None where there is none; DamagedBindingError."""
        item = Items(client=self.client, table=self.table).read_one(pk)
        return None if item is None else self.read(item)

    def read(self, item: Item) -> str:
        """What a record names; raises DamagedBindingError."""
        try:
            pk, bound_to = str(item["pk"]["S"]), str(item["bound_to"]["S"])
            mac = bytes(item["mac"]["B"])
        except (KeyError, TypeError):
            raise DamagedBindingError from None
        if not hmac.compare_digest(mac, self._mac(pk, bound_to)):
            raise DamagedBindingError
        return bound_to

    def bind(self, *, guest_pk: str, guest: str, user_pk: str, now: float) -> None:
        """Writes both records where neither is there yet, and else nothing.

        Whoever asks reads afterwards which of them stand. `now` in UNIX seconds.
        """
        pairs = [(guest_pk, user_pk), (user_pk, guest)]
        puts = [{"Put": self._put(pk, bound_to, now=now)} for pk, bound_to in pairs]
        try:
            self.client.transact_write_items(TransactItems=puts)  # type: ignore[arg-type]
        except (ClientError, BotoCoreError) as error:
            if not _was_refused(error):
                raise unavailable("write", error) from None

    def _put(self, pk: str, bound_to: str, *, now: float) -> dict[str, Any]:
        return {
            "TableName": self.table,
            "Item": {
                "pk": {"S": pk},
                "bound_to": {"S": bound_to},
                "mac": {"B": self._mac(pk, bound_to)},
                "bound_at": {"N": str(int(now))},
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }

    def _mac(self, pk: str, bound_to: str) -> bytes:
        return hmac.digest(self.key, json.dumps([pk, bound_to]).encode(), "sha256")


def _was_refused(error: ClientError | BotoCoreError) -> bool:
    """Whether a record was there already; raises StoreUnavailable where two writes collided."""
    if not isinstance(error, ClientError):
        return False
    reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
    if "ConditionalCheckFailed" in reasons:
        return True
    if "TransactionConflict" in reasons:
        raise StoreUnavailable(
            "Two sign-ins with one guest ticket met: one has to ask again."
        ) from None
    return False
