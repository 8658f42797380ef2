"""policy.schema.json, by which editors go, accepts the documents that the parser accepts."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coze_sts.errors import Misconfigured
from coze_sts.issuers import ISSUER
from coze_sts.policy import parse_policy
from coze_sts.settings import (
    ID,
    MAX_DURATION_SECONDS,
    MAX_PER_DAY,
    MIN_DURATION_SECONDS,
    ORIGIN,
    PERMISSION,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

LAYER = Path(__file__).parents[1] / "layers" / "coze_sts"
SCHEMA = json.loads((LAYER / "policy.schema.json").read_text(encoding="utf-8"))


def matches(_validator: Any, pattern: str, text: Any, _schema: Any) -> Iterator[ValidationError]:
    """The keyword `pattern`: JSON Schema's `$` is ECMAScript's, which is the end and no newline."""
    if isinstance(text, str) and not re.search(pattern.replace("$", r"\Z"), text):
        yield ValidationError("does not match")


VALIDATOR = extend(Draft202012Validator, {"pattern": matches})(SCHEMA)


def parser_accepts(document: Any) -> bool:
    try:
        parse_policy(json.dumps(document))
    except Misconfigured:
        return False
    return True


def matching(pattern: re.Pattern[str]) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


SCOPE = ("bot_ids", "permissions")

per_day = st.integers(1, MAX_PER_DAY)
scopes = st.just({}) | st.fixed_dictionaries(
    {
        "bot_ids": st.lists(matching(ID), min_size=1, max_size=3),
        "permissions": st.lists(matching(PERMISSION), min_size=1, max_size=3),
    }
)
numbers = {
    "token_duration_seconds": st.integers(MIN_DURATION_SECONDS, MAX_DURATION_SECONDS),
    "tokens_per_session": per_day,
}
of_origins = {
    "guests": st.booleans(),
    "new_guests_per_address": per_day,
    "new_guests_per_origin": per_day,
}


def rules(optional: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    others = st.fixed_dictionaries({}, optional=optional)
    return st.builds(lambda scope, other: scope | other, scopes, others)


policies = st.fixed_dictionaries(
    {},
    optional={
        "$schema": st.text(),
        "origins": st.dictionaries(matching(ORIGIN), rules(numbers | of_origins), max_size=3),
        "issuers": st.dictionaries(matching(ISSUER), rules(numbers), max_size=3),
    },
)

KEYS = [*numbers, *of_origins, *SCOPE, "origins", "issuers", "$schema", "guest"]
NUMBERS = [
    *(MIN_DURATION_SECONDS - 1, MIN_DURATION_SECONDS, 60.0, 60.5, 1e300, 10**30, -1, 0, 1, True),
    *(MAX_DURATION_SECONDS, MAX_DURATION_SECONDS + 1, MAX_PER_DAY, MAX_PER_DAY + 1, None),
]
TEXTS = [
    *(
        "",
        "7\n",
        " 7",
        "a" * 64,
        "a" * 65,
        "a.b",
        "a:b",
        "ä",
        "https://a.example",
        "http://[::1]:1",
    ),
    *("https://a.example/", "https://A.example", "https://a.example:65536", "https://a.example\n"),
]
keys = st.sampled_from([*KEYS, *TEXTS]) | st.text(max_size=8)
junk = st.recursive(
    st.sampled_from([*NUMBERS, *TEXTS]) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=4,
)


def containers(document: Any) -> list[Any]:
    """The document and every object and list in it."""
    if not isinstance(document, dict | list):
        return []
    inner = document.values() if isinstance(document, dict) else document
    return [document, *(found for value in inner for found in containers(value))]


def mutate(draw: st.DrawFn, place: Any) -> None:
    """Takes something out of an object or a list, puts something in, or both."""
    if isinstance(place, list):
        place[draw(st.integers(0, len(place))) :] = draw(st.lists(junk, max_size=2))
        return
    there = list(place)
    taken = place.pop(draw(st.sampled_from(there))) if there and draw(st.booleans()) else None
    if draw(st.booleans()):
        place[draw(keys | st.sampled_from([*there, *KEYS]))] = draw(junk | st.just(taken))


@st.composite
def mutants(draw: st.DrawFn) -> Any:
    document = draw(policies)
    for _ in range(draw(st.integers(1, 3))):
        mutate(draw, draw(st.sampled_from(containers(document))))
    return document


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@given(policies)
def test_a_good_policy_is_good_for_both(document: Any) -> None:
    assert VALIDATOR.is_valid(document)
    assert parser_accepts(document)


@settings(max_examples=500)
@given(mutants())
def test_both_accept_the_same_documents(document: Any) -> None:
    assert VALIDATOR.is_valid(document) == parser_accepts(document)


@pytest.mark.parametrize("section", ["origins", "issuers"])
@pytest.mark.parametrize("key", sorted({*numbers, *of_origins, *SCOPE}))
def test_both_know_the_same_bounds(section: str, key: str) -> None:
    scope = {name: ["x"] for name in SCOPE} if key in SCOPE else {}
    for value in [*NUMBERS, *TEXTS, *([text] for text in TEXTS), [], {}, [7]]:
        document = {section: {"https://a.example": scope | {key: value}}}
        assert VALIDATOR.is_valid(document) == parser_accepts(document), document


@pytest.mark.parametrize("section", ["origins", "issuers"])
def test_both_know_the_same_names(section: str) -> None:
    for name in TEXTS:
        document = {section: {name: {}}}
        assert VALIDATOR.is_valid(document) == parser_accepts(document), document
