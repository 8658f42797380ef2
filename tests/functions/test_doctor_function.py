"""DoctorFunction, over moto's AWS and the stand-in: its report, its log, what it refuses."""

import json
from collections.abc import Callable
from functools import cache, partial
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest
from coze_sts.errors import InvalidRequest, StsError

from tests.factories import CANARY, everything_told
from tests.functions.conftest import ORIGIN
from tests.local.coze import CozeStandIn

Ask = Callable[..., dict[str, Any]]
CONTEXT = SimpleNamespace(aws_request_id="req-1")


@pytest.fixture
def app(load: Callable[[str], ModuleType]) -> Callable[[], ModuleType]:
    """The function, which starts at the first call."""
    return cache(partial(load, "doctor"))


@pytest.fixture
def ask(app: Callable[[], ModuleType], environment: dict[str, str]) -> Ask:
    """Asks with these fields; the answer is each check's findings."""
    boto3.client("dynamodb").update_time_to_live(
        TableName=environment["TOKEN_TABLE"],
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "purge_at"},
    )

    def ask(**fields: object) -> dict[str, Any]:
        report = app().lambda_handler(fields, CONTEXT)
        return json.loads(json.dumps(report))

    return ask


def keys(report: dict[str, Any]) -> set[str]:
    return {finding["finding"] for finding in report["findings"]}


def logged(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if "_aws" not in line]
    return line


def test_a_stack_in_good_health_has_a_good_report(ask: Ask) -> None:
    report = ask(bot_id="7000000000000000001")
    assert keys(report) >= {"secret.read", "exchange.done", "api.published", "table.purged"}
    assert (report["status"], report["counts"]["fail"]) == ("skipped", 0)


@pytest.mark.parametrize("signs", ["KMS"])
def test_where_kms_signs_the_key_is_tried_with_a_signature_of_kms(ask: Ask) -> None:
    assert keys(ask()) >= {"config.read", "key.kms", "kid.shaped", "exchange.done"}


@pytest.mark.parametrize("signs", ["KMS"])
def test_a_key_that_kms_does_not_have_is_told_and_coze_not_asked(
    ask: Ask, coze: CozeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    monkeypatch.setenv("SIGNING_KEY_ARN", none)
    (exchange,) = [f for f in ask()["findings"] if f["check"] == "exchange"]
    assert exchange["finding"] == "exchange.unsigned"
    assert "(NotFoundException): there is no such key in this region" in exchange["message"]
    assert coze.exchanges == []


def test_no_event_at_all_is_a_question_too(app: Callable[[], ModuleType]) -> None:
    assert app().lambda_handler(None, CONTEXT)["findings"]


def test_the_report_is_in_the_language_asked_for(ask: Ask) -> None:
    assert "正常" in ask(lang="zh")["summary"]


def test_a_secret_without_a_value_is_told_with_the_command_that_stores_it(
    ask: Ask, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = boto3.client("secretsmanager").create_secret(Name="empty")["ARN"]
    monkeypatch.setenv("COZE_SECRET_ID", empty)
    (finding,) = [f for f in ask()["findings"] if f["check"] == "secret"]
    assert finding["finding"] == "secret.unreadable"
    assert "aws secretsmanager put-secret-value" in finding["message"]


def test_a_table_that_keeps_its_rows_is_told(
    app: Callable[[], ModuleType], environment: dict[str, str]
) -> None:
    assert "table.kept" in keys(app().lambda_handler({}, CONTEXT))


def test_a_table_that_is_not_there_is_told(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_TABLE", "none")
    assert "table.unreadable" in keys(ask())


def test_settings_that_are_wrong_are_told_and_do_not_keep_the_function_from_starting(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESSION_NAMING", "hashed")
    report = ask()
    assert keys(report) == {"settings.faulty"}
    assert "SESSION_NAMING must be plain or pseudonymous" in report["findings"][0]["message"]


def test_the_origins_are_those_of_the_settings(ask: Ask) -> None:
    report = ask(endpoint="http://127.0.0.1:9")
    assert "preflight.silent" in keys(report)
    assert ORIGIN not in json.dumps(ask()["findings"])


def test_the_log_says_that_it_was_asked_and_nothing_of_what_it_found(
    ask: Ask, coze: CozeStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(bot_id="7000000000000000001")
    line = logged(capsys)
    assert (line["route"], line["status"], line["correlation_id"]) == ("doctor", 200, "req-1")
    assert not any(token in json.dumps(line) for token in coze.tokens)


def test_an_unknown_field_is_refused_and_asks_nothing_of_coze(
    ask: Ask, coze: CozeStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidRequest, match="a field is unknown"):
        ask(url="https://www.example.com")
    assert coze.requests_seen == 0
    assert logged(capsys)["level"] == "WARNING"


def test_what_nobody_foresaw_is_raised_without_its_words(
    app: Callable[[], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def break_down(*_: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr(app(), "examine", break_down)
    with pytest.raises(StsError) as raised:
        app().lambda_handler({}, CONTEXT)
    line = logged(capsys)
    assert line["exception_name"] == "ValueError"
    assert CANARY not in json.dumps(line) + everything_told(raised.value)
