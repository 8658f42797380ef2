"""``python -m tests.bench``: cold starts, warm requests and sizes, beside others' in one run."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench import report
from tests.bench.build import Size, size_of
from tests.bench.figures import Tally
from tests.bench.outside import Outside, outside
from tests.bench.run import run
from tests.bench.subjects import Subject, subjects
from tests.bench.targets import judge
from tests.local.functions import ROOT

FOLDER = ROOT / ".bench"
ROUNDS = 15


def main(arguments: list[str]) -> int:
    """0 where all targets are met."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--results", type=Path, default=FOLDER / "results.json")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name, outside() as around:
        folder = Path(name)
        print("Building the packages …", flush=True)
        everyone = subjects(folder)
        sizes = {each.name: size_of(each.package, scratch=folder) for each in everyone}
        tally = Tally()
        calls: dict[str, dict[str, int]] = {}
        for number in range(chosen.rounds):
            print(f"\rRound {number + 1} of {chosen.rounds} …", end="", flush=True)
            for subject in everyone:
                calls |= round_of(subject, tally, around=around)
    figures, print_ = tally.figures(), print
    judged = judge(figures, sizes)
    print_("\r" + report.table(figures, sizes))
    print_(report.verdicts(judged))
    results: dict[str, Any] = {
        "rounds": chosen.rounds,
        "figures": {s: {m: asdict(f) for m, f in of.items()} for s, of in figures.items()},
        "sizes": {name: asdict(size) for name, size in sizes.items()},
        "targets": [{**asdict(one), "met": one.met} for one in judged],
        "calls": calls,
    }
    chosen.results.parent.mkdir(exist_ok=True)
    chosen.results.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0 if all(one.met for one in judged) else 1
