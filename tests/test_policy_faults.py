"""What is wrong with a policy: every fault at once, each with its place and without its value."""

import json
from typing import Any

import pytest
from coze_sts.errors import Misconfigured
from coze_sts.policy import parse_policy
from coze_sts.settings import ID, ORIGIN

from tests.factories import CANARY, everything_told

SHOP = "https://shop.example"
BLOG = "https://blog.example"
LOGIN = "https://login.example/"


def faults(document: Any) -> list[str]:
    return told(document if isinstance(document, str) else json.dumps(document)).splitlines()


def told(text: str) -> str:
    with pytest.raises(Misconfigured) as refused:
        parse_policy(text)
    assert CANARY not in everything_told(refused.value)
    return str(refused.value)


def test_all_faults_are_named_at_once_each_with_its_place() -> None:
    document = {
        "$schema": 1,
        "origins": {
            SHOP: {"guest": True, "guests": "on", "bot_ids": ["7", 7401]},
            "shop.example": {"permissions": []},
        },
        "issuers": {LOGIN: {"guests": True, "token_duration_seconds": 59}},
        "bots": {},
    }
    both = "needs both bot_ids and permissions, or neither"
    at_shop, bare, at_login = f"origins → {SHOP}", "origins → shop.example", f"issuers → {LOGIN}"
    assert sorted(faults(document)) == sorted(
        f"policy.json → {fault}."
        for fault in (
            "$schema: must be a text in quotes",
            "bots: unknown key",
            f"{at_shop} → guest: unknown key",
            f"{at_shop} → guests: must be true or false",
            f"{at_shop} → bot_ids → item 2: must be a text in quotes that matches {ID.pattern}",
            f"{at_shop}: {both}",
            f"{bare}: does not match {ORIGIN.pattern}",
            f"{bare} → permissions: must be a list that is not empty",
            f"{bare}: {both}",
            f"{at_login} → guests: unknown key",
            f"{at_login} → token_duration_seconds: must be a whole number from 60 to 86399",
        )
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"origins": {}, "origins": {}}', "policy.json → origins"),
        (f'{{"origins": {{"{SHOP}": {{}}, "{SHOP}": {{}}}}}}', f"policy.json → origins → {SHOP}"),
        (
            f'{{"issuers": {{"{LOGIN}": {{"tokens_per_session": 1, "tokens_per_session": 1}}}}}}',
            f"policy.json → issuers → {LOGIN} → tokens_per_session",
        ),
        # The same key, written in two ways.
        ('{"origins": {}, "\\u006frigins": {}}', "policy.json → origins"),
    ],
)
def test_a_key_that_stands_twice_is_refused_at_every_depth(text: str, place: str) -> None:
    assert faults(text) == [f"{place}: is there more than once."]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-0", "true", '"60"'])
@pytest.mark.parametrize("key", ["token_duration_seconds", "tokens_per_session"])
def test_what_is_no_whole_number_is_refused(key: str, number: str) -> None:
    (fault,) = faults(f'{{"issuers": {{"{LOGIN}": {{"{key}": {number}}}}}}}')
    assert f"{key}: must be a whole number" in fault


@pytest.mark.parametrize("where", ['"$schema": {}', '"origins": {}', '"issuers": {}', '"x": {}'])
def test_nan_is_refused_wherever_it_stands(where: str) -> None:
    assert faults("{" + where.format("NaN") + "}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1, column 1: Expecting value."),
        ('{\n "origins": {},,}', "line 2, column 16: "),
        ('{"origins": {}} {}', "Extra data."),
        ("\ufeff{}", "BOM"),
        ("[" * 100_000, "is nested too deeply."),
        ('{"origins": ' + "9" * 5000 + "}", "a number has too many digits."),
        ("[]", "policy.json: must be an object."),
        ("null", "policy.json: must be an object."),
        (f'{{"origins": "{CANARY}"}}', "policy.json → origins: must be an object."),
        (f'"{CANARY}', "line 1, column 1: Unterminated string starting at."),
    ],
)
def test_what_is_no_json_object_is_refused_with_its_place(text: str, fault: str) -> None:
    (line,) = faults(text)
    assert fault in line


def test_a_value_is_never_quoted_and_a_key_only_as_far_as_a_name_goes() -> None:
    rule = dict.fromkeys(["bot_ids", "permissions", "guests", "tokens_per_session"], CANARY)
    told(json.dumps({"$schema": [CANARY], "origins": {SHOP: rule, BLOG: CANARY}}))
    told(json.dumps({"x" * 100 + CANARY: 1}))


def test_a_key_that_cannot_be_read_is_shown_escaped() -> None:
    """A letter of another alphabet looks right, and a control character writes to a terminal."""
    assert faults({"\u043erigins\n\x1b": {}}) == [
        "policy.json → \\u043erigins\\n\\x1b: unknown key."
    ]
