"""A request that is measured is what it is called."""

from tests.bench.rounds import fault
from tests.bench.subjects import BARE, FOUND_TWICE, MISSED, WARM_REQUESTS


def test_requests_that_reach_coze_as_often_as_their_kind_says_count() -> None:
    assert fault(FOUND_TWICE, {"BatchGetItem": 1 + WARM_REQUESTS}) is None
    assert fault(MISSED, {"exchange": 1 + WARM_REQUESTS}) is None


def test_a_row_that_went_stale_is_no_hit_and_a_token_that_was_found_no_exchange() -> None:
    assert fault(FOUND_TWICE, {"exchange": 1}) == "cold table hit: 1 exchanges, and not 0"
    assert fault(MISSED, {"exchange": WARM_REQUESTS}) is not None


def test_what_is_measured_for_comparison_may_exchange_as_it_likes() -> None:
    assert fault(BARE, {"exchange": 5}) is None
