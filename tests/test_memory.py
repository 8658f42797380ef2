"""Tokens in the memory of one process."""

from coze_sts.access_token import LAST_SECONDS, outlives, state
from coze_sts.cache.memory import MAX_TOKENS, TokenMemory
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW, make_token


def test_a_fresh_token_is_held_for_a_minute() -> None:
    memory, token = TokenMemory(), make_token()
    memory.put("a", token, now=NOW)
    assert memory.get("a", now=NOW + 59.9) is token
    assert memory.get("a", now=NOW + 60) is None
    assert memory.get("a", now=NOW) is None, "what has run out is gone"


def test_a_fresh_token_is_held_no_longer_than_it_is_fresh() -> None:
    memory, token = TokenMemory(), make_token()
    memory.put("a", token, now=token.refresh_at - 10)
    assert memory.get("a", now=token.refresh_at - 0.1) is token
    assert memory.get("a", now=token.refresh_at) is None


def test_a_stale_token_is_held_for_five_seconds() -> None:
    memory, token = TokenMemory(), make_token()
    memory.put("a", token, now=token.refresh_at)
    assert memory.get("a", now=token.refresh_at + 4.9) is token
    assert memory.get("a", now=token.refresh_at + 5) is None


def test_a_stale_token_is_held_until_only_a_failure_would_excuse_it() -> None:
    memory, token = TokenMemory(), make_token()
    invalid_at = token.expires_at - 300
    memory.put("a", token, now=invalid_at - 3)
    assert memory.get("a", now=invalid_at - 0.1) is token
    assert memory.get("a", now=invalid_at) is None


def test_a_token_that_a_failure_excused_is_held_for_five_seconds_but_the_last() -> None:
    memory, token = TokenMemory(), make_token()
    memory.put("a", token, now=token.expires_at - 60)
    assert memory.get("a", now=token.expires_at - 55.1) is token
    memory.put("a", token, now=token.expires_at - 8)
    assert memory.get("a", now=token.expires_at - 5.1) is token
    assert memory.get("a", now=token.expires_at - 5) is None


@given(st.integers(55, 86399), st.floats(0, 1), st.floats(0, 70))
def test_memory_serves_nothing_of_which_more_should_be_left(
    lifetime: int, used: float, later: float
) -> None:
    memory, token = TokenMemory(), make_token(lifetime=lifetime)
    put_at = NOW + used * (lifetime - LAST_SECONDS)
    memory.put("a", token, now=put_at)
    if memory.get("a", now=put_at + later) is not None:
        assert outlives(token, now=put_at + later)
        was, is_now = state(token, now=put_at), state(token, now=put_at + later)
        assert is_now is was, "FRESH until it is STALE, STALE until it is INVALID"


def test_a_key_finds_its_own_token_and_no_other() -> None:
    memory, one, two = TokenMemory(), make_token("czs_one"), make_token("czs_two")
    memory.put("a", one, now=NOW)
    memory.put("b", two, now=NOW)
    assert (memory.get("a", now=NOW), memory.get("b", now=NOW)) == (one, two)
    assert memory.get("c", now=NOW) is None


def test_a_newer_token_takes_the_place_of_the_older() -> None:
    memory = TokenMemory()
    memory.put("a", make_token("czs_one"), now=NOW)
    memory.put("a", make_token("czs_two"), now=NOW)
    assert memory.get("a", now=NOW) == make_token("czs_two")


def test_the_token_that_was_used_longest_ago_makes_room() -> None:
    memory = TokenMemory(max_tokens=2)
    for key in ("a", "b"):
        memory.put(key, make_token(), now=NOW)
    memory.get("a", now=NOW)
    memory.put("c", make_token(), now=NOW)
    assert [memory.get(key, now=NOW) is not None for key in "abc"] == [True, False, True]


def test_memory_has_a_bound() -> None:
    memory = TokenMemory()
    for number in range(2 * MAX_TOKENS):
        memory.put(str(number), make_token(), now=NOW)
    held = sum(memory.get(str(n), now=NOW) is not None for n in range(2 * MAX_TOKENS))
    assert held == MAX_TOKENS == 512


def test_what_was_forgotten_is_not_served() -> None:
    memory = TokenMemory()
    for key in ("a", "b", "c"):
        memory.put(key, make_token(), now=NOW)
    memory.forget("a")
    memory.forget("never there")
    assert [memory.get(key, now=NOW) is not None for key in "abc"] == [False, True, True]
    memory.clear()
    assert [memory.get(key, now=NOW) is not None for key in "abc"] == [False] * 3
