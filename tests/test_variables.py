"""Variables are read one by one, and every fault is kept until all are read."""

import re

import pytest
from coze_sts.variables import Variables
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import CANARY

WORD = re.compile(r"[a-z]+")
READS = {
    "required": lambda variables: variables.required("X"),
    "matching": lambda variables: variables.matching("X", WORD),
    "listed": lambda variables: variables.listed("X", WORD),
    "choice": lambda variables: variables.choice("X", "off", "on"),
    "url": lambda variables: variables.url("X"),
    "number": lambda variables: variables.number("X", default=5, most=9),
}
NOTHING = {"required": "", "matching": None, "listed": (), "choice": False, "url": None}


def one(text: str) -> Variables:
    return Variables({"X": text})


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("text", [None, "", " ", "\t\n"])
def test_what_is_empty_is_not_set(read: str, text: str | None) -> None:
    variables = Variables({} if text is None else {"X": text})
    assert READS[read](variables) == NOTHING.get(read, 5)
    assert variables.faults == (["X is not set."] if read == "required" else [])
    assert variables.text("X") is None


@pytest.mark.parametrize("read", sorted(set(READS) - {"required"}))
def test_a_bad_value_becomes_one_sentence_that_names_it_and_does_not_quote_it(read: str) -> None:
    variables = one(f"{CANARY} ?")
    READS[read](variables)
    (fault,) = variables.faults
    assert "X" in fault
    assert CANARY not in fault


def test_the_faults_of_all_variables_are_kept_in_the_order_they_were_read() -> None:
    variables = Variables({"A": "1", "B": "ok", "C": "maybe"})
    variables.matching("A", WORD)
    variables.matching("B", WORD)
    variables.required("M")
    variables.choice("C", "off", "on")
    assert variables.faults == [
        "A must match [a-z]+.",
        "M is not set.",
        "C must be off or on.",
    ]


def test_blanks_around_a_value_and_between_items_are_not_part_of_it() -> None:
    assert one(" abc\n").matching("X", WORD) == "abc"
    assert one(" a , b,, c,").listed("X", WORD) == ("a", "b", "c")
    assert one(" on ").choice("X", "off", "on")


@pytest.mark.parametrize("text", ["abc1", "1abc", "abc\nabc", "ab c"])
def test_a_value_matches_from_end_to_end(text: str) -> None:
    variables = one(text)
    variables.matching("X", WORD)
    variables.listed("X", WORD)
    assert len(variables.faults) == 2


def test_of_two_words_the_first_is_the_default() -> None:
    for text, chosen in (("off", False), ("on", True)):
        variables = one(text)
        assert (variables.choice("X", "off", "on"), variables.faults) == (chosen, [])


@given(st.integers(-3, 13))
def test_a_number_lies_within_its_bounds_which_are_included(number: int) -> None:
    variables = one(str(number))
    read = variables.number("X", default=5, least=2, most=9)
    inside = 2 <= number <= 9
    assert bool(variables.faults) != inside
    assert read == number or not inside


@pytest.mark.parametrize("text", ["+5", "5.0", "5e0", "0x5", "５", "²", "5_0", "٣", "5" * 5000])
def test_a_number_is_plain_ascii_digits(text: str) -> None:
    variables = one(text)
    variables.number("X", default=5, most=10**9)
    assert variables.faults == ["X must be a whole number from 1 to 1000000000."]


def test_the_base_of_an_api_is_an_origin_and_nothing_more() -> None:
    assert one("https://API.example/").url("X") == "https://api.example"
    for text in ("ftp://api.example", "api.example", "https://api.example/path"):
        variables = one(text)
        assert variables.url("X") is None
        assert len(variables.faults) == 1
