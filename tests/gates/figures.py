"""The figures that were recorded last, and what a new count must not exceed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).with_name("instructions.json")
LIMITS = {"TokenFunction": 26.0}
"""Times bare Python: a page waits for this function's cold start."""

GROWTH = 1.05
"""Times the recorded figure."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Instructions in ratio to those of a bare Python, so that machines can be compared."""

    ratios: Mapping[str, float]

    def faults(self, recorded: Figures) -> list[str]:
        """What passes its limit, or has grown by more than it may since it was recorded."""
        over = [
            f"{name}: {self.ratios[name]} × bare Python, and {limit:g} are allowed"
            for name, limit in LIMITS.items()
            if self.ratios[name] > limit
        ]
        grown = [
            f"{name}: {now} × bare Python, and {recorded.ratios.get(name, 'nothing')} is recorded"
            for name, now in self.ratios.items()
            if now > recorded.ratios.get(name, 0) * GROWTH
        ]
        return over + grown


def figures(counted: Mapping[str, int], *, functions: tuple[str, ...]) -> Figures:
    """The functions' figures out of a count; each includes Python itself."""
    bare = counted["Python"]
    return Figures(ratios={name: round(counted[name] / bare, 2) for name in functions})


def read(path: Path = PATH) -> Figures:
    """The recorded figures."""
    return Figures(ratios=json.loads(path.read_text(encoding="utf-8")))


def write(new: Figures, path: Path = PATH) -> None:
    """Records these figures."""
    path.write_text(json.dumps(new.ratios, indent=2) + "\n", encoding="utf-8")
