"""Four calls of DynamoDB, with its failures turned into ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from coze_sts.errors import StoreUnavailable, code_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = Mapping[str, Any]


class ConditionError(Exception):
    """A condition did not hold; `item` is what stood in the way, None where there is none."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("condition not met")
        self.item = item


class Items:
    """The items of a table; raises StoreUnavailable where it does not answer."""

    def __init__(self, *, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def read(
        self, pks: Iterable[str], *, elsewhere: tuple[str, str] | None = None
    ) -> dict[str, Item]:
        """Those of the items that exist, in one call, eventually consistent.

        `elsewhere` is one item more, by its table and its key, read consistently.
        """
        asked: dict[str, Any] = {self._table: {"Keys": [{"pk": {"S": pk}} for pk in pks]}}
        if elsewhere is not None:
            table, pk = elsewhere
            asked[table] = {"Keys": [{"pk": {"S": pk}}], "ConsistentRead": True}
        try:
            answer = self._client.batch_get_item(RequestItems=asked)
        except (ClientError, BotoCoreError) as error:
            raise unavailable("read", error) from None
        if answer.get("UnprocessedKeys"):
            raise StoreUnavailable("The token table refused a read: throttled.")
        found = answer["Responses"].values()
        return {item["pk"]["S"]: item for items in found for item in items}

    def read_one(self, pk: str) -> Item | None:
        """An item as it is at this moment."""
        try:
            answer = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": pk}}, ConsistentRead=True
            )
        except (ClientError, BotoCoreError) as error:
            raise unavailable("read", error) from None
        return answer.get("Item")

    def update(self, pk: str, *, update: str, condition: str, values: dict[str, Any]) -> Item:
        """The item after the update; raises ConditionError."""
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": pk}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (ClientError, BotoCoreError) as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise unavailable("write", error) from None
            found = getattr(error, "response", {}).get("Item")
        else:
            return answer["Attributes"]
        # Some emulators of DynamoDB leave the item out of their refusal.
        raise ConditionError(self.read_one(pk) if found is None else found)

    def delete(self, pk: str) -> None:
        """Removes an item, whether or not there is one."""
        try:
            self._client.delete_item(TableName=self._table, Key={"pk": {"S": pk}})
        except (ClientError, BotoCoreError) as error:
            raise unavailable("delete", error) from None


def unavailable(action: str, error: ClientError | BotoCoreError) -> StoreUnavailable:
    """The failure as ours, by its class: AWS's sentence may name what a log should not hold."""
    return StoreUnavailable(f"The token table refused a {action}: {code_of(error)}.")
