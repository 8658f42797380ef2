"""Runs every process of every subject once a round: what slows the machine then slows all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.bench.figures import Tally
from tests.bench.outside import Outside, Wrong
from tests.bench.run import run
from tests.bench.subjects import Plan, Subject

Calls = dict[str, dict[str, dict[str, int]]]
"""By subject, by what its first request is called, by operation: how often, in one process."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the rounds brought. `stand_in_ms` is what a call costs AWS's and Coze's stand-ins."""

    tally: Tally
    calls: Calls = field(default_factory=dict)
    spent: list[tuple[float, int]] = field(default_factory=list)

    @property
    def stand_in_ms(self) -> float:
        return sum(s for s, _ in self.spent) * 1000 / sum(calls for _, calls in self.spent)


def measure(
    everyone: Sequence[Subject],
    *,
    rounds: int,
    around: Outside,
    tell: Callable[[str], None],
    tally: Tally | None = None,
) -> Measured:
    """Measures all, `rounds` times; `tell` hears how far it is."""
    measured = Measured(tally=tally or Tally())
    for number in range(rounds):
        tell(f"round {number + 1} of {rounds}")
        for subject in everyone:
            _add(subject, measured, around=around)
    return measured


def fault(plan: Plan, calls: Mapping[str, int]) -> str | None:
    """What is wrong where requests were not what they are called, such as a row gone stale."""
    exchanged = calls.get("exchange", 0)
    if plan.exchanges in (None, exchanged):
        return None
    return f"{plan.cold}: {exchanged} exchanges, and not {plan.exchanges}"


def _add(subject: Subject, measured: Measured, *, around: Outside) -> None:
    for plan in subject.plans:
        before = around.processor()
        done = run(
            subject.package,
            variables={**around.variables, **subject.variables},
            first=plan.first,
            legs=plan.legs,
            conditions=subject.conditions,
        )
        spent = around.processor() - before
        calls = around.calls()
        if said := fault(plan, calls):
            raise Wrong(said)
        measured.tally.add(subject.name, plan.cold, done)
        measured.calls.setdefault(subject.name, {})[plan.cold] = dict(calls)
        measured.spent.append((spent, calls.total()))
