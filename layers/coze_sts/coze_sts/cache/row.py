"""An item of the table, as values: what is sealed in it, and what is plain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DAY_SECONDS = 24 * 3600
_DAY = re.compile(r"d[0-9]{1,6}")


class DamagedRowError(Exception):
    """An item that this service did not write so; `hold` is the fleet's, where that was read."""

    def __init__(self, hold: FleetHold | None = None) -> None:
        super().__init__("not a row of ours")
        self.hold = hold


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """An encrypted token and what is authenticated with it; times in UNIX seconds.

    `ek` names the cache key that sealed it, `kid` the Coze key that signed for it.
    """

    ct: bytes = field(repr=False)
    ek: str
    kid: str
    issued_at: int
    expires_at: int
    refresh_at: int
    forced: bool


@dataclass(frozen=True, kw_only=True)
class Row:
    """An item; times of leases and back-off in UNIX milliseconds.

    `sealed` is None before the first token; `sealed_damaged` says that what is there is not ours.
    `gen` counts the leases that were granted, `tokens` what was fetched on each day.
    """

    pk: str
    gen: int
    tokens: Mapping[str, int] = field(default_factory=dict)
    sealed: Sealed | None = None
    sealed_damaged: bool = False
    lease_id: str | None = None
    lease_until: int = 0
    retry_at: int = 0
    fail_n: int = 0
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class FleetHold:
    """The fleet's own item: leave Coze alone until then, because of what it said to `kid`."""

    until: int
    error: str
    kid: str


def day_of(now: float) -> str:
    """The attribute that counts what happens on the day (UTC) of `now`, in UNIX seconds."""
    return f"d{int(now) // DAY_SECONDS}"


def seconds_to_midnight(now: float) -> int:
    """Whole seconds until the next day (UTC), at least 1."""
    return DAY_SECONDS - int(now) % DAY_SECONDS


def read_row(item: Mapping[str, Any]) -> Row:
    """The item as DynamoDB gives it; raises DamagedRowError."""
    try:
        sealed, damaged = _read_sealed(item)
        return Row(
            pk=item["pk"]["S"],
            gen=int(item["gen"]["N"]),
            tokens={name: int(item[name]["N"]) for name in item if _DAY.fullmatch(name)},
            sealed=sealed,
            sealed_damaged=damaged,
            lease_id=item["lease_id"]["S"] if "lease_id" in item else None,
            lease_until=_number(item, "lease_until"),
            retry_at=_number(item, "retry_at"),
            fail_n=_number(item, "fail_n"),
            error=item["err"]["S"] if "err" in item else None,
        )
    except (KeyError, ValueError, TypeError):
        raise DamagedRowError from None


def read_hold(item: Mapping[str, Any]) -> FleetHold | None:
    """The fleet's item; one that is damaged holds nobody."""
    try:
        return FleetHold(
            until=int(item["hold_until"]["N"]), error=item["err"]["S"], kid=item["kid"]["S"]
        )
    except (KeyError, ValueError, TypeError):
        return None


def _read_sealed(item: Mapping[str, Any]) -> tuple[Sealed | None, bool]:
    names = ("ct", "ek", "kid", "issued_at", "expires_at", "refresh_at", "forced")
    if not any(name in item for name in names):
        return None, False
    try:
        sealed = Sealed(
            ct=bytes(item["ct"]["B"]),
            ek=item["ek"]["S"],
            kid=item["kid"]["S"],
            issued_at=int(item["issued_at"]["N"]),
            expires_at=int(item["expires_at"]["N"]),
            refresh_at=int(item["refresh_at"]["N"]),
            forced=item["forced"]["BOOL"],
        )
    except (KeyError, ValueError, TypeError):
        return None, True
    return sealed, False


def _number(item: Mapping[str, Any], name: str) -> int:
    return int(item[name]["N"]) if name in item else 0
