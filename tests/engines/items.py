"""Items as DynamoDB takes them."""

from typing import Any

from coze_sts.cache.row import Row


def item_of(row: Row) -> dict[str, Any]:
    """The item that is read as `row`."""
    sealed = {} if row.sealed is None else vars(row.sealed)
    plain = {
        "lease_id": row.lease_id,
        "lease_until": row.lease_until,
        "retry_at": row.retry_at,
        "fail_n": row.fail_n,
        "err": row.error,
    }
    values = {"pk": row.pk, "gen": row.gen, **row.tokens, **sealed} | {
        k: v for k, v in plain.items() if v
    }
    return {name: _attribute(value) for name, value in values.items()}


def _attribute(value: str | bytes | bool | int) -> dict[str, Any]:
    kinds = {bool: "BOOL", int: "N", str: "S", bytes: "B"}
    return {kinds[type(value)]: str(value) if type(value) is int else value}
