"""The one line that a request leaves: what was decided, for whom, and by which token."""

import hashlib
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import boto3
import pytest
from coze_sts.errors import StsError

from tests.functions.conftest import ORIGIN, RING, Caller, signed_in
from tests.local.coze import CozeStandIn

ALWAYS = {"level", "message", "timestamp", "service", "route", "correlation_id", "status"}
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=0"
ROLE = {
    "iam": {"userArn": "arn:aws:sts::123456789012:assumed-role/chat-backend/i-0a1b2c3d4e5f6a7b8"}
}

Log = Callable[[], dict[str, Any]]


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Log:
    """The only line of the log since the last look."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)  # which Lambda always sets

    def log() -> dict[str, Any]:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        (line,) = [line for line in lines if "_aws" not in line]
        assert line.pop("correlation_id") == "req-1"
        assert line.pop("service") == "coze-sts"
        assert line.pop("timestamp")
        return line

    return log


def decided(line: dict[str, Any]) -> tuple[str | None, int, str | None]:
    return line.get("decision"), line["status"], line.get("error")


def keys(line: dict[str, Any]) -> set[str]:
    """Those beside what is always there."""
    return line.keys() - ALWAYS


def digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(body["access_token"].encode()).hexdigest()[:32]


def test_a_token_that_coze_gave_is_issued(call: Caller, log: Log) -> None:
    _, body, _ = call("POST /token", authorizer=signed_in("alice"))
    line = log()
    assert keys(line) == {"decision", "origin", "session", "source", "token", "coze_log_id"}
    assert line["coze_log_id"]
    assert {name: line[name] for name in line if name != "coze_log_id"} == {
        "level": "INFO",
        "message": "answered",
        "route": "POST /token",
        "status": 200,
        "decision": "issued",
        "origin": ORIGIN,
        "session": RING.log_hash("alice"),
        "source": "Exchanged",
        "token": digest(body),
    }


def test_a_token_that_was_found_is_issued_and_says_where(
    load: Callable[[str], ModuleType], log: Log
) -> None:
    for source in ("Exchanged", "TableHit"):
        call = Caller(load("token").lambda_handler)
        _, body, _ = call("POST /token", authorizer=signed_in("alice"))
        assert log()["source"] == source
    call("POST /token", authorizer=signed_in("alice"))
    line = log()
    assert keys(line) == {"decision", "origin", "session", "source", "token"}
    assert (line["source"], line["token"]) == ("MemoryHit", digest(body))


def test_a_guests_line_has_their_session_and_neither_ticket_nor_name(
    call: Caller, log: Log, coze: CozeStandIn
) -> None:
    _, body, _ = call("POST /guest/token")
    line = log()
    assert keys(line) == {"decision", "origin", "session", "source", "token", "coze_log_id"}
    name = coze.tokens[body["access_token"]].session_name
    assert name
    assert line["session"] == RING.log_hash(name)
    assert not {name, body["guest_ticket"]} & set(map(str, line.values()))


def test_who_was_a_guest_is_found_by_the_session_and_by_who_they_are(
    call: Caller, log: Log
) -> None:
    _, guest, _ = call("POST /guest/token")
    session = log()["session"]
    call("POST /token", {"guest_ticket": guest["guest_ticket"]}, authorizer=signed_in("alice"))
    line = log()
    assert keys(line) >= {"session", "caller"}
    assert (line["session"], line["caller"]) == (session, RING.log_hash("alice"))


def test_a_pseudonym_is_found_by_the_name_behind_it_too(
    call: Caller, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESSION_NAMING", "pseudonymous")
    call("POST /token", authorizer=signed_in("alice"))
    line = log()
    assert line["caller"] == RING.log_hash("alice") != line["session"]


def test_a_backends_line_names_the_backend(call: Caller, log: Log) -> None:
    call("POST /backend/token", {"session_name": "alice"}, authorizer=ROLE)
    line = log()
    assert keys(line) == {"decision", "principal", "session", "source", "token", "coze_log_id"}
    assert decided(line) == ("issued", 200, None)
    assert line["principal"] == ROLE["iam"]["userArn"]


def test_an_assertion_is_issued_to_a_backend(load: Callable[[str], ModuleType], log: Log) -> None:
    sign = Caller(load("assertion").lambda_handler)
    sign("POST /backend/assertion", {"session_name": "alice"}, authorizer=ROLE)
    line = log()
    assert keys(line) == {"decision", "principal", "session"}
    assert decided(line) == ("issued", 200, None)


@pytest.mark.parametrize(
    ("route", "body", "authorizer", "who"),
    [
        ("DELETE /token", None, signed_in("alice"), "origin"),
        ("DELETE /backend/token", {"session_name": "alice"}, ROLE, "principal"),
    ],
)
def test_a_token_that_was_forgotten_is_forgotten(
    call: Caller, log: Log, *, route: str, body: object, authorizer: dict[str, Any], who: str
) -> None:
    call("POST /token", authorizer=signed_in("alice"))
    log()
    call(route, body, authorizer=authorizer)
    line = log()
    assert keys(line) == {"decision", "session", who}
    assert decided(line) == ("forgotten", 204, None)


def test_health_decides_nothing(call: Caller, log: Log) -> None:
    call("GET /health")
    line = log()
    assert keys(line) == set()
    assert decided(line) == (None, 200, None)


# Who gets nothing


def test_a_bad_request_is_refused(call: Caller, log: Log) -> None:
    call("POST /token", {"x": "y"}, authorizer=signed_in("alice"))
    line = log()
    assert keys(line) == {"caller", "decision", "error", "origin"}
    assert decided(line) == ("refused", 400, "invalid_request")
    assert line["level"] == "WARNING"


def test_a_ticket_that_is_not_valid_is_refused(call: Caller, log: Log) -> None:
    call("POST /guest/token", {"guest_ticket": "g1.1.made.up"})
    line = log()
    assert keys(line) == {"decision", "error", "origin"}
    assert decided(line) == ("refused", 401, "invalid_token")


@pytest.mark.parametrize(
    ("origin", "told"), [("https://evil.example", "foreign"), ("null", "foreign"), (None, "none")]
)
def test_a_foreign_page_is_refused_and_not_quoted(
    call: Caller, log: Log, origin: str | None, told: str
) -> None:
    call("POST /guest/token", origin=origin)
    line = log()
    assert keys(line) == {"decision", "error", "origin"}
    assert decided(line) == ("refused", 403, "access_denied")
    assert line["origin"] == told


def test_a_route_that_is_not_there_is_refused_and_not_quoted(call: Caller, log: Log) -> None:
    call("POST /made-up")
    line = log()
    assert keys(line) == {"decision", "error"}
    assert decided(line) == ("refused", 404, "not_found")
    assert line["route"] == "unknown"


def test_who_asks_too_often_is_refused_by_name(call: Caller, log: Log) -> None:
    for _ in range(2):
        call("POST /token", authorizer=signed_in("alice"))
        log()
        call("DELETE /token", authorizer=signed_in("alice"))
        line = log()
    assert keys(line) == {"decision", "error", "origin", "session"}
    assert decided(line) == ("refused", 429, "slow_down")


def test_what_coze_refuses_has_failed(
    call: Caller, log: Log, coze: CozeStandIn, config: dict[str, str]
) -> None:
    coze.forget_key(kid=config["public_key_id"])
    call("POST /token", authorizer=signed_in("alice"))
    line = log()
    assert keys(line) == {"decision", "error", "origin", "session"}
    assert decided(line) == ("failed", 502, "upstream_rejected")
    assert (line["level"], "region" in line["message"]) == ("ERROR", True)


def test_what_nobody_foresaw_has_failed_and_shows_only_where(
    load: Callable[[str], ModuleType], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = load("token")

    def break_down(_request: object) -> None:
        app.TELEMETRY.note(decision="issued")
        raise RuntimeError("czs_secret")

    monkeypatch.setitem(app.ROUTES, "GET /health", break_down)
    Caller(app.lambda_handler)("GET /health")
    line = log()
    assert keys(line) == {"decision", "error", "exception_name", "places"}
    assert decided(line) == ("failed", 500, "server_error")


def test_four_hundreds_are_refused_and_five_hundreds_have_failed(
    load: Callable[[str], ModuleType], log: Log
) -> None:
    telemetry = load("token").TELEMETRY
    for status in (400, 401, 403, 404, 429, 499, 500, 502, 503):
        kind = type("Odd", (StsError,), {"status": status, "code": "odd"})
        telemetry.begin(route="POST /token", request_id="req-1")
        telemetry.note(decision="issued")
        telemetry.refused(kind("no"))
        assert decided(log()) == ("refused" if status < 500 else "failed", status, "odd")


def test_a_failure_that_the_visitor_does_not_feel_has_a_line_of_its_own_that_decides_nothing(
    call: Caller, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("dynamodb").delete_table(TableName=environment["TOKEN_TABLE"])
    call("POST /token", authorizer=signed_in("alice"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    warning, answer = (line for line in lines if "_aws" not in line)
    assert warning["level"] == "WARNING"
    assert not {"decision", "status", "token"} & warning.keys()
    assert warning["session"] == answer["session"]
    assert (answer["decision"], answer["source"]) == ("issued", "ExchangedWithoutTable")
