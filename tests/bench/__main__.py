"""``python -m tests.bench``: cold starts, warm requests and sizes, beside others' in one run."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench import report
from tests.bench.build import Size, size_of
from tests.bench.output import FOLDER, save, tell
from tests.bench.outside import outside
from tests.bench.rounds import Measured, measure
from tests.bench.subjects import subjects
from tests.bench.targets import Judged, judge

RESULTS = FOLDER / "results.json"
ROUNDS = 15


def main(arguments: list[str]) -> None:
    """Measures, prints, and keeps the results."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        tell("building the packages")
        everyone = subjects(Path(folder))
        sizes = {each.name: size_of(each.package, scratch=Path(folder)) for each in everyone}
        with outside() as around:
            measured = measure(everyone, rounds=chosen.rounds, around=around, tell=tell)
    tell("")
    judged = show(measured, sizes)
    save(chosen.results, results(measured, sizes, judged, rounds=chosen.rounds))


def show(measured: Measured, sizes: Mapping[str, Size]) -> list[Judged]:
    """Prints everything; what came of the targets."""
    figures = measured.tally.figures()
    judged = judge(figures, sizes)
    print(report.figures_table(figures), report.sizes_table(sizes), sep="\n\n", end="\n\n")
    print(report.verdicts(judged), report.remarks(measured, figures), sep="\n\n")
    return judged


def results(
    measured: Measured, sizes: Mapping[str, Size], judged: list[Judged], *, rounds: int
) -> dict[str, Any]:
    """Everything, for the picture and the documents."""
    figures = measured.tally.figures()
    return {
        "rounds": rounds,
        "figures": {name: {m: asdict(f) for m, f in of.items()} for name, of in figures.items()},
        "sizes": {name: asdict(size) for name, size in sizes.items()},
        "targets": [{**asdict(one), "met": one.met} for one in judged],
        "calls": measured.calls,
        "stand_in_ms": measured.stand_in_ms,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
