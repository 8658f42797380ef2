"""What a site's requests are, and what a million of them cost at a memory size. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tests.bench import subjects as names
from tests.bench.figures import Figure
from tests.bench.prices import Use, bill, mixed

COZE_SECONDS = 0.3
TABLE_SECONDS = 0.005
SECRET_SECONDS = 0.010
"""What is waited for in a region, and answers at once here."""

PLATFORM_LOG_KB = 0.45
"""START and REPORT, which Lambda itself writes for each request."""

SECRETS = 2
"""Read at a cold start; read again every 15 minutes or so, which is left out."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a kind of request asks of others."""

    table_calls: int = 0
    read_units: float = 0
    write_units: float = 0
    exchanges: int = 0
    secrets: int = 0

    @property
    def waits(self) -> float:
        """Seconds."""
        return (
            TABLE_SECONDS * self.table_calls
            + COZE_SECONDS * self.exchanges
            + SECRET_SECONDS * self.secrets
        )


_HIT = {"table_calls": 1, "read_units": 2}
_MISS = {"table_calls": 4, "read_units": 2, "write_units": 3, "exchanges": 1}
NEEDS: Mapping[str, Needs] = {
    names.MEMORY_HIT: Needs(),
    names.TABLE_HIT: Needs(**_HIT),
    names.MISS: Needs(**_MISS),
    names.COLD_HIT: Needs(**_HIT, secrets=SECRETS),
    names.COLD_MISS: Needs(**_MISS, secrets=SECRETS),
}

MIXES: Mapping[str, Mapping[str, float]] = {
    "large site": {
        names.MEMORY_HIT: 0.05,
        names.TABLE_HIT: 0.50,
        names.MISS: 0.4495,
        names.COLD_HIT: 0.0002,
        names.COLD_MISS: 0.0003,
    },
    "small site": {
        names.MEMORY_HIT: 0.05,
        names.TABLE_HIT: 0.40,
        names.MISS: 0.35,
        names.COLD_HIT: 0.10,
        names.COLD_MISS: 0.10,
    },
}
"""The large one is `make simulate-day`'s; of the small one's requests a fifth start cold."""


def use_of(measure: str, figure: Figure) -> Use:
    """What Lambda and the others bill for a request; Lambda bills whole milliseconds."""
    needs = NEEDS[measure]
    return Use(
        seconds=math.ceil(figure.wall_ms + needs.waits * 1000) / 1000,
        log_kb=figure.log_bytes / 1000 + PLATFORM_LOG_KB,
        read_units=needs.read_units,
        write_units=needs.write_units,
        secret_calls=needs.secrets,
    )


def dollars(figures: Mapping[str, Figure], *, mix: Mapping[str, float], memory_mb: int) -> float:
    """For a million requests of this mix."""
    shares = [(share, use_of(measure, figures[measure])) for measure, share in mix.items()]
    return bill(mixed(shares), memory_mb=memory_mb).total


def seconds(measure: str, figure: Figure) -> float:
    """What a visitor waits for, from the function on: with what Coze and AWS take."""
    return figure.wall_ms / 1000 + NEEDS[measure].waits
