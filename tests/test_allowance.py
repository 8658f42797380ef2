"""What one process may spend on its own."""

from coze_sts.allowance import Allowance
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW, Clock


def test_three_at_once_and_then_one_every_five_seconds(clock: Clock) -> None:
    allowance = Allowance(clock=clock)
    assert [allowance.spend() for _ in range(5)] == [True, True, True, False, False]
    for wait, granted in ((4.9, False), (0.2, True), (4.8, False), (0.2, True)):
        clock.now += wait
        assert allowance.spend() is granted


def test_a_pause_earns_a_burst_and_no_more(clock: Clock) -> None:
    allowance = Allowance(clock=clock)
    clock.now += 3600
    assert [allowance.spend() for _ in range(4)] == [True, True, True, False]


def test_a_clock_that_is_set_back_takes_nothing_away(clock: Clock) -> None:
    allowance = Allowance(clock=clock)
    clock.now -= 3600
    assert [allowance.spend() for _ in range(4)] == [True, True, True, False]
    clock.now += 5
    assert allowance.spend()


@given(st.lists(st.floats(-20, 20), max_size=60))
def test_no_stretch_of_time_grants_more_whatever_the_clock_does(steps: list[float]) -> None:
    clock = Clock()
    allowance = Allowance(clock=clock)
    granted, forward = 0, 0.0
    for step in steps:
        clock.now += step
        forward += max(step, 0)
        granted += allowance.spend()
    assert granted <= 3 + forward / 5 + 1e-6
    assert clock.now - NOW <= forward + 1e-6
