"""`python -m tests.simulation`: many runs, or every mutant, from a seed that is printed."""

import argparse
import secrets
import sys
import time
from collections import Counter

from tests.simulation.hunt import hunt_all, table_of
from tests.simulation.runner import BrokenRunError, run_many

RUNS = 100_000
MUTANT_RUNS = 5_000
MUTANT_SEED = 1


def main() -> int:
    arguments = _arguments()
    return _hunt(arguments) if arguments.mutants else _simulate(arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="of the first run; the next runs count on from it")
    parser.add_argument("--runs", type=int, help="how many runs; of each mutant, at most")
    parser.add_argument("--mutants", action="store_true", help="take each check away in turn")
    return parser.parse_args()


def _simulate(arguments: argparse.Namespace) -> int:
    seeded = arguments.seed is not None
    first = arguments.seed if seeded else secrets.randbelow(10**9)
    runs = arguments.runs or (1 if seeded else RUNS)
    print(f"{runs} runs from seed {first} on …", flush=True)
    began = time.monotonic()
    try:
        seen = run_many(first=first, runs=runs)
    except BrokenRunError as broken:
        print(broken)
        return 1
    seconds = time.monotonic() - began
    print(_summary(seen))
    print(f"No rule was broken in {runs} runs ({seconds:.0f} s, {runs / seconds:.0f} a second).")
    return 0


def _summary(seen: Counter[str]) -> str:
    return "\n".join(f"{number:>12,}  {what}" for what, number in sorted(seen.items()))


def _hunt(arguments: argparse.Namespace) -> int:
    first = MUTANT_SEED if arguments.seed is None else arguments.seed
    print(f"From seed {first} on …", flush=True)
    catches = hunt_all(first=first, runs=arguments.runs or MUTANT_RUNS)
    print(table_of(catches))
    missed = [catch for catch in catches if catch.rule is None]
    print(f"{len(catches) - len(missed)} of {len(catches)} mutants were caught.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
