"""What may be done with a token at a given time."""

import hashlib

import pytest
from coze_sts.access_token import (
    LAST_SECONDS,
    MIN_LIFETIME_SECONDS,
    AccessToken,
    State,
    from_grant,
    min_left,
    outlives,
    state,
)
from coze_sts.errors import UpstreamRejected
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW, make_token

LIFETIMES = st.integers(MIN_LIFETIME_SECONDS, 86399)
VALUES = st.text("abcdefghij", min_size=1, max_size=12)


def granted(
    value: str = "czs_one",
    *,
    sent_at: float = NOW,
    granted_until: int = NOW + 3600,
    duration_seconds: int = 3600,
) -> AccessToken:
    return from_grant(
        value,
        kid="kid-1",
        sent_at=sent_at,
        granted_until=granted_until,
        duration_seconds=duration_seconds,
    )


@pytest.mark.parametrize(
    ("lifetime", "least"), [(60, 10), (100, 10), (101, 10.1), (3600, 300), (86399, 300)]
)
def test_a_tenth_of_the_life_must_be_left_from_10_s_to_5_minutes(
    lifetime: int, least: float
) -> None:
    assert min_left(lifetime) == pytest.approx(least)


@given(VALUES, LIFETIMES, LIFETIMES)
def test_a_token_expires_when_coze_says_so_and_no_later_than_was_asked(
    value: str, asked: int, given_life: int
) -> None:
    token = granted(value, granted_until=NOW + given_life, duration_seconds=asked)
    lifetime = min(asked, given_life)
    assert token.expires_at == NOW + lifetime
    assert 0.6 * lifetime - 1 < token.refresh_at - NOW <= 0.6667 * lifetime
    assert token.refresh_at <= token.expires_at - min_left(lifetime)


def test_the_time_of_issue_is_the_whole_second_in_which_the_exchange_was_sent() -> None:
    token = granted(sent_at=NOW + 0.999)
    assert (token.issued_at, token.expires_at) == (NOW, NOW + 3600)


def test_sessions_minted_together_do_not_renew_together() -> None:
    moments = {granted(f"czs_{n}").refresh_at for n in range(100)}
    assert len(moments) > 50
    assert granted().refresh_at == granted().refresh_at


@pytest.mark.parametrize("lifetime", [54, 0, -3600, -NOW])
def test_a_grant_too_short_to_be_of_use_is_refused(lifetime: int) -> None:
    with pytest.raises(UpstreamRejected, match="was refused") as refused:
        granted(granted_until=NOW + lifetime)
    assert f"lives {lifetime} s" in (refused.value.operator or "")


def test_the_shortest_useful_grant_is_accepted() -> None:
    assert state(granted(granted_until=NOW + 55), now=NOW) is State.FRESH


def test_the_states_change_at_refresh_and_where_too_little_is_left() -> None:
    token = make_token(lifetime=3600)
    assert state(token, now=token.refresh_at - 0.001) is State.FRESH
    assert state(token, now=token.refresh_at) is State.STALE
    assert state(token, now=token.expires_at - 300) is State.STALE
    assert state(token, now=token.expires_at - 299.999) is State.INVALID
    assert state(None, now=0) is State.INVALID


@given(LIFETIMES, st.lists(st.floats(0, 90_000), min_size=2, max_size=9))
def test_a_token_only_ever_grows_older(lifetime: int, ages: list[float]) -> None:
    token = granted(granted_until=NOW + lifetime, duration_seconds=lifetime)
    order = [State.FRESH, State.STALE, State.INVALID]
    passed = [order.index(state(token, now=NOW + age)) for age in sorted(ages)]
    assert passed == sorted(passed)


@given(LIFETIMES, st.floats(0, 90_000))
def test_what_is_served_has_enough_left(lifetime: int, age: float) -> None:
    token = granted(granted_until=NOW + lifetime, duration_seconds=lifetime)
    if state(token, now=NOW + age) is not State.INVALID:
        assert token.expires_at - (NOW + age) >= min_left(lifetime) >= 10


def test_a_token_outlives_a_failed_renewal_until_its_last_five_seconds() -> None:
    token = make_token()
    assert LAST_SECONDS == 5
    assert outlives(token, now=token.expires_at - 5)
    assert not outlives(token, now=token.expires_at - 4.999)


def test_a_token_is_named_by_its_digest_and_never_shown() -> None:
    token = make_token("czs_one")
    assert token.sha256 == hashlib.sha256(b"czs_one").hexdigest()
    assert "czs_one" not in repr(token) + str(token)
