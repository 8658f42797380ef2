"""Every outcome, brought about by a patient that has it and nothing else wrong."""

from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import EndpointConnectionError
from coze_sts.doctor import examination
from coze_sts.doctor.checks import oidc
from coze_sts.doctor.checks.exchange import REGIONS, SESSION_NAME
from coze_sts.doctor.checks.permissions import CALLS, Permissions
from coze_sts.doctor.document import LANGUAGES, document
from coze_sts.doctor.outcomes import OUTCOMES
from coze_sts.doctor.report import CHECKS, Finding, Language
from coze_sts.doctor.wire import CozeApi, Wire
from coze_sts.web import WebAnswer, new_http_session

from tests.contract.markdown import README
from tests.doctor.clinic import BOT, NOBODY, ORIGIN, Clinic
from tests.doctor.conftest import See
from tests.doctor.illnesses import (
    ILLNESSES,
    coze_says,
    discovery,
    endpoint,
    keys,
    region,
    setting,
    ttl,
    without,
)

RSA = {"kty": "RSA", "kid": "1"}


def found(clinic: Clinic) -> set[str]:
    return {finding.key for finding in clinic.findings()}


def of(check: str, findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.check == check]


def channel_app(clinic: Clinic) -> None:
    setting(COZE_BOT_IDS=BOT, COZE_PERMISSIONS="botChat")(clinic)
    clinic.register(clinic.here, kind="channel")


def lacking(clinic: Clinic) -> list[object]:
    return [f.facts["permission"] for f in clinic.findings() if f.key == "permission.lacking"]


def test_every_outcome_has_a_patient() -> None:
    assert ILLNESSES.keys() == OUTCOMES.keys()


@pytest.mark.parametrize("key", ILLNESSES)
def test_an_illness_is_found(seen: See, key: str) -> None:
    assert key in {finding.key for finding in seen(key).findings}


def test_who_is_well_has_nothing_but_good_findings(clinic: Clinic) -> None:
    findings = clinic.findings()
    assert [finding for finding in findings if finding.status != "ok"] == []
    assert {finding.check for finding in findings} == set(CHECKS)


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_has_a_patient_with_whom_it_is_not_fine(check: str) -> None:
    assert {OUTCOMES[key] for key in ILLNESSES if key.startswith(f"{check}.")} & {"warn", "fail"}


@pytest.mark.parametrize("key", [key for key in ILLNESSES if key != "settings.faulty"])
def test_no_check_is_ever_left_out_without_a_word(seen: See, key: str) -> None:
    assert {finding.check for finding in seen(key).findings} == set(CHECKS)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("key", ILLNESSES)
def test_no_report_holds_the_key_or_a_token(seen: See, key: str, lang: Language) -> None:
    report = json.dumps(document(seen(key).findings, lang=lang))
    assert not any(secret in report for secret in seen(key).secrets)
    assert "czs_" not in report
    assert "eyJ" not in report


def test_after_its_time_the_doctor_asks_nobody_and_reports(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "TOTAL_SECONDS", 0)
    findings = clinic.findings()
    assert {f.key for f in findings} >= {"exchange.failing", "preflight.silent", "table.purged"}
    assert {f.check for f in findings} == set(CHECKS)
    assert clinic.coze.requests == clinic.edge.requests == clinic.oidc.requests == []


def test_a_fingerprint_that_is_none_is_told_by_its_length_only(clinic: Clinic) -> None:
    kid = clinic.config["public_key_id"] = "-----BEGIN PRIVATE KEY-----MIIE"
    findings = clinic.findings()
    (finding,) = of("kid", findings)
    assert finding.facts == {"length": len(kid)}
    assert kid not in json.dumps(document(findings, lang="en"))


# What the doctor does at Coze


def test_it_makes_nothing_but_a_conversation_in_a_session_of_its_own(clinic: Clinic) -> None:
    clinic.findings()
    assert {token.session_name for token in clinic.here.tokens.values()} == {SESSION_NAME}
    assert [chat.code for chat in clinic.here.chat_requests] == [4000]
    assert clinic.elsewhere.requests == []
    changing = {(method, path) for method, path, _ in clinic.coze.requests if method != "GET"}
    assert changing - {(call.method, call.path) for call in CALLS} == {
        ("POST", "/api/permission/oauth2/token"),
        *{request for request in changing if request[1].startswith("/v1/conversations/")},
    }


def test_it_never_uses_up_a_chat(clinic: Clinic) -> None:
    clinic.here.chats_left = 1
    clinic.findings()
    assert clinic.here.chats_left == 1


