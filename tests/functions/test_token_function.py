"""The routes of TokenFunction, from event to answer."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import boto3
import pytest

from tests.functions.conftest import IAM, ORIGIN, Caller, Context, signed_in
from tests.kms import SIGNERS
from tests.local.coze import CozeStandIn
from tests.local.server import serve
from tests.local.wechat import WechatStandIn

ANSWER = {"access_token", "token", "token_type", "expires_in", "expires_at"}


def session_of(coze: CozeStandIn, body: dict[str, Any]) -> str | None:
    return coze.tokens[body["access_token"]].session_name


def rejecting(body: dict[str, Any]) -> dict[str, str]:
    return {"rejected_token": hashlib.sha256(body["access_token"].encode()).hexdigest()}


def test_an_answer_has_the_fields_of_rfc_6749_and_is_never_stored(call: Caller) -> None:
    status, body, headers = call("POST /token", authorizer=signed_in("alice"))
    assert status == 200
    assert set(body) == ANSWER
    assert body["token"] == body["access_token"]
    assert body["token_type"] == "Bearer"
    assert 3590 <= body["expires_in"] <= 3600
    assert headers["cache-control"] == "no-store"
    assert headers["content-type"] == "application/json"


def test_a_visitor_gets_a_token_for_the_session_of_their_own_claim(
    call: Caller, coze: CozeStandIn
) -> None:
    _, alice, _ = call("POST /token", authorizer=signed_in("alice"))
    _, bob, _ = call("POST /token", authorizer=signed_in("bob"))
    assert session_of(coze, alice) == "alice"
    assert session_of(coze, bob) == "bob"


def test_a_user_and_a_backend_that_mean_the_same_person_share_one_exchange(
    call: Caller, coze: CozeStandIn
) -> None:
    _, page, _ = call("POST /token", authorizer=signed_in("u-42"))
    _, server, _ = call("POST /backend/token", {"session_name": "u-42"}, authorizer=IAM)
    assert page["access_token"] == server["access_token"]
    assert len(coze.exchanges) == 1


def test_a_second_process_finds_the_token_in_the_table(
    load: Callable[[str], ModuleType], coze: CozeStandIn
) -> None:
    answers = [
        Caller(load("token").lambda_handler)("POST /token", authorizer=signed_in("alice"))[1]
        for _ in range(2)
    ]
    assert answers[0]["access_token"] == answers[1]["access_token"]
    assert len(coze.exchanges) == 1


def test_no_row_of_the_table_holds_a_token_or_a_name(
    call: Caller, environment: dict[str, str]
) -> None:
    _, body, _ = call("POST /token", authorizer=signed_in("alice-the-visitor"))
    items = boto3.client("dynamodb").scan(TableName=environment["TOKEN_TABLE"])["Items"]
    assert sum("ct" in item for item in items) == 1
    assert body["access_token"] not in str(items)
    assert "alice" not in str(items)


def test_a_new_guest_gets_a_ticket_that_brings_the_same_session_back(
    call: Caller, coze: CozeStandIn
) -> None:
    _, first, _ = call("POST /guest/token", {})
    _, again, _ = call("POST /guest/token", {"guest_ticket": first["guest_ticket"]})
    assert set(first) == ANSWER | {"guest_ticket", "guest_ticket_expires_at"}
    assert again["access_token"] == first["access_token"]
    assert session_of(coze, first).startswith("guest_")


def test_a_ticket_of_another_app_is_401(
    environment: dict[str, str],
    stored: tuple[dict[str, str], dict[str, str]],
    load: Callable[[str], ModuleType],
    coze: CozeStandIn,
) -> None:
    """Two stacks may share their keys, as CacheKeySecretId lets them; their guests are others."""
    _, guest, _ = Caller(load("token").lambda_handler)("POST /guest/token")
    boto3.client("secretsmanager").put_secret_value(
        SecretId=environment["COZE_SECRET_ID"],
        SecretString=json.dumps(stored[0] | {"client_id": "another"}),
    )
    body = {"guest_ticket": guest["guest_ticket"]}
    assert Caller(load("token").lambda_handler)("POST /guest/token", body)[0] == 401
    assert coze.requests_seen == 1


def test_two_new_guests_never_share_a_session(call: Caller, coze: CozeStandIn) -> None:
    sessions = {session_of(coze, call("POST /guest/token")[1]) for _ in range(5)}
    assert len(sessions) == 5


def test_a_bad_guest_ticket_is_401_and_never_a_new_guest(call: Caller, coze: CozeStandIn) -> None:
    status, body, headers = call("POST /guest/token", {"guest_ticket": "g1.1.forged.forged"})
    assert (status, body["error"]) == (401, "invalid_token")
    assert "www-authenticate" in headers
    assert not coze.exchanges


def test_guests_are_refused_where_they_are_not_configured(
    environment: dict[str, str],
    load: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GUEST_SESSIONS", "off")
    status, body, _ = Caller(load("token").lambda_handler)("POST /guest/token", {})
    assert (status, body["error"]) == (403, "access_denied")


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("POST /token", None),
        ("DELETE /token", None),
        ("POST /backend/token", {"session_name": "u-42"}),
        ("DELETE /backend/token", {"session_name": "u-42"}),
    ],
)
@pytest.mark.parametrize("authorizer", [None, {}, {"lambda": {"sub": "alice"}}])
def test_a_route_whose_authorizer_did_not_run_is_401(
    call: Caller, coze: CozeStandIn, route: str, body: object, authorizer: dict[str, Any] | None
) -> None:
    status, answer, _ = call(route, body, authorizer=authorizer)
    assert (status, answer["error"]) == (401, "invalid_token")
    assert not coze.exchanges


def test_one_authorizer_never_stands_in_for_another(call: Caller) -> None:
    assert call("POST /token", authorizer=IAM)[0] == 401
    assert (
        call("POST /backend/token", {"session_name": "x"}, authorizer=signed_in("alice"))[0] == 401
    )


@pytest.mark.parametrize(
    "claim",
    [
        "guest_aaaa",
        "GUEST_aaaa",
        "a\u200bb",
        "",
        "[a b]",
        "map[a:b]",
        "<nil>",
        "true",
        True,
        None,
    ],
)
def test_a_claim_that_cannot_name_a_session_is_403(call: Caller, claim: object) -> None:
    status, body, _ = call("POST /token", authorizer=signed_in(claim))
    assert (status, body["error"]) == (403, "access_denied")


def test_a_browser_never_names_a_session(call: Caller, coze: CozeStandIn) -> None:
    for route in ("POST /token", "POST /guest/token"):
        status, body, _ = call(route, {"session_name": "bob"}, authorizer=signed_in("alice"))
        assert (status, body["error"]) == (400, "invalid_request")
    assert not coze.exchanges


@pytest.mark.parametrize(
    "raw",
    [
        "not json",
        "[]",
        '"text"',
        "{} {}",
        '{"session_name": 42}',
        '{"session_name": null}',
        "{}",
        '{"session_name": "a", "session_name": "b"}',
        '{"session_name": "a", "admin": "yes"}',
        '{"session_name": "a", "rejected_token": "' + "A" * 64 + '"}',
        '{"session_name": "a", "device_id": "d", "custom_consumer": "c"}',
        '{"session_name": "a", "device_id": ""}',
        '{"session_name": "guest_a"}',
        '{"session_name": " a"}',
        '{"session_name": "e\\u0301"}',
        '{"session_name": "\\ud800"}',
        '{"session_name": NaN}',
        '{"session_name": "' + "a" * 129 + '"}',
        "[" * 4000,
        " " * 4097,
    ],
)
def test_bad_input_is_400_and_changes_nothing(call: Caller, coze: CozeStandIn, raw: str) -> None:
    status, body, _ = call("POST /backend/token", raw=raw, authorizer=IAM)
    assert (status, body["error"]) == (400, "invalid_request")
    assert body["request_id"] == "req-1"
    assert not coze.exchanges


@pytest.mark.parametrize("consumer", [{"device_id": "d-1"}, {"custom_consumer": "c-1"}])
def test_a_backend_may_say_who_pays(
    call: Caller, coze: CozeStandIn, consumer: dict[str, str]
) -> None:
    assert call("POST /backend/token", {"session_name": "a"} | consumer, authorizer=IAM)[0] == 200
    assert coze.exchanges[0].session_context == {"device_info": consumer}


def test_a_forgotten_token_is_replaced_at_the_next_request(call: Caller, coze: CozeStandIn) -> None:
    _, first, _ = call("POST /token", authorizer=signed_in("alice"))
    status, body, _ = call("DELETE /token", authorizer=signed_in("alice"))
    assert (status, body) == (204, {})
    _, second, _ = call("POST /token", authorizer=signed_in("alice"))
    assert second["access_token"] != first["access_token"]
    assert len(coze.exchanges) == 2


def test_a_backend_forgets_the_same_token(call: Caller, coze: CozeStandIn) -> None:
    call("POST /token", authorizer=signed_in("alice"))
    assert call("DELETE /backend/token", {"session_name": "alice"}, authorizer=IAM)[0] == 204
    call("POST /token", authorizer=signed_in("alice"))
    assert len(coze.exchanges) == 2


def test_forgetting_again_and_again_does_not_become_a_storm_at_coze(
    call: Caller, coze: CozeStandIn
) -> None:
    for _ in range(5):
        call("POST /token", authorizer=signed_in("alice"))
        status, _, headers = call("DELETE /token", authorizer=signed_in("alice"))
    assert (status, headers["retry-after"]) == (429, "60")
    assert len(coze.exchanges) == 2


def test_forgetting_does_not_lift_the_back_off(call: Caller, coze: CozeStandIn) -> None:
    coze.fail_next(status=500, body={}, times=99)
    for _ in range(5):
        call("POST /token", authorizer=signed_in("alice"))
        assert call("DELETE /token", authorizer=signed_in("alice"))[0] == 204
    assert coze.requests_seen == 2


def test_forgetting_one_session_leaves_the_others(call: Caller, coze: CozeStandIn) -> None:
    call("POST /token", authorizer=signed_in("alice"))
    call("DELETE /token", authorizer=signed_in("bob"))
    call("POST /token", authorizer=signed_in("alice"))
    assert len(coze.exchanges) == 1


def test_a_rejected_token_is_replaced_once_and_a_storm_is_429(
    call: Caller, coze: CozeStandIn
) -> None:
    _, first, _ = call("POST /token", authorizer=signed_in("alice"))
    _, second, _ = call("POST /token", rejecting(first), authorizer=signed_in("alice"))
    assert second["access_token"] != first["access_token"]
    status, body, headers = call("POST /token", rejecting(second), authorizer=signed_in("alice"))
    assert (status, body["error"]) == (429, "slow_down")
    assert 1 <= int(headers["retry-after"]) <= 61
    assert len(coze.exchanges) == 2


def test_rejecting_a_token_that_is_not_held_costs_no_exchange(
    call: Caller, coze: CozeStandIn
) -> None:
    _, first, _ = call("POST /token", authorizer=signed_in("alice"))
    body = {"rejected_token": "0" * 64}
    assert call("POST /token", body, authorizer=signed_in("alice"))[1]["token"] == first["token"]
    assert len(coze.exchanges) == 1


PAGES = [
    *("POST /token", "POST /token/2", "POST /token/3", "POST /guest/token"),
    *("DELETE /token", "DELETE /token/2", "DELETE /token/3"),
]
"""The routes that only a page may call."""


@pytest.mark.parametrize("route", PAGES)
def test_a_page_of_a_foreign_origin_is_403(call: Caller, coze: CozeStandIn, route: str) -> None:
    foreign = [ORIGIN + ".evil.com", "null", "", ORIGIN.upper(), ORIGIN + ":444"]
    for origin in [*foreign, f"{ORIGIN},https://evil.example"]:
        status, body, _ = call(route, authorizer=signed_in("alice"), origin=origin)
        assert (status, body["error"]) == (403, "access_denied")
    assert not coze.requests_seen
    assert call(route, authorizer=signed_in("alice"), origin=ORIGIN)[0] in (200, 204)


@pytest.mark.parametrize("route", PAGES)
def test_what_sends_no_origin_is_403_unless_the_operator_allows_it(
    call: Caller, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    status, body, _ = call(route, authorizer=signed_in("alice"), origin=None)
    assert (status, body["error"]) == (403, "access_denied")
    monkeypatch.setenv("ALLOW_NO_ORIGIN", "on")
    allowing = Caller(load("token").lambda_handler)
    assert allowing(route, authorizer=signed_in("alice"), origin=None)[0] in (200, 204)
    assert allowing(route, authorizer=signed_in("alice"), origin="https://evil.example")[0] == 403


def test_an_origin_is_read_in_any_spelling_of_its_header(load: Callable[[str], ModuleType]) -> None:
    """And one that comes twice is that of no page."""
    handler = load("token").lambda_handler
    event: dict[str, Any] = {
        "routeKey": "POST /guest/token",
        "requestContext": {"requestId": "r", "http": {"sourceIp": "203.0.113.7"}},
    }
    for headers, status in (
        ({"Origin": ORIGIN}, 200),
        ({"ORIGIN": "https://evil.example"}, 403),
        ({"origin": ORIGIN, "Origin": "https://evil.example"}, 403),
        ({"Origin": "https://evil.example", "origin": ORIGIN}, 403),
    ):
        assert handler(event | {"headers": headers}, Context())["statusCode"] == status


# Several issuers

ISSUERS = {
    "OIDC_ISSUER": "https://one.example",
    "OIDC_ISSUER_2": "https://two.example",
    "OIDC_PREFIX_2": "two_",
    "OIDC_ISSUER_3": "https://three.example",
    "OIDC_PREFIX_3": "three:",
}


def by(issuer: str, sub: object = "alice") -> dict[str, Any]:
    """The block of the authorizer of this issuer's route."""
    claims = {"sub": sub, "iss": f"https://{issuer}.example"}
    return {"jwt": {"claims": claims, "scopes": None}}


