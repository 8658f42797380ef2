"""What this service must not cost more than, each beside something that was measured with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.bench import subjects as names
from tests.bench.build import Size
from tests.bench.figures import Figures, ratio

MEGABYTE = 1_000_000
MAX_UNPACKED_MB = 45
MAX_ZIPPED_MB = 13


@dataclass(frozen=True, kw_only=True)
class Target:
    """A measure of this service, `at_most` so many times that of another subject.

    Cold starts go by the wall, from the start of the process to the first answer. Warm requests go
    by the processor and without what the empty handler uses: that is the runtime's own.
    """

    title: str
    measure: str
    subject: str
    beside: str
    at_most: float
    aim: float | None = None
    clock: Literal["wall_ms", "processor_ms"] = "processor_ms"

    def value(self, figures: Figures, *, clock: str | None = None) -> float:
        """The ratio that was measured, by the target's own clock unless another is named."""
        clock = clock or self.clock
        one, other = figures[names.SERVICE][self.measure], figures[self.subject][self.beside]
        runtime = figures[names.EMPTY][names.WARM] if self.beside == names.WARM else None
        return ratio(one, other, beyond=runtime, clock=clock)


TARGETS: Sequence[Target] = (
    Target(
        title="Cold, token in the table, to an empty handler",
        measure=names.COLD_HIT,
        subject=names.EMPTY,
        beside=names.COLD,
        at_most=7,
        aim=5,
        clock="wall_ms",
    ),
    Target(
        title="Cold, exchange with Coze, to an empty handler",
        measure=names.COLD_MISS,
        subject=names.EMPTY,
        beside=names.COLD,
        at_most=9,
        aim=7,
        clock="wall_ms",
    ),
    Target(
        title="Cold, exchange with Coze, to the SDK by plain sam build",
        measure=names.COLD_MISS,
        subject=names.OFFICIAL,
        beside=names.COLD_MISS,
        at_most=0.30,
        clock="wall_ms",
    ),
    Target(
        title="Warm, token in memory, to one signature",
        measure=names.MEMORY_HIT,
        subject=names.SIGNATURE,
        beside=names.WARM,
        at_most=0.35,
    ),
    Target(
        title="Warm, token in the table, to one get_item",
        measure=names.TABLE_HIT,
        subject=names.GET_ITEM,
        beside=names.WARM,
        at_most=1.25,
    ),
    Target(
        title="Warm, exchange, to signature, POST, get and two writes",
        measure=names.MISS,
        subject=names.PARTS,
        beside=names.WARM,
        at_most=1.25,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A target and what came of it; `by_processor` stands beside what goes by the wall.

    On a machine that others use too it is the steadier of the two.
    """

    title: str
    value: float
    at_most: float
    aim: float | None = None
    by_processor: float | None = None

    @property
    def met(self) -> bool:
        return self.value <= self.at_most


def judge(figures: Figures, sizes: Mapping[str, Size]) -> list[Judged]:
    """All targets, those of the package's size among them."""
    size = sizes[names.SERVICE]
    of_size = [
        ("Package unpacked, in MB", size.unpacked, MAX_UNPACKED_MB),
        ("Package zipped, in MB", size.zipped, MAX_ZIPPED_MB),
    ]
    return [_judge(target, figures) for target in TARGETS] + [
        Judged(title=title, value=value / MEGABYTE, at_most=most) for title, value, most in of_size
    ]


def _judge(target: Target, figures: Figures) -> Judged:
    by_wall = target.clock == "wall_ms"
    return Judged(
        title=target.title,
        value=target.value(figures),
        at_most=target.at_most,
        aim=target.aim,
        by_processor=target.value(figures, clock="processor_ms") if by_wall else None,
    )
