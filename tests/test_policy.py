"""The policy: strict rules for single origins and issuers, and the narrower one wins."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from coze_sts.errors import AccessDenied, Misconfigured
from coze_sts.issuers import Issuer
from coze_sts.policy import NO_POLICY, POLICY_PATH, Policy, parse_policy, read_policy
from coze_sts.settings import MAX_PER_DAY, Settings
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import CANARY, everything_told, make_settings

LAYER = Path(__file__).parents[1] / "layers" / "coze_sts"
SHOP = "https://shop.example"
BLOG = "https://blog.example"
LOGIN = "https://login.example/"
ALL = make_settings(allowed_origins=(SHOP, BLOG), issuers=(Issuer(url=LOGIN),), guest_sessions=True)
SCOPE = {"bot_ids": ["7", "8"], "permissions": ["chat", "Connector.botChat"]}


def policy(**sections: Any) -> Policy:
    return parse_policy(json.dumps(sections))


def ruled(rules: Policy, *, origin: str | None = SHOP, issuer: str | None = LOGIN) -> Settings:
    return rules.settings_for(ALL, origin=origin, issuer=issuer)


def test_every_key_of_a_rule_reaches_its_field_and_no_other() -> None:
    rule = {
        "guests": False,
        **SCOPE,
        "token_duration_seconds": 61,
        "tokens_per_session": 2,
        "new_guests_per_address": 3,
        "new_guests_per_origin": 4,
    }
    assert ruled(policy(origins={SHOP: rule})) == make_settings(
        allowed_origins=ALL.allowed_origins,
        issuers=ALL.issuers,
        guest_sessions=False,
        coze_bot_ids=("7", "8"),
        coze_permissions=("chat", "Connector.botChat"),
        token_duration_seconds=61,
        tokens_per_session=2,
        new_guests_per_address=3,
        new_guests_per_origin=4,
    )


def test_a_rule_holds_for_its_own_origin_or_issuer_only() -> None:
    rules = policy(
        origins={SHOP: {"tokens_per_session": 1}}, issuers={LOGIN: {"tokens_per_session": 2}}
    )
    assert ruled(rules, issuer=None).tokens_per_session == 1
    assert ruled(rules, origin=BLOG).tokens_per_session == 2
    for origin in (None, BLOG, "", "null", SHOP.upper(), f"{SHOP}:443", f"{SHOP}/"):
        assert ruled(rules, origin=origin, issuer=None) == ALL
    for issuer in (None, LOGIN.removesuffix("/"), LOGIN.upper()):
        assert ruled(rules, origin=None, issuer=issuer) == ALL


def test_a_single_rule_may_also_allow_more_than_the_settings() -> None:
    wider = {"guests": True, "tokens_per_session": MAX_PER_DAY}
    closed = make_settings(guest_sessions=False, tokens_per_session=1)
    there = policy(origins={SHOP: wider}).settings_for(closed, origin=SHOP, issuer=None)
    assert (there.guest_sessions, there.tokens_per_session) == (True, MAX_PER_DAY)


def test_without_a_policy_nothing_changes() -> None:
    assert ruled(NO_POLICY) is ALL
    assert parse_policy("{}") == NO_POLICY
    NO_POLICY.check(ALL)


@given(st.tuples(*[st.integers(60, 86399)] * 2), st.tuples(*[st.integers(1, MAX_PER_DAY)] * 2))
def test_of_two_rules_the_smaller_number_holds(
    seconds: tuple[int, int], tokens: tuple[int, int]
) -> None:
    one, other = (
        {"token_duration_seconds": seconds[i], "tokens_per_session": tokens[i]} for i in (0, 1)
    )
    both = ruled(policy(origins={SHOP: one}, issuers={LOGIN: other}))
    assert both.token_duration_seconds == min(seconds)
    assert both.tokens_per_session == min(tokens)


def test_of_two_rules_only_what_both_allow_is_allowed() -> None:
    rules = policy(
        origins={SHOP: {"bot_ids": ["7", "8"], "permissions": ["a", "b", "c"]}},
        issuers={LOGIN: {"bot_ids": ["9", "8"], "permissions": ["c", "a", "d"]}},
    )
    both = ruled(rules)
    assert (both.coze_bot_ids, both.coze_permissions) == (("8",), ("a", "c"))
    assert ruled(rules, issuer=None).coze_bot_ids == ("7", "8")


def test_what_only_one_of_two_rules_sets_holds() -> None:
    both = ruled(policy(origins={SHOP: {"guests": False}}, issuers={LOGIN: SCOPE}))
    assert (both.guest_sessions, both.coze_bot_ids) == (False, ("7", "8"))


@pytest.mark.parametrize(
    "other", [{**SCOPE, "bot_ids": ["9"]}, {**SCOPE, "permissions": ["getMetadata"]}]
)
def test_rules_with_nothing_in_common_give_no_token_and_name_both(other: dict[str, Any]) -> None:
    """Empty lists would leave the scope out, and allow everything."""
    rules = policy(origins={SHOP: SCOPE}, issuers={LOGIN: other})
    with pytest.raises(AccessDenied) as refused:
        ruled(rules)
    assert SHOP in str(refused.value.operator)
    assert LOGIN in str(refused.value.operator)
    assert "example" not in refused.value.description


def test_a_rule_for_an_unknown_origin_or_issuer_is_refused_not_ignored() -> None:
    typo, login = "https://shpo.example", LOGIN.removesuffix("/")
    rules = policy(origins={SHOP: {}, typo: {}}, issuers={LOGIN: {}, login: {}})
    with pytest.raises(Misconfigured) as refused:
        rules.check(ALL)
    lines = str(refused.value).splitlines()
    assert [line.split(" → ")[1:] for line in lines] == [
        ["origins", f"{typo}: is not among ALLOWED_ORIGINS."],
        ["issuers", f"{login}: is no OIDC_ISSUER, to the letter."],
    ]
    policy(origins={SHOP: {}, BLOG: {}}, issuers={LOGIN: {}}).check(ALL)


def test_a_file_that_is_not_there_is_no_policy_and_one_that_cannot_be_read_is_a_fault(
    tmp_path: Path,
) -> None:
    file = tmp_path / "policy.json"
    assert read_policy(file) is NO_POLICY
    file.write_text(json.dumps({"origins": {SHOP: {"guests": False}}}), encoding="utf-8")
    assert not ruled(read_policy(file)).guest_sessions
    file.write_bytes(b'{"\xff' + CANARY.encode())
    with pytest.raises(Misconfigured, match="cannot be read: UnicodeDecodeError") as refused:
        read_policy(file)
    assert CANARY not in everything_told(refused.value)
    with pytest.raises(Misconfigured, match="cannot be read: IsADirectoryError"):
        read_policy(tmp_path)


def test_the_policy_lies_beside_the_package() -> None:
    assert LAYER / "policy.json" == POLICY_PATH


@pytest.mark.parametrize(
    ("text", "status", "line"),
    [
        ('{"origins": {}}', 0, ""),
        ('{"origin": {}}', 1, "policy.json → origin: unknown key.\n"),
        (None, 1, "policy.json is not there.\n"),
    ],
)
def test_the_build_can_check_a_file_with_the_standard_library_alone(
    tmp_path: Path, text: str | None, status: int, line: str
) -> None:
    """The wheels that a build fetches may be for another processor."""
    if text is not None:
        (tmp_path / "policy.json").write_text(text)
    checked = subprocess.run(
        [sys.executable, "-S", "-B", "-m", "coze_sts.policy", "policy.json"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(LAYER), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=60,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (status, "", line)