@pytest.fixture(params=SIGNERS)
def signs(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def issuers(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ISSUERS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("issuers")
def test_equal_subjects_of_three_issuers_have_three_sessions(
    call: Caller, coze: CozeStandIn
) -> None:
    for route, issuer in (("/token", "one"), ("/token/2", "two"), ("/token/3", "three")):
        assert call(f"POST {route}", authorizer=by(issuer))[0] == 200
    names = [exchange.session_name for exchange in coze.exchanges]
    assert names == ["alice", "two_alice", "three:alice"]


@pytest.mark.usefixtures("issuers")
def test_who_signed_is_said_by_the_claim_and_not_by_the_route(
    call: Caller, coze: CozeStandIn
) -> None:
    """API Gateway lets in at each route only its own issuer's; this holds even if it did not."""
    call("POST /token", authorizer=by("two"))
    assert coze.exchanges[0].session_name == "two_alice"
    for route in ("POST /token", "POST /token/2", "DELETE /token/3"):
        for iss in ("four", "one.example/x"):
            status, body, _ = call(route, authorizer=by(iss))
            assert (status, body["error"]) == (403, "access_denied")
    assert call("POST /token/2", authorizer=signed_in("alice"))[0] == 403
    assert len(coze.exchanges) == 1


@pytest.mark.usefixtures("issuers")
def test_each_user_forgets_their_own_token(call: Caller, coze: CozeStandIn) -> None:
    call("POST /token", authorizer=by("one"))
    call("POST /token/2", authorizer=by("two"))
    assert call("DELETE /token/2", authorizer=by("two"))[0] == 204
    call("POST /token", authorizer=by("one"))
    call("POST /token/2", authorizer=by("two"))
    names = [exchange.session_name for exchange in coze.exchanges]
    assert names == ["alice", "two_alice", "two_alice"]


@pytest.mark.usefixtures("issuers")
@pytest.mark.parametrize(
    "claim", ["two_alice", "TWO_alice", "ｔｗｏ_alice", "three:alice", "Three:", "guest_a"]
)
def test_nobody_of_the_first_issuer_takes_a_name_of_another_way_in(
    call: Caller, coze: CozeStandIn, claim: str
) -> None:
    status, body, _ = call("POST /token", authorizer=by("one", claim))
    assert (status, body["error"]) == (403, "access_denied")
    assert not coze.exchanges


@pytest.mark.usefixtures("issuers")
def test_a_backend_means_the_user_whom_it_names_with_the_prefix(
    call: Caller, coze: CozeStandIn
) -> None:
    _, page, _ = call("POST /token/2", authorizer=by("two"))
    _, server, _ = call("POST /backend/token", {"session_name": "two_alice"}, authorizer=IAM)
    assert server["access_token"] == page["access_token"]
    assert len(coze.exchanges) == 1


# Pseudonyms


def test_a_page_and_a_backend_get_one_pseudonym_and_it_never_changes(
    environment: dict[str, str],
    load: Callable[[str], ModuleType],
    coze: CozeStandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SESSION_NAMING", "pseudonymous")
    monkeypatch.setenv("SESSION_NAMESPACE", "member")
    call = Caller(load("token").lambda_handler)
    _, page, _ = call("POST /token", authorizer=signed_in("u-42"))
    _, server, _ = call("POST /backend/token", {"session_name": "u-42"}, authorizer=IAM)
    assert session_of(coze, page) == session_of(coze, server) == PSEUDONYM
    ring = {"1": "k" * 64, "2": "n" * 64}
    boto3.client("secretsmanager").put_secret_value(
        SecretId=environment["CACHE_KEY_SECRET_ID"], SecretString=json.dumps(ring)
    )
    _, later, _ = Caller(load("token").lambda_handler)("POST /token", authorizer=signed_in("u-42"))
    assert session_of(coze, later) == PSEUDONYM


PSEUDONYM = "member_pmzv4pe6m6j2ujiiz2izinwd4p54w2obzendw3xl"
"""Computed once; a user whose pseudonym changes has lost their history."""


# Mini-programs


@pytest.fixture
def wechat(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[WechatStandIn]:
    stand_in, app = WechatStandIn(), {"appid": "wx0123456789abcdef", "secret": "s3cr3t"}
    stand_in.register_app(**app)
    secret = boto3.client("secretsmanager").create_secret(
        Name="wechat", SecretString=json.dumps(app)
    )
    monkeypatch.setenv("WECHAT_SECRET_ID", secret["ARN"])
    with serve(stand_in) as server:
        monkeypatch.setenv("WECHAT_API_BASE", server.url)
        yield stand_in


def test_a_user_of_the_mini_program_has_a_session_of_their_own(
    call: Caller, wechat: WechatStandIn, coze: CozeStandIn
) -> None:
    answers = []
    for user in ("a", "b", "a"):
        code = wechat.log_in(appid="wx0123456789abcdef", user=user)
        answers.append(call("POST /wechat/token", {"code": code}))
    assert [status for status, _, _ in answers] == [200] * 3
    names = [session_of(coze, body) for _, body, _ in answers]
    openid = wechat.openid(appid="wx0123456789abcdef", user="a")
    assert names[0] == names[2] == f"wechat_{openid}" != names[1]
    assert len(coze.exchanges) == 2


def test_a_mini_program_sends_no_origin_and_a_foreign_page_is_403(
    call: Caller, wechat: WechatStandIn
) -> None:
    for origin in ("https://evil.example", "null", ""):
        assert call("POST /wechat/token", {"code": "x"}, origin=origin)[0] == 403
    assert not wechat.requests


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"code": ""}, 400), ({"code": 1}, 400), ({"code": "made-up"}, 401)],
)
def test_a_code_that_is_none_opens_nothing(
    call: Caller, wechat: WechatStandIn, coze: CozeStandIn, body: object, status: int
) -> None:
    assert call("POST /wechat/token", body)[0] == status
    assert not coze.exchanges


