"""What a day may bring at most, unless the operator says otherwise."""

from __future__ import annotations

import pytest
from coze_sts.cache.row import DAY_SECONDS
from coze_sts.settings import MAX_PER_DAY

from tests.local import template

PARAMETERS = template.source()["Parameters"]
DAILY = ["NewGuestsPerAddress", "NewGuestsPerOrigin", "TokensPerSession", "ExchangesPerDay"]
RENEWED_AFTER = 0.6
"""The part of a token's life that is over at its renewal, or more."""


@pytest.mark.parametrize("name", DAILY)
def test_a_daily_limit_can_be_raised_and_never_taken_away(name: str) -> None:
    assert (PARAMETERS[name]["MinValue"], PARAMETERS[name]["MaxValue"]) == (1, MAX_PER_DAY)


def test_one_address_cannot_use_up_what_the_whole_site_has() -> None:
    guests, tokens, site = (
        PARAMETERS[name]["Default"]
        for name in ("NewGuestsPerAddress", "TokensPerSession", "ExchangesPerDay")
    )
    assert guests * tokens < site


def test_a_page_that_is_open_all_day_stays_within_the_limit_of_its_session() -> None:
    seconds = RENEWED_AFTER * PARAMETERS["TokenDurationSeconds"]["Default"]
    assert PARAMETERS["TokensPerSession"]["Default"] > DAY_SECONDS / seconds
