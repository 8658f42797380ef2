"""``python -m tests.bench.memory``: what each memory size makes of time and money."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

from tests.bench import subjects as names
from tests.bench.build import Package, build_service
from tests.bench.figures import Figure, Figures, Tally
from tests.bench.mix import MIXES, dollars, seconds
from tests.bench.output import FOLDER, save, tell
from tests.bench.outside import outside
from tests.bench.rounds import measure
from tests.bench.run import Conditions
from tests.bench.subjects import FOUND_TWICE, MISSED, Subject

RESULTS = FOLDER / "memory.json"
SIZES = (128, 256, 512, 1024, 1769)
ROUNDS = 5
PAUSE_SECONDS = 0.027
"""A request of a site comes alone: it finds the whole of a period's time, or the rest of one."""

COLUMNS = (names.COLD_HIT, names.COLD_MISS, names.MEMORY_HIT, names.TABLE_HIT, names.MISS)


def main(arguments: list[str]) -> int:
    """Always 0: it is a table to choose by."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, outside() as around:
        tell("building the package")
        package = build_service(Path(folder))
        everyone = [_at(size, package) for size in SIZES]
        # A throttled request waits or does not: the median would hide what is paid for.
        tally = Tally(average=fmean)
        measure(everyone, rounds=chosen.rounds, around=around, tell=tell, tally=tally)
    tell("")
    figures = tally.figures()
    print(table(figures))
    found = {name: {m: asdict(f) for m, f in of.items()} for name, of in figures.items()}
    save(chosen.results, {"rounds": chosen.rounds, "figures": found, "dollars": of_mixes(figures)})
    return 0


def of_mixes(figures: Figures) -> dict[str, dict[str, float]]:
    """Dollars for a million requests, by memory size and mix."""
    return {
        str(size): {
            title: round(dollars(figures[str(size)], mix=mix, memory_mb=size), 2)
            for title, mix in MIXES.items()
        }
        for size in SIZES
    }


def table(figures: Figures) -> str:
    """One line a size: seconds until an answer, and dollars for a million requests."""
    head = f"{'MB':>6}" + "".join(f"{name:>17}" for name in (*COLUMNS, *MIXES))
    return "\n".join([head, *(_line(size, figures[str(size)]) for size in SIZES)])


def _line(size: int, figures: Mapping[str, Figure]) -> str:
    times = "".join(f"{seconds(name, figures[name]):15.3f} s" for name in COLUMNS)
    money = "".join(
        f"{dollars(figures, mix=mix, memory_mb=size):12.2f} $/M " for mix in MIXES.values()
    )
    return f"{size:6}{times}{money}"


def _at(size: int, package: Package) -> Subject:
    return Subject(
        name=str(size),
        package=package,
        plans=[FOUND_TWICE, MISSED],
        conditions=Conditions(memory_mb=size, pause_seconds=PAUSE_SECONDS),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