def test_nobody_who_signs_in_otherwise_takes_a_name_of_the_mini_programs(
    call: Caller, wechat: WechatStandIn
) -> None:
    for claim in ("wechat_o1", "WeChat_o1"):
        assert call("POST /token", authorizer=signed_in(claim))[0] == 403


def test_without_a_mini_program_the_route_is_closed(call: Caller, coze: CozeStandIn) -> None:
    status, body, _ = call("POST /wechat/token", {"code": "x"})
    assert (status, body["error"]) == (403, "access_denied")


def test_health_answers_without_asking_anybody(call: Caller, coze: CozeStandIn) -> None:
    assert call("GET /health")[:2] == (200, {"status": "ok"})


def test_an_unknown_route_is_404(call: Caller) -> None:
    status, body, _ = call("GET /token", authorizer=signed_in("alice"))
    assert (status, body["error"]) == (404, "not_found")


def test_a_key_that_coze_does_not_know_is_502_and_the_log_says_what_to_do(
    call: Caller,
    coze: CozeStandIn,
    config: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    coze.forget_key(kid=config["public_key_id"])
    status, body, _ = call("POST /token", authorizer=signed_in("alice"))
    assert (status, body["error"]) == (502, "upstream_rejected")
    assert "region" not in body["error_description"]
    assert "other region" in capsys.readouterr().out
    _, body, _ = call("POST /backend/token", {"session_name": "alice"}, authorizer=IAM)
    assert "other region" in body["error_description"]


@pytest.mark.parametrize("signs", ["its own key"], indirect=True)
def test_a_damaged_file_before_a_foreign_one_does_not_make_each_request_ask_coze(
    load: Callable[[str], ModuleType],
    environment: dict[str, str],
    config: dict[str, str],
    coze: CozeStandIn,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As a first set-up goes: a key that was cut off, then one of the other region."""
    damaged = {"private_key": config["private_key"][:100], "public_key_id": "first"}
    for mistake in (damaged, {"public_key_id": "elsewhere"}):
        boto3.client("secretsmanager").put_secret_value(
            SecretId=environment["COZE_SECRET_ID"], SecretString=json.dumps(config | mistake)
        )
    call, before = Caller(load("token").lambda_handler), coze.requests_seen
    answers = [call("POST /token", authorizer=signed_in(f"u-{n}")) for n in range(5)]
    assert {(status, body["error"]) for status, body, _ in answers} == {(502, "upstream_rejected")}
    assert coze.requests_seen - before == 1
    assert "other region" in capsys.readouterr().out


def test_coze_failing_is_503_with_retry_after(call: Caller, coze: CozeStandIn) -> None:
    coze.fail_next(status=500, body={"code": 5000, "msg": "internal"}, times=10)
    status, body, headers = call("POST /token", authorizer=signed_in("alice"))
    assert (status, body["error"]) == (503, "temporarily_unavailable")
    assert int(headers["retry-after"]) >= 1


def test_a_secret_without_a_value_is_500_and_the_log_names_the_command(
    environment: dict[str, str],
    load: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    empty = boto3.client("secretsmanager").create_secret(Name="empty")["ARN"]
    monkeypatch.setenv("COZE_SECRET_ID", empty)
    status, body, _ = Caller(load("token").lambda_handler)("POST /guest/token", {})
    assert (status, body["error"]) == (500, "server_error")
    assert empty not in str(body)
    assert "put-secret-value" in capsys.readouterr().out


def test_a_table_that_is_gone_costs_no_visitor_their_token(
    call: Caller, environment: dict[str, str]
) -> None:
    boto3.client("dynamodb").delete_table(TableName=environment["TOKEN_TABLE"])
    assert call("POST /token", authorizer=signed_in("alice"))[0] == 200


def test_a_bug_of_ours_tells_a_stranger_nothing(
    load: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = load("token")

    def break_down(_request: object) -> None:
        raise RuntimeError("czs_secret")

    monkeypatch.setitem(app.ROUTES, "GET /health", break_down)
    status, body, _ = Caller(app.lambda_handler)("GET /health")
    assert (status, body["error"]) == (500, "server_error")
    printed = capsys.readouterr().out
    assert "czs_secret" not in printed + str(body)
    assert "break_down" in printed


def test_no_secret_and_no_name_is_logged(
    call: Caller, config: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("coze-sts").setLevel(logging.DEBUG)
    _, user, _ = call("POST /token", authorizer=signed_in("alice-the-visitor"))
    _, guest, _ = call("POST /guest/token", {})
    call("POST /guest/token", {"guest_ticket": guest["guest_ticket"] + "x"})
    call("POST /token", rejecting(user), authorizer=signed_in("alice-the-visitor"))
    printed = capsys.readouterr().out
    assert printed.count('"message":"answered"') == 3
    for secret in (user["token"], guest["token"], guest["guest_ticket"], "alice-the-visitor"):
        assert secret not in printed
    assert config["private_key"][40:80] not in printed


def test_every_request_is_one_log_line_and_one_metric_record(
    call: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    call("POST /token", authorizer=signed_in("alice"))
    capsys.readouterr()
    call("POST /token", authorizer=signed_in("alice"))
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [("_aws" in record) for record in records] == [True, False]
    metric, line = records
    assert metric["MemoryHit"] == [1.0]
    assert line["correlation_id"] == "req-1"
    assert (line["route"], line["status"], line["source"]) == ("POST /token", 200, "MemoryHit")
    assert len(line["session"]) == 16


def test_a_ticket_of_a_key_that_was_just_added_is_known_at_once(
    environment: dict[str, str], load: Callable[[str], ModuleType], coze: CozeStandIn
) -> None:
    secrets, name = boto3.client("secretsmanager"), environment["CACHE_KEY_SECRET_ID"]
    old, new = load("token"), load("token")
    Caller(old.lambda_handler)("POST /guest/token")
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps({"1": "k" * 64, "2": "n" * 64}))
    _, guest, _ = Caller(new.lambda_handler)("POST /guest/token")
    assert guest["guest_ticket"].startswith("g1.2.")
    old.KEYRING._renewable_at = 0
    status, again, _ = Caller(old.lambda_handler)(
        "POST /guest/token", {"guest_ticket": guest["guest_ticket"]}
    )
    assert status == 200
    assert session_of(coze, again) == session_of(coze, guest)


def test_made_up_tickets_do_not_become_a_flood_at_secrets_manager(
    environment: dict[str, str], load: Callable[[str], ModuleType]
) -> None:
    app = load("token")
    call = Caller(app.lambda_handler)
    call("POST /guest/token")
    asked: list[str] = []
    app.SECRETS.meta.events.register(
        "before-call.secrets-manager.GetSecretValue", lambda **_: asked.append("x")
    )
    for _ in range(5):
        assert call("POST /guest/token", {"guest_ticket": "g1.99.made.up"})[0] == 401
    assert len(asked) <= 1


def test_the_log_keeps_which_server_acted_for_a_user(
    call: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    call("POST /backend/token", {"session_name": "u-42"}, authorizer=IAM)
    assert f'"principal":"{IAM["iam"]["userArn"]}"' in capsys.readouterr().out


def test_names_that_lost_their_bytes_are_refused_and_share_nothing(
    call: Caller, coze: CozeStandIn
) -> None:
    for name in ("张三", "李四"):
        lost = name.encode("gbk").decode(errors="replace")
        body = f'{{"session_name": "{lost}"}}'
        assert call("POST /backend/token", raw=body, authorizer=IAM)[0] == 400
    assert not coze.exchanges


def test_a_visitors_name_is_not_logged_even_where_coze_repeats_it(
    call: Caller, coze: CozeStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {"error_code": "invalid_request", "error_message": "session_name alice@bank.cn is bad"}
    coze.fail_next(status=400, body=body)
    call("POST /token", authorizer=signed_in("alice@bank.cn"))
    printed = capsys.readouterr().out
    assert "(invalid_request): [removed]" in printed
    assert "alice" not in printed


def test_a_name_cannot_make_the_fleet_believe_that_the_key_is_unknown(
    call: Caller, coze: CozeStandIn
) -> None:
    body = {"error_code": "invalid_request", "error_message": "bad name: kid registered"}
    coze.fail_next(status=400, body=body)
    assert call("POST /token", authorizer=signed_in("kid registered"))[0] == 502
    assert call("POST /token", authorizer=signed_in("bob"))[0] == 200


def test_a_redirect_of_cozes_is_not_followed(call: Caller, coze: CozeStandIn) -> None:
    coze.fail_next(status=302, body=b"", headers={"Location": "https://elsewhere.example/"})
    status, answer, _ = call("POST /token", authorizer=signed_in("alice"))
    assert (status, answer["error"]) == (502, "upstream_rejected")
    assert coze.requests_seen == 1


def test_the_libraries_never_log_what_they_receive(
    call: Caller, config: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        call("POST /token", authorizer=signed_in("alice"))
    assert config["private_key"][40:80] not in caplog.text
    assert "botocore" not in {record.name.partition(".")[0] for record in caplog.records}


def test_a_request_that_finds_its_token_asks_nothing_of_kms(
    load: Callable[[str], ModuleType], signs: str
) -> None:
    warm, cold = load("token"), load("token")
    for app in (warm, cold):
        assert Caller(app.lambda_handler)("POST /token", authorizer=signed_in("alice"))[0] == 200
    assert warm.KMS.cache_info().currsize == (signs == "KMS")
    assert cold.KMS.cache_info().currsize == 0
