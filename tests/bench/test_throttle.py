"""The limit of a processor is that of Lambda."""

from __future__ import annotations

import pytest

from tests.bench.throttle import FULL_PROCESSOR_MB, PERIOD_SECONDS, Account, quota_seconds


def test_memory_buys_its_share_of_a_processor_and_1769_mb_a_whole_one() -> None:
    assert quota_seconds(FULL_PROCESSOR_MB) == PERIOD_SECONDS
    assert quota_seconds(2 * FULL_PROCESSOR_MB) == PERIOD_SECONDS
    assert quota_seconds(128) / PERIOD_SECONDS == pytest.approx(128 / 1769)


def test_whoever_used_its_share_waits_for_the_next_period() -> None:
    account = Account(left=0.004).used(0.003)
    assert not account.must_wait
    assert account.used(0.001).must_wait
    assert not account.used(0.001).next_period(0.004).must_wait


def test_what_was_not_used_is_lost() -> None:
    assert Account(left=0.004).next_period(0.004).left == pytest.approx(0.004)


@pytest.mark.parametrize("late", [0, 0.0005, 0.003, 0.017])
def test_the_rate_is_exact_however_late_a_signal_comes(late: float) -> None:
    quota, periods, used = quota_seconds(256), 1000, 0.0
    account = Account(left=quota)
    for _ in range(periods):
        burnt = 0 if account.must_wait else account.left + late
        used += burnt
        account = account.used(burnt).next_period(quota)
    assert used / periods == pytest.approx(quota, abs=(late + quota) / periods)
