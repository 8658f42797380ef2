"""What to do about a row: a table of the rules, and what holds for every row there could be."""

from dataclasses import replace
from itertools import product

import pytest
from coze_sts.access_token import AccessToken, State, min_left, outlives, state
from coze_sts.cache.decision import (
    FORCED_INTERVAL_SECONDS,
    LEASE_SECONDS,
    MAX_BACK_OFF_SECONDS,
    TAKE_OVER_SECONDS,
    UNKNOWN_KEY,
    Lead,
    Wait,
    choose,
)
from coze_sts.cache.operations import Seen, Served, Source
from coze_sts.errors import SlowDown, StsError, UpstreamRejected, UpstreamUnavailable
from hypothesis import example, given
from hypothesis import strategies as st

from tests.factories import NOW, make_token

TOKEN = make_token()
AGES = {"fresh": 0, "stale": 2200, "grace": 3590, "last": 3597, "expired": 3700}
"""Seconds after the issue of a token that lives an hour and must live five minutes more."""

LEASES = {"free": None, "held": 5.0, "ended": -1.9, "dead": -2.1, "absurd": 14.1}
"""When the lease ends, in seconds from now."""

BACK_OFFS = {
    "none": {},
    "over": {"retry_at": -0.1, "hold_until": -0.1},
    "session": {"retry_at": 3.2},
    "fleet": {"hold_until": 3.2},
    "absurd": {"retry_at": 302.1, "hold_until": 302.1},
}


def row(
    *, token: str = "none", lease: str = "free", back_off: str = "none", now: float = NOW
) -> Seen:
    """A row of the three dimensions by which a decision is made, with its token's age at `now`."""
    aged = TOKEN if token == "none" else issued(now - AGES[token])
    ends = LEASES[lease]
    waits = {name: ms(now + left) for name, left in BACK_OFFS[back_off].items()}
    return Seen(
        token=None if token == "none" else aged,
        lease_id=None if ends is None else "other",
        lease_until=0 if ends is None else ms(now + ends),
        gen=7,
        **waits,
    )


def issued(at: float) -> AccessToken:
    shift = int(at) - NOW
    moved = {name: getattr(TOKEN, name) + shift for name in ("issued_at", "expires_at")}
    return replace(TOKEN, refresh_at=TOKEN.refresh_at + shift, **moved)


def ms(seconds: float) -> int:
    return round(seconds * 1000)


def decision(seen: Seen, *, now: float = NOW, rejected: str | None = None) -> str:
    """One word for what is done, or the class of the error."""
    try:
        chosen = choose(seen, now=now, rejected=rejected)
    except StsError as error:
        return type(error).__name__
    if isinstance(chosen, Lead):
        assert chosen == Lead(over=seen.lease_id, seen_gen=None)
        return "lead"
    if isinstance(chosen, Wait):
        return "wait"
    assert chosen.token is seen.token
    return {Source.TABLE: "serve", Source.STALE: "serve stale"}[chosen.source]


FAILS = UpstreamUnavailable.__name__
RULES = {
    # token: (nobody at it, somebody at it, Coze to be left alone)
    "none": ("lead", "wait", FAILS),
    "fresh": ("serve", "serve", "serve"),
    "stale": ("lead", "serve stale", "serve stale"),
    "grace": ("lead", "wait", "serve stale"),
    "last": ("lead", "wait", FAILS),
    "expired": ("lead", "wait", FAILS),
}


@pytest.mark.parametrize(("token", "lease", "back_off"), [*product(RULES, LEASES, BACK_OFFS)])
def test_a_row_is_decided_by_its_token_its_lease_and_its_back_off(
    token: str, lease: str, back_off: str
) -> None:
    free, held, failing = RULES[token]
    expected = held if lease in ("held", "ended") else free
    if back_off in ("session", "fleet"):
        expected = failing
    assert decision(row(token=token, lease=lease, back_off=back_off)) == expected


def test_where_there_is_no_row_there_is_nobody_to_wait_for() -> None:
    assert choose(Seen(), now=NOW, rejected=None) == Lead(over=None, seen_gen=None)


def test_a_back_off_names_the_seconds_that_are_left() -> None:
    for back_off in ("session", "fleet"):
        with pytest.raises(UpstreamUnavailable) as refused:
            choose(row(back_off=back_off), now=NOW, rejected=None)
        assert refused.value.retry_after == 4


@pytest.mark.parametrize(
    "noted",
    [
        {"error": UpstreamRejected.code, "retry_at": ms(NOW + 9)},
        {"hold_error": UNKNOWN_KEY, "hold_until": ms(NOW + 9)},
    ],
)
def test_what_the_operator_must_mend_is_no_passing_failure(noted: dict[str, int | str]) -> None:
    with pytest.raises(UpstreamRejected):
        choose(Seen(**noted), now=NOW, rejected=None)


def test_a_damaged_token_is_replaced_although_it_says_that_it_is_fresh() -> None:
    damaged = replace(row(), damaged=True)
    assert choose(damaged, now=NOW, rejected=None) == Lead(over=None, seen_gen=7)


@pytest.mark.parametrize("age", ["fresh", "stale", "grace"])
def test_a_rejected_token_is_replaced_at_once_and_never_served(age: str) -> None:
    seen, digest = row(token=age), TOKEN.sha256
    assert choose(seen, now=NOW, rejected=digest) == Lead(over=None, seen_gen=7)
    assert choose(row(token=age, lease="held"), now=NOW, rejected=digest) == Wait()
    assert decision(row(token=age, back_off="session"), rejected=digest) == FAILS
    assert decision(row(token="fresh"), rejected="0" * 64) == "serve"


