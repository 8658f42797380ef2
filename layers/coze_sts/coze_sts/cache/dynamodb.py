"""Three calls of DynamoDB, with its failures turned into ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from coze_sts.errors import StoreUnavailable

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

    def read(self, pks: Iterable[str]) -> dict[str, Item]:
        """Those of the items that exist, in one call, eventually consistent."""
        keys = [{"pk": {"S": pk}} for pk in pks]
        try:
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": keys}})
        except (ClientError, BotoCoreError) as error:
            raise _unavailable("read", error) from None
        if self._table in answer.get("UnprocessedKeys", {}):
            raise StoreUnavailable("The token table refused a read: throttled.")
        return {item["pk"]["S"]: item for item in answer["Responses"].get(self._table, [])}

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
            if _code(error) != "ConditionalCheckFailedException":
                raise _unavailable("write", error) from None
            found = getattr(error, "response", {}).get("Item")
        else:
            return answer["Attributes"]
        # Some emulators of DynamoDB leave the item out of their refusal.
        raise ConditionError(self._read_one(pk) if found is None else found)

    def delete(self, pk: str) -> None:
        """Removes an item, whether or not there is one."""
        try:
            self._client.delete_item(TableName=self._table, Key={"pk": {"S": pk}})
        except (ClientError, BotoCoreError) as error:
            raise _unavailable("delete", error) from None

    def _read_one(self, pk: str) -> Item | None:
        try:
            answer = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": pk}}, ConsistentRead=True
            )
        except (ClientError, BotoCoreError) as error:
            raise _unavailable("read", error) from None
        return answer.get("Item")


def _code(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code", "ClientError")
    return type(error).__name__


def _unavailable(action: str, error: ClientError | BotoCoreError) -> StoreUnavailable:
    """Only the error's class is kept: AWS's sentence may name what a log should not hold."""
    return StoreUnavailable(f"The token table refused a {action}: {_code(error)}.")
