"""`make bench-imports`: the instructions that an import costs, against those recorded."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.gates import figures
from tests.gates.instructions import COUNTED, count, missing
from tests.gates.package import build
from tests.sam.cli import ARCHITECTURE


def main(arguments: list[str]) -> int:
    """Prints the figures; 1 where one has grown or is over its limit."""
    parser = argparse.ArgumentParser(prog="tests.gates", description=__doc__)
    parser.add_argument("--record", action="store_true", help="keep these as the new figures")
    chosen = parser.parse_args(arguments)
    if lacking := missing():
        parser.error(f"this needs {'; '.join(lacking)}")
    with TemporaryDirectory() as scratch:
        package = build(Path(scratch) / "package", architecture=ARCHITECTURE)
        counted = count(package, folder=Path(scratch))
    show(counted)
    found = figures.figures(counted, functions=COUNTED)
    if chosen.record:
        figures.write(found)
    faults = found.faults(figures.read())
    print(*faults, sep="\n", file=sys.stderr)
    return int(bool(faults))


def show(counted: Mapping[str, int]) -> None:
    """Millions of instructions, and how often that is those of bare Python."""
    bare = counted["Python"]
    print(f"{'':34}{'million':>9}{'ratio':>8}")
    for name, total in counted.items():
        print(f"{name:34}{total / 1e6:>9,.1f}{total / bare:>8.2f}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