def test_the_exchange_is_a_visitors(clinic: Clinic) -> None:
    setting(CONNECTOR_ID="2001", END_USER_QUOTA="on", COZE_ACCOUNT_ID="7")(clinic)
    clinic.findings()
    (exchange,) = clinic.here.exchanges
    assert exchange.path == "/api/permission/oauth2/account/7/token"
    assert exchange.session_context == {
        "device_info": {"custom_consumer": SESSION_NAME},
        "connector_info": {"connector_id": "2001"},
    }


def test_coze_log_id_is_told_of_an_exchange_that_was_made_and_of_one_that_was_not(
    clinic: Clinic,
) -> None:
    (done,) = of("exchange", clinic.findings())
    assert len(str(done.facts["log_id"])) > 20
    clinic.here.disable_app(client_id=clinic.config["client_id"])
    (refused,) = of("exchange", clinic.findings())
    assert "x-tt-logid 2" in str(refused.facts["said"])


# The region


def test_the_key_of_the_other_region_is_told_where_it_belongs(clinic: Clinic) -> None:
    region(here=False, there=True)(clinic)
    findings = clinic.findings()
    (finding,) = of("region", findings)
    here, there = (url.removeprefix("http://") for url in clinic.regions)
    assert finding.facts == {"host": here, "other": there}
    assert [f.key for f in of("exchange", findings)] == ["exchange.refused"]
    assert len(clinic.there.exchanges) == 1


def test_both_regions_of_coze_are_known() -> None:
    assert REGIONS == ("https://api.coze.cn", "https://api.coze.com")


def test_the_key_is_shown_to_nobody_but_cozes_own_hosts(clinic: Clinic) -> None:
    ILLNESSES["region.unknown"](clinic)
    clinic.findings()
    assert clinic.elsewhere.requests == []


# Permissions


def test_the_permissions_are_those_that_the_readme_asks_for() -> None:
    asked = README.block("text", "getMetadata").split()
    assert sorted(call.permission for call in CALLS) == sorted(asked)
    assert all(call.channel is None or f"`{call.channel}`" in README.text for call in CALLS)


@pytest.mark.parametrize("permission", [call.permission for call in CALLS])
def test_the_permission_that_is_missing_is_named_and_no_other(
    clinic: Clinic, permission: str
) -> None:
    without(permission)(clinic)
    assert lacking(clinic) == [permission]


def test_a_channel_apps_permissions_have_the_names_of_its_console(clinic: Clinic) -> None:
    channel_app(clinic)
    named = {f.facts["permission"] for f in of("permission", clinic.findings())}
    assert named >= {"botChat", "listConversationMessage", "cancelConversationChat"}
    assert not named & {"chat", "listMessage", "cancelChat"}


def test_the_bot_of_a_channel_app_need_not_be_named(clinic: Clinic) -> None:
    channel_app(clinic)
    del clinic.question["bot_id"]
    assert found(clinic) >= {"permission.granted", "api.published", "chat_sdk.published"}


def test_without_a_bot_all_is_tried_that_needs_none(clinic: Clinic) -> None:
    ILLNESSES["permission.bot"](clinic)
    findings = of("permission", clinic.findings())
    assert [f.facts["permission"] for f in findings if f.key == "permission.bot"] == [
        "getMetadata",
        "listConversation",
    ]
    assert {f.status for f in findings if f.key != "permission.bot"} == {"ok"}


@pytest.mark.parametrize("made", ["../../v3/chat", 7, None, ""])
def test_an_id_that_is_none_gets_into_no_address(clinic: Clinic, made: object) -> None:
    clinic.coze.say("POST /v1/conversation/create", {"code": 0, "data": {"id": made}})
    clinic.findings()
    renamed = [path for method, path, _ in clinic.coze.requests if method == "PUT"]
    assert renamed == ["/v1/conversations/0"]


def test_nobody_is_asked_again_after_no_answer() -> None:
    with new_http_session() as http:
        wire = Wire(http=http, ends=time.monotonic() + 10)
        api = CozeApi(wire=wire, api_base=NOBODY, access_token="czs_one")
        permissions = Permissions(api=api, bot_id=BOT, channel_app=False)
        answers = permissions.ask()
    assert list(answers) == [CALLS[0].permission]
    assert [f.key for f in permissions.findings(answers)] == ["permission.unclear"] * len(CALLS)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_who_fails_says_nothing_of_a_permission(clinic: Clinic, status: int) -> None:
    coze_says("POST /v1/files/upload", 4101, status=status)(clinic)
    assert lacking(clinic) == []
    assert "permission.unclear" in found(clinic)


# The site