@pytest.mark.parametrize("age", [0, FORCED_INTERVAL_SECONDS - 0.5, FORCED_INTERVAL_SECONDS])
def test_rejecting_what_replaced_a_rejected_token_is_refused_for_a_minute(age: float) -> None:
    seen = Seen(token=replace(TOKEN, forced=True), gen=7)
    if age == FORCED_INTERVAL_SECONDS:
        assert isinstance(choose(seen, now=NOW + age, rejected=TOKEN.sha256), Lead)
        return
    with pytest.raises(SlowDown) as refused:
        choose(seen, now=NOW + age, rejected=TOKEN.sha256)
    assert refused.value.retry_after == (60 if age == 0 else 1)
    assert choose(seen, now=NOW + age, rejected=None).source is Source.TABLE


MS = st.integers(ms(NOW - 400), ms(NOW + 400)) | st.integers(-(2**40), 2**62)
TOKENS = st.builds(
    lambda lifetime, age, forced: make_token(
        issued_at=int(NOW - age),
        expires_at=int(NOW - age) + lifetime,
        refresh_at=int(NOW - age) + lifetime * 6 // 10,
        forced=forced,
    ),
    st.integers(55, 86399),
    st.floats(0, 90000) | st.floats(0, 100),
    st.booleans(),
)
ROWS = st.builds(
    Seen,
    token=st.none() | TOKENS,
    damaged=st.booleans(),
    lease_id=st.none() | st.just("other"),
    lease_until=MS,
    retry_at=MS | st.just(0),
    fail_n=st.integers(0, 99),
    error=st.sampled_from([None, UpstreamRejected.code, "temporarily_unavailable"]),
    gen=st.integers(1, 9),
    hold_until=MS | st.just(0),
    hold_error=st.sampled_from([None, UNKNOWN_KEY, "temporarily_unavailable"]),
)
REJECTED = st.sampled_from([None, TOKEN.sha256, "0" * 64])


@given(ROWS, REJECTED)
def test_what_is_served_is_never_rejected_expired_or_short_without_a_failure(
    seen: Seen, rejected: str | None
) -> None:
    try:
        chosen = choose(seen, now=NOW, rejected=rejected)
    except StsError:
        return
    if isinstance(chosen, Served):
        token = chosen.token
        assert outlives(token, now=NOW)
        assert token.sha256 != rejected
        failing = any(0 < until / 1000 - NOW < 303 for until in (seen.retry_at, seen.hold_until))
        long = token.expires_at - NOW >= min_left(token.expires_at - token.issued_at)
        assert long or failing


@given(ROWS, REJECTED)
def test_nobody_asks_coze_for_a_fresh_row_or_against_a_lease_that_may_live(
    seen: Seen, rejected: str | None
) -> None:
    try:
        chosen = choose(seen, now=NOW, rejected=rejected)
    except StsError:
        return
    if isinstance(chosen, Lead):
        unwanted = seen.token is not None and seen.token.sha256 == rejected
        assert unwanted or state(seen.token, now=NOW) is not State.FRESH
        assert chosen.over == seen.lease_id
        assert (chosen.seen_gen is not None) == (unwanted or seen.damaged)
        left = seen.lease_until / 1000 - NOW
        may_live = -TAKE_OVER_SECONDS <= left <= LEASE_SECONDS + TAKE_OVER_SECONDS
        assert seen.lease_id is None or not may_live


@given(ROWS)
def test_a_stale_token_is_served_or_renewed_whatever_else_the_row_says(seen: Seen) -> None:
    """So a renewal that fails changes nothing for anybody."""
    if seen.token is not None and state(seen.token, now=NOW) is State.STALE:
        chosen = choose(seen, now=NOW, rejected=None)
        assert isinstance(chosen, Lead) or chosen == Served(token=seen.token, source=Source.STALE)


FOREVER = 2 * (LEASE_SECONDS + MAX_BACK_OFF_SECONDS + 3 * TAKE_OVER_SECONDS + 1)
"""What is absurdly far ahead blocks nobody now, but may later, when it is near."""


@given(ROWS, REJECTED)
@example(Seen(lease_id="other", lease_until=2**62, retry_at=2**62, hold_until=2**62), None)
@example(Seen(lease_id="other", lease_until=ms(NOW + 14), retry_at=ms(NOW + 302)), None)
def test_no_row_whatever_stands_in_a_sessions_way_for_long(
    seen: Seen, rejected: str | None
) -> None:
    """Who comes back now and then gets to Coze: a row that nobody touches ends each wait."""
    for later in range(FOREVER):
        try:
            if not isinstance(choose(seen, now=NOW + later, rejected=rejected), Wait):
                return
        except StsError:
            continue
    pytest.fail("still waiting")


def test_a_lease_blocks_for_no_longer_than_itself_and_the_clocks_differ() -> None:
    held = Seen(lease_id="other", lease_until=ms(NOW + LEASE_SECONDS))
    dead_at = NOW + LEASE_SECONDS + TAKE_OVER_SECONDS
    assert choose(held, now=dead_at, rejected=None) == Wait()
    assert choose(held, now=dead_at + 0.001, rejected=None) == Lead(over="other", seen_gen=None)
