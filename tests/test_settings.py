"""The environment becomes Settings once, or one error that names all that is wrong with it."""

from collections.abc import Mapping

import pytest
from coze_sts.errors import Misconfigured
from coze_sts.issuers import Issuer
from coze_sts.settings import (
    MAX_PER_DAY,
    Settings,
    from_environment,
    read_settings,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import CANARY, REQUIRED, everything_told

CHOSEN = {
    "COZE_SECRET_ID": ("arn:aws:secretsmanager:eu-west-1:1:secret:coze", None),
    "CACHE_KEY_SECRET_ID": ("cache-key", None),
    "TOKEN_TABLE": ("tokens-1", None),
    "COZE_API_BASE": ("https://API.coze.com/", "https://api.coze.com"),
    "COZE_ACCOUNT_ID": ("7400000000000000000", None),
    "SIGNING_KEY_ARN": ("arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-0a1b", None),
    "COZE_BOT_IDS": (" 7401, 7402 ,", ("7401", "7402")),
    "COZE_PERMISSIONS": ("Connector.botChat,getMetadata", ("Connector.botChat", "getMetadata")),
    "TOKEN_DURATION_SECONDS": ("86399", 86399),
    "SESSION_CLAIM": ("https://example.com/user-id", None),
    "CONNECTOR_ID": ("2001", None),
    "END_USER_QUOTA": ("on", True),
    "GUEST_SESSIONS": ("on", True),
    "ALLOWED_ORIGINS": (
        "https://www.example.com,http://localhost:3000,http://[::1]:3000",
        ("https://www.example.com", "http://localhost:3000", "http://[::1]:3000"),
    ),
    "ALLOW_NO_ORIGIN": ("on", True),
    "SESSION_NAMESPACE": ("member", None),
    "BINDING_TABLE": ("bindings-1", None),
    "NEW_GUESTS_PER_ADDRESS": ("1", 1),
    "NEW_GUESTS_PER_ORIGIN": ("2", 2),
    "TOKENS_PER_SESSION": ("3", 3),
    "EXCHANGES_PER_DAY": (str(MAX_PER_DAY), MAX_PER_DAY),
    "TURNSTILE_SECRET_ID": ("arn:aws:secretsmanager:eu-west-1:1:secret:turnstile", None),
    "TURNSTILE_API_BASE": ("http://localhost:8080", None),
    "WECHAT_SECRET_ID": ("arn:aws:secretsmanager:eu-west-1:1:secret:wechat", None),
    "WECHAT_API_BASE": ("http://localhost:8081", None),
    "API_ENDPOINT": ("https://abc123.execute-api.eu-west-1.amazonaws.com", None),
    "CANARY_BOT_ID": ("7401", None),
}
OPTIONAL = [
    *(CHOSEN.keys() - REQUIRED.keys()),
    "COZE_ENTERPRISE_ID",
    "SESSION_NAMING",
    *("OIDC_ISSUER", "OIDC_ISSUER_2", "OIDC_PREFIX_2", "OIDC_ISSUER_3", "OIDC_PREFIX_3"),
    *("OIDC_AUDIENCE", "OIDC_AUDIENCE_2", "OIDC_AUDIENCE_3"),
]
NAMES = ["BINDING_TABLE", "TURNSTILE_SECRET_ID", "WECHAT_SECRET_ID", "API_ENDPOINT"]
"""Of what only AWS can say whether it is there."""

PER_DAY = [
    *("NEW_GUESTS_PER_ADDRESS", "NEW_GUESTS_PER_ORIGIN"),
    *("TOKENS_PER_SESSION", "EXCHANGES_PER_DAY"),
]
ISSUERS = {
    "OIDC_ISSUER": "https://one.example",
    "OIDC_ISSUER_2": "https://two.example/realm",
    "OIDC_PREFIX_2": "two_",
    "OIDC_ISSUER_3": "https://three.example:8443/",
    "OIDC_PREFIX_3": "3rd:",
}


def read(**variables: str) -> Settings:
    return read_settings({**REQUIRED, **variables})


def refusal(environ: Mapping[str, str]) -> str:
    with pytest.raises(Misconfigured) as refused:
        read_settings(environ)
    return str(refused.value)


def test_every_variable_reaches_the_field_of_its_name() -> None:
    settings = read_settings({name: text for name, (text, _) in CHOSEN.items()})
    for name, (text, value) in CHOSEN.items():
        assert getattr(settings, name.lower()) == (text if value is None else value)
    assert read(COZE_ENTERPRISE_ID="e-1").coze_enterprise_id == "e-1"
    assert read(SESSION_NAMING="pseudonymous").pseudonymous


def test_the_defaults_are_the_documented_ones() -> None:
    settings = read()
    assert (settings.token_duration_seconds, settings.session_claim) == (3600, "sub")
    switches = (settings.pseudonymous, settings.end_user_quota, settings.guest_sessions)
    assert switches == (False, False, False)
    assert settings.allowed_origins == settings.issuers == settings.prefixes == ()
    assert settings.coze_api_base is None
    assert settings.session_namespace == "user"
    assert not settings.allow_no_origin
    limits = [getattr(settings, name.lower()) for name in PER_DAY]
    assert limits == [20, 2000, 60, 10_000]
    assert {getattr(settings, name.lower()) for name in NAMES} == {None}
    assert settings.turnstile_api_base == "https://challenges.cloudflare.com"
    assert settings.wechat_api_base == "https://api.weixin.qq.com"


@given(st.dictionaries(st.sampled_from(sorted(OPTIONAL)), st.sampled_from(["", " ", "\n"])))
def test_an_empty_variable_is_not_set(empty: dict[str, str]) -> None:
    assert read(**empty) == read()


def test_all_faults_are_named_at_once() -> None:
    told = refusal({"TOKEN_DURATION_SECONDS": "59", "GUEST_SESSIONS": "yes", "COZE_BOT_IDS": "1"})
    for name in (*REQUIRED, "TOKEN_DURATION_SECONDS", "GUEST_SESSIONS", "COZE_PERMISSIONS"):
        assert name in told


@pytest.mark.parametrize("name", sorted(set(OPTIONAL) - set(NAMES)))
def test_a_bad_value_is_named_but_never_quoted(name: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        read(**{name: f"{CANARY} \u2100 * ?"})
    assert name in str(refused.value)
    assert CANARY not in everything_told(refused.value)


@pytest.mark.parametrize("name", sorted(REQUIRED))
@pytest.mark.parametrize("value", ["", "  "])
def test_what_the_stack_must_name_has_no_default(name: str, value: str) -> None:
    assert refusal({**REQUIRED, name: value}) == f"{name} is not set."


@pytest.mark.parametrize("seconds", ["60", "86399"])
def test_the_bounds_of_the_duration_are_included(seconds: str) -> None:
    assert read(TOKEN_DURATION_SECONDS=seconds).token_duration_seconds == int(seconds)


@pytest.mark.parametrize(
    "seconds",
    ["59", "86400", "0", "-60", "3600.0", "1e3", "0x100", "３６００", "1_000", "9" * 5000],
)
def test_a_duration_out_of_bounds_or_not_plain_digits_is_refused(seconds: str) -> None:
    assert "from 60 to 86399" in refusal({**REQUIRED, "TOKEN_DURATION_SECONDS": seconds})


@pytest.mark.parametrize("name", PER_DAY)
@pytest.mark.parametrize("value", ["0", "-1", str(MAX_PER_DAY + 1), "1.0", "none", "unlimited"])
def test_a_limit_is_at_least_one_a_day_and_never_switched_off(name: str, value: str) -> None:
    assert f"{name} must be a whole number from 1 to 10000000." == refusal(
        {**REQUIRED, name: value}
    )


@pytest.mark.parametrize("namespace", ["guest", "User", "a_b", "a-b", "a" * 17, "é"])
def test_a_namespace_is_small_letters_and_digits_and_never_that_of_guests(namespace: str) -> None:
    assert "SESSION_NAMESPACE" in refusal({**REQUIRED, "SESSION_NAMESPACE": namespace})
    assert read(SESSION_NAMESPACE="guests1").session_namespace == "guests1"


def test_the_first_issuer_has_no_prefix_and_each_later_one_has_its_own() -> None:
    settings = read(**ISSUERS)
    assert settings.issuers == (
        Issuer(url="https://one.example"),
        Issuer(url="https://two.example/realm", prefix="two_"),
        Issuer(url="https://three.example:8443/", prefix="3rd:"),
    )
    assert settings.prefixes == ("two_", "3rd:")
    assert read(**ISSUERS, WECHAT_SECRET_ID="w").prefixes == ("two_", "3rd:", "wechat_")


@pytest.mark.parametrize("number", ["2", "3"])
def test_a_later_issuer_and_its_prefix_come_together(number: str) -> None:
    for name in (f"OIDC_ISSUER_{number}", f"OIDC_PREFIX_{number}"):
        alone = {key: value for key, value in ISSUERS.items() if key != name}
        told = refusal({**REQUIRED, **alone})
        assert told == f"Set both OIDC_ISSUER_{number} and OIDC_PREFIX_{number}."


def test_an_issuer_stands_once_or_a_users_name_would_hang_on_the_route() -> None:
    for name in ("OIDC_ISSUER_2", "OIDC_ISSUER_3"):
        assert "must differ" in refusal({**REQUIRED, **ISSUERS, name: ISSUERS["OIDC_ISSUER"]})


@pytest.mark.parametrize(
    ("two", "three"),
    [
        *(("a_", "a_"), ("a_", "a_b_"), ("a_b_", "a_"), ("a:", "a::")),
        *(("guest_", "b_"), ("guest_x_", "b_"), ("b_", "wechat_"), ("wechat_2_", "b_")),
    ],
)
def test_no_prefix_begins_with_another(two: str, three: str) -> None:
    chosen = ISSUERS | {"OIDC_PREFIX_2": two, "OIDC_PREFIX_3": three}
    assert "No prefix may begin with another" in refusal(
        {**REQUIRED, **chosen, "WECHAT_SECRET_ID": "w"}
    )


@pytest.mark.parametrize(
    "prefix", ["a", "A_", "_", "-a_", "é_", "a_ b_", "a" * 32 + "_", "a_\u0301"]
)
def test_a_prefix_ends_visibly_and_is_the_same_in_every_case(prefix: str) -> None:
    assert "OIDC_PREFIX_2" in refusal({**REQUIRED, **ISSUERS, "OIDC_PREFIX_2": prefix})


@pytest.mark.parametrize(
    "origin",
    [
        *("*", "null", "a.example", "ftp://a.example", "https://*.example.com"),
        *("https://a.example/", "https://a.example/x", "https://A.example"),
        *("https://a.example b", "https://a@b.example"),
    ],
)
def test_an_origin_is_what_a_browser_sends_and_never_a_pattern(origin: str) -> None:
    assert "ALLOWED_ORIGINS" in refusal(
        {**REQUIRED, "ALLOWED_ORIGINS": f"https://ok.example,{origin}"}
    )


@pytest.mark.parametrize("value", ["ON", "true", "1", "yes"])
def test_a_switch_knows_only_its_two_words(value: str) -> None:
    for name in ("END_USER_QUOTA", "GUEST_SESSIONS", "SESSION_NAMING", "ALLOW_NO_ORIGIN"):
        assert name in refusal({**REQUIRED, name: value})


def test_account_and_enterprise_exclude_each_other() -> None:
    assert "not both" in refusal({**REQUIRED, "COZE_ACCOUNT_ID": "1", "COZE_ENTERPRISE_ID": "2"})


@pytest.mark.parametrize("alone", ["COZE_BOT_IDS", "COZE_PERMISSIONS"])
def test_bots_and_permissions_come_together(alone: str) -> None:
    assert "or neither" in refusal({**REQUIRED, alone: "x"})


def test_an_identifier_cannot_change_the_path() -> None:
    for value in ("1/../2", "1/token?", "%2e", "1 2", "a.b", "é"):
        for name in ("COZE_ACCOUNT_ID", "COZE_ENTERPRISE_ID"):
            assert name in refusal({**REQUIRED, name: value})


def test_the_token_path_is_one_of_the_three_that_coze_documents() -> None:
    assert read().token_path == "/api/permission/oauth2/token"
    assert read(COZE_ACCOUNT_ID="7").token_path == "/api/permission/oauth2/account/7/token"
    enterprise = read(COZE_ENTERPRISE_ID="e").token_path
    assert enterprise == "/api/permission/oauth2/enterprise_id/e/token"


def test_the_scope_has_both_lists_or_is_left_out() -> None:
    assert read().scope is None
    assert read(COZE_BOT_IDS="7,8", COZE_PERMISSIONS="Connector.botChat").scope == {
        "account_permission": {"permission_list": ["Connector.botChat"]},
        "attribute_constraint": {"connector_bot_chat_attribute": {"bot_id_list": ["7", "8"]}},
    }


def test_the_process_environment_is_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**REQUIRED, "CONNECTOR_ID": "2001"}.items():
        monkeypatch.setenv(name, value)
    assert from_environment().connector_id == "2001"
