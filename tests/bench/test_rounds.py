"""A request that is measured is what it is called."""

import pytest

from tests.bench.outside import Wrong
from tests.bench.rounds import check
from tests.bench.subjects import BARE, FOUND_TWICE, MISSED, WARM_REQUESTS


def test_requests_that_reach_coze_as_often_as_their_kind_says_count() -> None:
    check(FOUND_TWICE, {"BatchGetItem": 1 + WARM_REQUESTS})
    check(MISSED, {"exchange": 1 + WARM_REQUESTS})


def test_a_row_that_went_stale_is_no_hit_and_a_token_that_was_found_no_exchange() -> None:
    with pytest.raises(Wrong, match="1 exchanges, and not 0"):
        check(FOUND_TWICE, {"exchange": 1})
    with pytest.raises(Wrong):
        check(MISSED, {"exchange": WARM_REQUESTS})


def test_what_is_measured_for_comparison_may_exchange_as_it_likes() -> None:
    check(BARE, {"exchange": 5})
