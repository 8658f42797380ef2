"""Many runs, on every processor of the machine."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.simulation.core import Core
from tests.simulation.rules import Violation
from tests.simulation.world import World

CHUNK = 250
CORE = Core()


class BrokenRunError(AssertionError):
    """A run in which a rule did not hold; the message says how to see it again."""


def run_one(seed: int, *, core: Core = CORE) -> Counter[str]:
    """Runs `seed` and returns what came to pass; raises Violation."""
    world = World(seed=seed, core=core)
    world.run()
    return world.seen


def run_chunk(first: int, *, most: int) -> Counter[str]:
    """Runs the seeds from `first` on; raises BrokenRunError."""
    seen: Counter[str] = Counter()
    for seed in range(first, min(first + CHUNK, most)):
        try:
            seen += run_one(seed)
        except Violation as violation:
            again = f"python -m tests.simulation --runs 1 --seed {seed}"
            raise BrokenRunError(f"seed {seed}: {violation}\nTo see it again: {again}") from None
    return seen


def run_many(*, first: int, runs: int) -> Counter[str]:
    """Runs the seeds from `first` on and returns what came to pass; raises BrokenRunError."""
    starts = range(first, first + runs, CHUNK)
    work = partial(run_chunk, most=first + runs)
    if len(starts) == 1:
        return work(first)
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        return sum(pool.map(work, starts), Counter())
