"""What requests cost in US dollars, by list prices of us-east-1 for arm64. Pure.

docs/operations.md shows the same prices and the same sums: a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MILLION = 1_000_000
HTTP_API = 1.00
"""For a million requests, as are all of these but the logs'."""

LAMBDA_REQUESTS = 0.20
LAMBDA_GB_SECONDS = 13.33
READ_UNITS = 0.125
WRITE_UNITS = 0.625
SECRET_CALLS = 5.00
LOG_GB = 0.50
"""For a gigabyte taken in."""

MB_OF_A_GB = 1024


@dataclass(frozen=True, kw_only=True)
class Use:
    """What one request uses; `seconds` are what Lambda bills, INIT among them where it is cold."""

    seconds: float
    log_kb: float
    read_units: float = 0
    write_units: float = 0
    secret_calls: float = 0


@dataclass(frozen=True, kw_only=True)
class Bill:
    """Dollars for a million requests."""

    http_api: float
    requests: float
    compute: float
    reads: float
    writes: float
    secrets: float
    logs: float

    @property
    def total(self) -> float:
        parts: dict[str, float] = vars(self)
        return sum(parts.values())


def bill(use: Use, *, memory_mb: int) -> Bill:
    """For a million requests that are all like this one."""
    return Bill(
        http_api=HTTP_API,
        requests=LAMBDA_REQUESTS,
        compute=LAMBDA_GB_SECONDS * use.seconds * memory_mb / MB_OF_A_GB,
        reads=READ_UNITS * use.read_units,
        writes=WRITE_UNITS * use.write_units,
        secrets=SECRET_CALLS * use.secret_calls,
        logs=LOG_GB * use.log_kb,  # a million times a kilobyte is a gigabyte
    )


def mixed(shares: Sequence[tuple[float, Use]]) -> Use:
    """The average request, where each use has its share of all; they must come to 1."""
    if abs(sum(share for share, _ in shares) - 1) > 1e-9:
        raise ValueError("the shares of a mix must come to 1")
    uses = [(share, vars(use)) for share, use in shares]
    names: Mapping[str, float] = vars(shares[0][1])
    return Use(**{name: sum(share * use[name] for share, use in uses) for name in names})


FROM_MEMORY = Use(seconds=0.003, log_kb=1.0)
FROM_TABLE = Use(seconds=0.008, log_kb=1.0, read_units=2)
EXCHANGE = Use(seconds=0.4, log_kb=1.1, read_units=2, write_units=3)
"""As docs/operations.md has them, at 512 MB."""
