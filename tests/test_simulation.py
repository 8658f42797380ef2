"""The simulator: 2,000 fleets in trouble, and proof that it would see a check that is missing.

`make simulate` runs 100,000, and `make mutants` takes every check away in turn.
"""

from random import Random

import pytest
from coze_sts.cache import operations as ops
from coze_sts.cache.lease import Flight
from coze_sts.errors import TemporarilyUnavailable

from tests.factories import NOW, Clock, make_token
from tests.simulation.core import mutated
from tests.simulation.hunt import hunt
from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.runner import run_many, run_one

RUNS = 2_000
SEED = 1
REACHED = (
    "ended: Exchanged",
    "ended: ExchangedWithoutTable",
    "ended: ServedStale",
    "ended: TableHit",
    "ended: Waited",
    "ended: crashed",
    "ended: slow_down",
    "ended: temporarily_unavailable",
    "ended: upstream_rejected",
    "meddled: swap",
    "requests that reject",
    "requests that were frozen",
    "spells: Coze limiting",
    "spells: secrets down",
    "spells: table down",
)
TELLING = {
    "ACQUIRE: no lease",
    "ACQUIRE: dead lease",
    "ACQUIRE: token is due",
    "COMPLETE, FAIL: lease is mine",
    "GRACE ends 5 s before the end",
    "STALE is served meanwhile",
    "a wait of 4 s",
    "own lease on refusal",
    "the fleet's hold",
    "the lease is given up",
    "time to write",
}
"""Mutants that show within some dozen runs; the rest take their time, by command."""


def test_no_rule_is_broken_whatever_fails_and_whenever() -> None:
    seen = run_many(first=SEED, runs=RUNS)
    assert {what for what in REACHED if seen[what] < 10} == set()
    assert seen["requests"] > 10 * RUNS


def test_a_seed_repeats_a_run() -> None:
    assert run_one(SEED) == run_one(SEED)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_is_still_a_change_of_the_core(mutant: Mutant) -> None:
    assert mutated(mutant.module, old=mutant.old, new=mutant.new)


@pytest.mark.parametrize(
    "mutant", [m for m in MUTANTS if m.name in TELLING], ids=lambda mutant: mutant.name
)
def test_a_check_that_is_gone_is_missed(mutant: Mutant) -> None:
    assert hunt(mutant, first=SEED, runs=500).rule is not None


def test_a_mutant_that_changes_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="0 times"):
        mutated("coze_sts.cache.lease", old="no such line", new="")


class Told:
    """A flight that is told what to see; `asked` is what it asked for."""

    def __init__(self, *, now: float, seconds: float = 14) -> None:
        self.clock = Clock(now)
        self.asked: list[ops.Operation] = []
        self._steps = Flight(
            clock=self.clock,
            deadline=now + seconds,
            rejected=None,
            rng=Random(1),
            new_lease_id=lambda: "mine",
        ).run()
        self.asked.append(next(self._steps))

    def tell(self, result: object, *, after: float = 0) -> ops.Operation:
        self.clock.now += after
        self.asked.append(self._steps.send(result))
        return self.asked[-1]

    def end(self, result: object, *, after: float = 0) -> ops.Served:
        with pytest.raises(StopIteration) as end:
            self.tell(result, after=after)
        return end.value.value


def test_a_lease_that_took_too_long_to_get_is_given_back_without_asking_coze() -> None:
    """The simulator found an exchange that began with less than no time left."""
    flight = Told(now=NOW, seconds=4)
    flight.tell(ops.Seen())
    operation = flight.tell(ops.Seen(lease_id="mine", gen=1), after=2)
    assert isinstance(operation, ops.Fail)
    with pytest.raises(TemporarilyUnavailable):
        flight.tell(ops.Table.DONE)


def test_a_renewal_that_cannot_be_led_is_left_to_others_at_once() -> None:
    """The simulator found a caller who slept with a STALE token in hand."""
    token = make_token()
    flight = Told(now=token.refresh_at + 1, seconds=3)
    served = flight.end(ops.Seen(token=token, gen=1))
    assert served.token == token


def test_a_token_that_wore_out_while_the_process_was_stopped_is_not_handed_out() -> None:
    flight = Told(now=NOW)
    flight.tell(ops.Seen())
    flight.tell(ops.Seen(lease_id="mine", gen=1))
    flight.tell(make_token(lifetime=60))
    with pytest.raises(TemporarilyUnavailable):
        flight.tell(ops.Table.DONE, after=56)
