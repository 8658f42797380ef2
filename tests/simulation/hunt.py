"""Runs the simulator on each mutant until a rule catches it, and prints what did."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from tests.simulation.core import mutated
from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.rules import Violation
from tests.simulation.runner import run_one


@dataclass(frozen=True, kw_only=True)
class Catch:
    """What became of a mutant; `rule` is None where nothing caught it in so many runs."""

    mutant: Mutant
    rule: str | None
    runs: int


def hunt(mutant: Mutant, *, first: int, runs: int) -> Catch:
    """Runs seeds from `first` on until one shows the mutant, `runs` at most."""
    core = mutated(mutant.module, old=mutant.old, new=mutant.new)
    for number in range(runs):
        try:
            run_one(first + number, core=core)
        except Violation as violation:
            return Catch(mutant=mutant, rule=violation.rule, runs=number + 1)
    return Catch(mutant=mutant, rule=None, runs=runs)


def hunt_all(*, first: int, runs: int) -> list[Catch]:
    """Every mutant, on every processor of the machine."""
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(partial(hunt, first=first, runs=runs), MUTANTS))


def table_of(catches: list[Catch]) -> str:
    """A line a mutant: what is gone, what caught it, after how many runs."""
    lines = [f"{'gone':45} {'in':10} {'caught by':12} after"]
    for catch in catches:
        module = catch.mutant.module.rpartition(".")[2]
        rule = catch.rule or "NOTHING"
        lines.append(f"{catch.mutant.name:45} {module:10} {rule:12} {catch.runs} runs")
    return "\n".join(lines)
