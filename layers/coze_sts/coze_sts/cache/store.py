"""The table: one item per session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from coze_sts.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEEP_SECONDS = 24 * 3600
"""An expired row stays a day, for the operator; DynamoDB then removes it within days."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """An item of the table: a sealed token and the times in UNIX seconds.

    `ek` names the cache key that sealed it, `kid` the Coze key that signed for it.
    """

    pk: str
    ct: bytes = field(repr=False)
    ek: str
    kid: str
    issued_at: int
    expires_at: int
    refresh_at: int
    forced: bool


class DamagedRowError(Exception):
    """An item that this service did not write so."""


class TokenStore:
    """Reads and writes rows; raises StoreUnavailable where the table does not answer."""

    def __init__(self, *, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, pk: str) -> Row | None:
        """The row, eventually consistent; raises DamagedRowError where its shape is wrong."""
        try:
            answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": pk}})
        except (ClientError, BotoCoreError) as error:
            raise _unavailable("read", error) from None
        return _to_row(answer["Item"]) if "Item" in answer else None

    def write(self, row: Row, *, now: float) -> None:
        """Stores the row in place of what was there."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": row.pk}},
                UpdateExpression="SET ct = :ct, ek = :ek, kid = :kid, issued_at = :issued_at, "
                "expires_at = :expires_at, refresh_at = :refresh_at, forced = :forced, "
                "purge_at = :purge_at",
                ExpressionAttributeValues={
                    ":ct": {"B": row.ct},
                    ":ek": {"S": row.ek},
                    ":kid": {"S": row.kid},
                    ":issued_at": {"N": str(row.issued_at)},
                    ":expires_at": {"N": str(row.expires_at)},
                    ":refresh_at": {"N": str(row.refresh_at)},
                    ":forced": {"BOOL": row.forced},
                    ":purge_at": {"N": str(max(row.expires_at, int(now)) + KEEP_SECONDS)},
                },
            )
        except (ClientError, BotoCoreError) as error:
            raise _unavailable("write", error) from None

    def forget(self, pk: str) -> None:
        """Removes the row, whether or not there is one."""
        try:
            self._client.delete_item(TableName=self._table, Key={"pk": {"S": pk}})
        except (ClientError, BotoCoreError) as error:
            raise _unavailable("delete", error) from None


def _to_row(item: Mapping[str, Any]) -> Row:
    try:
        return Row(
            pk=item["pk"]["S"],
            ct=bytes(item["ct"]["B"]),
            ek=item["ek"]["S"],
            kid=item["kid"]["S"],
            issued_at=int(item["issued_at"]["N"]),
            expires_at=int(item["expires_at"]["N"]),
            refresh_at=int(item["refresh_at"]["N"]),
            forced=item["forced"]["BOOL"],
        )
    except (KeyError, ValueError, TypeError):
        raise DamagedRowError from None


def _unavailable(action: str, error: ClientError | BotoCoreError) -> StoreUnavailable:
    """Only the error's class is kept: AWS's sentence may name what a log should not hold."""
    code = type(error).__name__
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", code)
    return StoreUnavailable(f"The token table refused a {action}: {code}.")
