"""`python -m tests.day`: a day of a large site, its figures and a picture of it."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.day.journey import LIFETIME_SECONDS
from tests.day.picture import draw
from tests.day.visitors import least_exchanges, requests
from tests.day.world import Tally, Weather, World

RENEWAL_SHARE = 0.6
MOST_OVER_LEAST = 1.02
MILLION = 1_000_000


def main(arguments: list[str]) -> int:
    """Runs the day; 1 where it cost more than it should or refused whom it need not."""
    parser = argparse.ArgumentParser(prog="tests.day", description=__doc__)
    parser.add_argument("--sessions", type=int, default=MILLION)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--picture", type=Path, default=Path("simulated-day.png"))
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    day, weather = requests(sessions=chosen.sessions, seed=chosen.seed), Weather()
    least = least_exchanges(day, window=RENEWAL_SHARE * LIFETIME_SECONDS)
    tally = World(weather=weather, seed=chosen.seed).run(day)
    draw(tally, weather=weather, path=chosen.picture)
    print(f"seed {chosen.seed}, {chosen.sessions:,} sessions, {time.monotonic() - began:.0f} s")
    return report(tally, least=least, weather=weather)


def report(tally: Tally, *, least: int, weather: Weather) -> int:
    """Prints the figures; the exit status."""
    totals = tally.totals
    ratio, asked = totals["exchanges"] / least, totals["requests"]
    out = sum(tally.between("refused", *weather.outage))
    for name in sorted(totals):
        print(f"{name:38}{totals[name]:>12,}")
    print(f"{'least exchanges':38}{least:>12,}")
    print(f"{'exchanges over the least':38}{ratio:>12.4f}  (at most {MOST_OVER_LEAST})")
    for units in ("read units", "write units"):
        print(f"{units + ' per million requests':38}{totals[units] / asked * MILLION:>12,.0f}")
    print(f"{'refused while Coze was out':38}{out:>12,}")
    wrongly = totals["refused although a token was usable"]
    return int(ratio > MOST_OVER_LEAST or wrongly > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