def test_each_origin_of_the_site_has_a_line(clinic: Clinic) -> None:
    setting(ALLOWED_ORIGINS=f"{ORIGIN},https://shop.example.com")(clinic)
    keys = {f.facts["origin"]: f.key for f in of("preflight", clinic.findings())}
    assert keys == {ORIGIN: "preflight.allowed", "https://shop.example.com": "preflight.refused"}


def test_the_origin_that_is_asked_for_is_the_only_one(clinic: Clinic) -> None:
    clinic.question["origin"] = "https://shop.example.com"
    (finding,) = of("preflight", clinic.findings())
    assert finding.facts["origin"] == "https://shop.example.com"


def test_a_preflight_asks_for_all_that_the_helper_sends(clinic: Clinic) -> None:
    clinic.findings()
    _, path, headers = clinic.edge.requests[0]
    assert (path, headers["Origin"]) == ("/guest/token", ORIGIN)
    assert headers["Access-Control-Request-Method"] == "POST"
    assert headers["Access-Control-Request-Headers"] == "authorization,content-type"


@pytest.mark.parametrize(
    ("key_set", "key"),
    [
        ([RSA], "oidc.sound"),
        ([{"kty": "EC", "kid": "2"}, RSA | {"alg": "RS256", "use": "sig"}], "oidc.sound"),
        ([], "oidc.no_keys"),
        ([{"kty": "RSA"}], "oidc.no_keys"),
        ([RSA | {"use": "enc"}], "oidc.no_keys"),
        ([RSA | {"alg": "RS512"}], "oidc.no_keys"),
        (["RSA"], "oidc.no_keys"),
    ],
)
def test_only_an_rs256_key_with_a_kid_is_of_use(
    clinic: Clinic, key_set: list[object], key: str
) -> None:
    keys(*key_set)(clinic)
    assert key in found(clinic)


def test_the_keys_of_an_https_issuer_are_fetched_over_https_only() -> None:
    issuer, asked = "https://login.example.com", []

    class Web(Wire):
        def send(self, method: str, url: str, **_: object) -> WebAnswer:
            asked.append(url)
            body = {"issuer": issuer, "jwks_uri": "http://login.example.com/jwks.json"}
            return WebAnswer(status=200, headers={}, body=json.dumps(body).encode())

    finding = oidc.check(Web(http=None, ends=0), issuer=issuer)  # type: ignore[arg-type]
    assert (finding.key, finding.facts["cause"]) == ("oidc.jwks_unreachable", "jwks_uri")
    assert asked == [f"{issuer}/.well-known/openid-configuration"]


def test_a_slash_at_the_end_makes_another_issuer(clinic: Clinic) -> None:
    issuer = clinic.variables["OIDC_ISSUER"]
    setting(OIDC_ISSUER=f"{issuer}/")(clinic)
    (finding,) = of("oidc", clinic.findings())
    assert (finding.key, finding.facts["said"]) == ("oidc.differs", issuer)


def test_what_an_issuer_says_is_repeated_only_where_it_is_one(clinic: Clinic) -> None:
    discovery(issuer="</script> eyJhbGciOi")(clinic)
    (finding,) = of("oidc", clinic.findings())
    assert (finding.key, finding.facts["said"]) == ("oidc.differs", "?")


def test_each_issuer_has_a_line(clinic: Clinic) -> None:
    setting(OIDC_ISSUER_2=NOBODY, OIDC_PREFIX_2="staff_")(clinic)
    assert [f.key for f in of("oidc", clinic.findings())] == ["oidc.sound", "oidc.unreachable"]


@pytest.mark.parametrize(
    ("described", "key"),
    [
        ({"TimeToLiveStatus": "ENABLING", "AttributeName": "purge_at"}, "table.purged"),
        ({"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}, "table.kept"),
        ({"TimeToLiveStatus": "DISABLING", "AttributeName": "purge_at"}, "table.kept"),
        ({}, "table.kept"),
        (EndpointConnectionError(endpoint_url="https://dynamodb"), "table.unreadable"),
    ],
)
def test_the_ttl_is_on_for_purge_at_or_it_is_not_on(
    clinic: Clinic, described: object, key: str
) -> None:
    ttl(described)(clinic)
    assert key in found(clinic)


@pytest.mark.parametrize(
    ("seconds", "key"), [(-40, "clock.wrong"), (40, "clock.wrong"), (-20, "clock.right")]
)
def test_a_clock_may_be_half_a_minute_off_either_way(
    clinic: Clinic, seconds: int, key: str
) -> None:
    clinic.seconds_off = seconds
    assert key in found(clinic)


def test_an_endpoint_that_is_away_is_one_line_and_not_the_end(clinic: Clinic) -> None:
    endpoint(NOBODY)(clinic)
    assert found(clinic) >= {"preflight.silent", "foreign.silent", "oidc.sound", "table.purged"}
