"""The table's TTL: without it the rows of tokens that expired stay for ever."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from coze_sts.doctor.report import Finding, found

ATTRIBUTE = "purge_at"


def check(describe: Callable[[], Mapping[str, Any]] | None) -> Finding:
    """`describe` is DescribeTimeToLive of the table; None where there is no table yet."""
    if describe is None:
        return found("table.skipped")
    try:
        described = describe().get("TimeToLiveDescription", {})
    except ClientError as error:
        return found("table.unreadable", cause=error.response.get("Error", {}).get("Code", "-"))
    except BotoCoreError as error:
        return found("table.unreadable", cause=type(error).__name__)
    on = described.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
    return found(
        "table.purged" if on and described.get("AttributeName") == ATTRIBUTE else "table.kept"
    )
