"""``python -m tests.crowd``: sends the crowd, and says what the referee saw.

A seed repeats what people want, what fails and who is killed; not the order of it all.
"""

import argparse
import secrets
import sys
import time
from pathlib import Path

from tests.crowd.crowd import Crowd
from tests.crowd.report import Report
from tests.crowd.town import Town
from tests.crowd.weather import Climate

STRIKE_SECONDS = 3


def main() -> int:
    """0 where every token was its owner's, and nobody got what was not theirs."""
    asked = _arguments()
    crowd = Crowd(
        requests=asked.requests, users=asked.users, seed=asked.seed, strike_seconds=STRIKE_SECONDS
    )
    print(f"{asked.requests:,} requests, seed {asked.seed} …", flush=True)
    with Town(workers=asked.workers, climate=Climate(asked.seed), log=asked.log) as town:
        began = time.monotonic()
        notes = crowd.visit(town)
        report = Report.of(town, notes, crowd=crowd, seconds=time.monotonic() - began)
    print(report)
    return 0 if report.good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crowd", description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--workers", type=int, default=24)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--log", type=Path, help="keeps the functions' own lines")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
