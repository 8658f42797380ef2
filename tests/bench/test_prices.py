"""What a million requests cost is worked out from what one uses."""

from __future__ import annotations

import pytest

from tests.bench import prices
from tests.bench import subjects as names
from tests.bench.figures import Figure
from tests.bench.mix import COZE_SECONDS, MIXES, NEEDS, TABLE_SECONDS, dollars, seconds, use_of
from tests.bench.prices import Use, bill, mixed

NOTHING = Use(seconds=0, log_kb=0)
FIGURE = Figure(wall_ms=10.2, processor_ms=9, log_bytes=550)


def test_each_part_of_a_bill_is_its_price_times_its_use() -> None:
    use = Use(seconds=2, log_kb=3, read_units=4, write_units=5, secret_calls=6)
    costs = bill(use, memory_mb=512)
    assert costs.compute == pytest.approx(13.33)
    assert (costs.logs, costs.reads, costs.secrets) == (1.5, 0.5, 30)
    assert costs.writes == pytest.approx(3.125)
    assert costs.total == pytest.approx(1.2 + 13.33 + 1.5 + 0.5 + 3.125 + 30)


def test_a_request_that_uses_nothing_costs_the_two_fees() -> None:
    assert bill(NOTHING, memory_mb=1769).total == prices.HTTP_API + prices.LAMBDA_REQUESTS


def test_a_mix_is_the_average_of_its_requests() -> None:
    other = Use(seconds=4, log_kb=8, write_units=2)
    assert mixed([(0.75, NOTHING), (0.25, other)]) == Use(seconds=1, log_kb=2, write_units=0.5)
    with pytest.raises(ValueError, match="come to 1"):
        mixed([(0.5, NOTHING), (0.4, other)])


@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES)
def test_the_shares_of_each_mix_come_to_1(mix: dict[str, float]) -> None:
    assert sum(mix.values()) == pytest.approx(1)
    assert mix.keys() == NEEDS.keys()


def test_the_wait_for_others_is_billed_and_every_millisecond_that_began() -> None:
    waits = COZE_SECONDS + 4 * TABLE_SECONDS
    assert use_of(names.MEMORY_HIT, FIGURE).seconds == 0.011
    assert use_of(names.MISS, FIGURE).seconds == pytest.approx(0.011 + waits)
    assert seconds(names.MISS, FIGURE) == pytest.approx(0.0102 + waits)


def test_more_memory_costs_more_where_the_time_is_the_same() -> None:
    figures = dict.fromkeys(NEEDS, FIGURE)
    sums = [dollars(figures, mix=MIXES["large site"], memory_mb=size) for size in (128, 512, 1769)]
    assert sums == sorted(sums)
    assert sums[0] < sums[-1]
