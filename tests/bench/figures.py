"""What was measured, as medians, and what it comes to beside something else. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.run import Cost, Run


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Milliseconds of the wall and of the processor, bytes of log: each a median over rounds."""

    wall_ms: float
    processor_ms: float
    log_bytes: float


Figures = Mapping[str, Mapping[str, Figure]]
"""By subject, by measure."""


class Tally:
    """Collects what the rounds bring. `average` is taken of the requests of a leg."""

    def __init__(self, *, average: Callable[[Iterable[float]], float] = median) -> None:
        self._average = average
        self._rounds: dict[str, dict[str, list[Figure]]] = defaultdict(lambda: defaultdict(list))

    def add(self, subject: str, cold: str, run: Run) -> None:
        """One process: its cold start is one figure, and so is a leg of warm requests."""
        measures = self._rounds[subject]
        measures[cold].append(self._figure([run.cold]))
        measures[f"{cold}: init"].append(self._figure([run.init]))
        for name, costs in run.warm.items():
            measures[name].append(self._figure(costs))

    def figures(self) -> dict[str, dict[str, Figure]]:
        """Medians over the rounds."""
        return {
            subject: {measure: _middle(rounds) for measure, rounds in measures.items()}
            for subject, measures in self._rounds.items()
        }

    def _figure(self, costs: Sequence[Cost]) -> Figure:
        return Figure(
            wall_ms=self._average(cost.wall * 1000 for cost in costs),
            processor_ms=self._average(cost.processor * 1000 for cost in costs),
            log_bytes=self._average(cost.log_bytes for cost in costs),
        )


def ratio(one: Figure, other: Figure, *, beyond: Figure | None = None, clock: str) -> float:
    """How many times `other` is `one`, by a clock's name; both without what `beyond` costs too."""
    nothing = 0.0 if beyond is None else getattr(beyond, clock)
    quotient: float = (getattr(one, clock) - nothing) / (getattr(other, clock) - nothing)
    return quotient


def _middle(figures: Iterable[Figure]) -> Figure:
    rounds = list(figures)
    return Figure(
        wall_ms=median(figure.wall_ms for figure in rounds),
        processor_ms=median(figure.processor_ms for figure in rounds),
        log_bytes=median(figure.log_bytes for figure in rounds),
    )
