"""Every metric that an alarm or the dashboard watches, from the functions in that situation."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event, Thread
from types import ModuleType
from typing import Any
from unittest import mock

import boto3
import pytest
from coze_sts.coze import mint
from coze_sts.errors import StsError

from tests.functions.conftest import Caller, signed_in
from tests.local.coze import CozeStandIn
from tests.template import alarms
from tests.template.variants import PLAIN, REGIONS

STACKS = [replace(PLAIN, partition=partition) for partition in REGIONS]
WATCHED = {watched for stack in STACKS for watched in alarms.own_metrics(stack)}
UNITS = {"CozeLatency": "Milliseconds", "BudgetUsed": "Percent"}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The functions and what they depend on, to be brought into a situation."""

    load: Callable[[str], ModuleType]
    coze: CozeStandIn
    client_id: str
    environment: dict[str, str]
    monkeypatch: pytest.MonkeyPatch

    def process(self) -> Caller:
        """TokenFunction, cold started."""
        return Caller(self.load("token").lambda_handler)

    def ask(self, name: str = "alice", *, of: Caller | None = None, **body: str) -> Any:
        """A token for a user, from a new process or from one that is there."""
        return (of or self.process())("POST /token", body, authorizer=signed_in(name))[1]

    def change_row(self, expression: str, **values: Any) -> None:
        """Writes into the one row of a session."""
        dynamodb, table = boto3.client("dynamodb"), self.environment["TOKEN_TABLE"]
        items = dynamodb.scan(TableName=table)["Items"]
        (pk,) = [item["pk"] for item in items if "gen" in item]
        dynamodb.update_item(
            TableName=table,
            Key={"pk": pk},
            UpdateExpression=expression,
            ExpressionAttributeValues=values,
        )

    def before_coze(self, act: Callable[[], None]) -> None:
        """Has something happen whenever Coze is about to be asked."""
        real = mint.mint

        def late(*args: Any, **options: Any) -> Any:
            act()
            return real(*args, **options)

        self.monkeypatch.setattr(mint, "mint", late)


def a_visitor_comes(stage: Stage) -> None:
    stage.ask()


def the_visitor_comes_again(stage: Stage) -> None:
    process = stage.process()
    stage.ask(of=process)
    stage.ask(of=process)


def the_visitor_comes_to_another_process(stage: Stage) -> None:
    stage.ask()
    stage.ask()


def two_come_at_once(stage: Stage) -> None:
    """The second finds the lease taken, waits, and is served by the first one's token."""
    waiting, served = Event(), Event()

    def sleep(_seconds: float) -> None:
        waiting.set()
        assert served.wait(10)

    leader = stage.process()
    with stage.monkeypatch.context() as patched:
        patched.setattr(time, "sleep", sleep)
        follower = stage.process()
    second = Thread(target=lambda: stage.ask(of=follower))

    def begin() -> None:
        second.start()
        assert waiting.wait(10)

    stage.before_coze(begin)
    stage.ask(of=leader)
    served.set()
    second.join(10)


def coze_fails_a_renewal(stage: Stage) -> None:
    stage.ask()
    now = time.time() + 3000
    stage.monkeypatch.setattr(time, "time", lambda: now)
    coze_fails(stage)


def a_token_is_rejected(stage: Stage) -> None:
    process = stage.process()
    token = stage.ask(of=process)["access_token"]
    stage.ask(of=process, rejected_token=hashlib.sha256(token.encode()).hexdigest())


def coze_fails(stage: Stage) -> None:
    stage.coze.fail_next(status=500, body={"code": 5000, "msg": "internal"}, times=9)
    stage.ask()


def coze_says_429(stage: Stage) -> None:
    stage.coze.fail_next(status=429, body={}, times=9)
    stage.ask()


def coze_refuses_the_key(stage: Stage) -> None:
    stage.coze.disable_app(client_id=stage.client_id)
    stage.ask()


def the_request_has_no_proof(stage: Stage) -> None:
    stage.process()("POST /token")


def the_table_is_gone(stage: Stage) -> None:
    boto3.client("dynamodb").delete_table(TableName=stage.environment["TOKEN_TABLE"])
    stage.ask()


def the_secret_is_empty(stage: Stage) -> None:
    empty = boto3.client("secretsmanager").create_secret(Name="empty")["ARN"]
    stage.monkeypatch.setenv("COZE_SECRET_ID", empty)
    stage.ask()


def a_row_is_altered(stage: Stage) -> None:
    stage.ask()
    stage.change_row("SET ct = :other", **{":other": {"B": b"x" * 64}})
    stage.ask()


def a_leader_comes_too_late(stage: Stage) -> None:
    stage.before_coze(
        lambda: stage.change_row("SET lease_id = :other", **{":other": {"S": "other"}})
    )
    stage.ask()


def the_days_exchanges_are_used(stage: Stage) -> None:
    stage.monkeypatch.setenv("EXCHANGES_PER_DAY", "1")
    stage.ask("alice")
    stage.ask("bob")


def too_many_guests_come(stage: Stage) -> None:
    stage.monkeypatch.setenv("NEW_GUESTS_PER_ADDRESS", "1")
    process = stage.process()
    for _ in range(2):
        process("POST /guest/token", {})


SITUATIONS: dict[str, Callable[[Stage], None]] = {
    "Status2xx": a_visitor_comes,
    "Status4xx": the_request_has_no_proof,
    "Status5xx": coze_fails,
    "MemoryHit": the_visitor_comes_again,
    "TableHit": the_visitor_comes_to_another_process,
    "Waited": two_come_at_once,
    "Exchanged": a_visitor_comes,
    "ExchangedWithoutTable": the_table_is_gone,
    "ServedStale": coze_fails_a_renewal,
    "Forced": a_token_is_rejected,
    "Exchange": a_visitor_comes,
    "ExchangeFailed": coze_fails,
    "CozeLatency": a_visitor_comes,
    "CozeRefused": coze_refuses_the_key,
    "CozeUnavailable": coze_fails,
    "CozeRateLimited": coze_says_429,
    "BudgetUsed": a_visitor_comes,
    "BudgetSpent": the_days_exchanges_are_used,
    "GuestRefused": too_many_guests_come,
    "TableFailed": the_table_is_gone,
    "SecretFailed": the_secret_is_empty,
    "RowDamaged": a_row_is_altered,
    "LeaseLost": a_leader_comes_too_late,
}


@pytest.fixture
def stage(
    load: Callable[[str], ModuleType],
    coze: CozeStandIn,
    config: dict[str, str],
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    return Stage(
        load=load,
        coze=coze,
        client_id=config["client_id"],
        environment=environment,
        monkeypatch=monkeypatch,
    )


def emitted(printed: str) -> dict[alarms.Watched, str]:
    """The metrics that CloudWatch would make of what was printed, and their units."""
    found = {}
    for line in printed.splitlines():
        record = json.loads(line)
        for directive in record.get("_aws", {}).get("CloudWatchMetrics", []):
            for names in directive["Dimensions"]:
                dimensions = tuple((name, record[name]) for name in names)
                for metric in directive["Metrics"]:
                    assert record[metric["Name"]], "a metric without a value"
                    watched = (directive["Namespace"], metric["Name"], dimensions)
                    found[watched] = metric["Unit"]
    return found


@pytest.mark.parametrize("watched", sorted(WATCHED), ids=lambda watched: watched[1])
def test_what_is_watched_is_emitted_with_those_dimensions(
    watched: alarms.Watched, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    name = watched[1]
    SITUATIONS[name](stage)
    assert emitted(capsys.readouterr().out).get(watched) == UNITS.get(name, "Count")


def test_an_answer_that_asks_nobody_makes_none_but_its_status(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is always there would prove nothing above."""
    stage.process()("GET /health")
    assert {name for _, name, _ in emitted(capsys.readouterr().out)} == {"Status2xx"}


def a_rotation_finds_no_staged_key(stage: Stage) -> None:
    event = {"SecretId": stage.environment["COZE_SECRET_ID"], "ClientRequestToken": "v" * 32}
    with pytest.raises(StsError):
        stage.load("key_rotation").lambda_handler({"Step": "createSecret", **event}, None)


def a_rotation_crashes(stage: Stage) -> None:
    broken = mock.patch("coze_sts.key_rotation.KeyRotation.run", side_effect=KeyError)
    with broken:
        a_rotation_finds_no_staged_key(stage)


def the_doctor_is_asked(stage: Stage) -> None:
    stage.load("doctor").lambda_handler({}, None)


def the_doctor_is_asked_for_what_it_does_not_know(stage: Stage) -> None:
    with pytest.raises(StsError):
        stage.load("doctor").lambda_handler({"unknown": "field"}, None)


@pytest.mark.parametrize(
    "situation",
    [
        a_rotation_finds_no_staged_key,
        a_rotation_crashes,
        the_doctor_is_asked,
        the_doctor_is_asked_for_what_it_does_not_know,
    ],
)
def test_what_no_visitor_waits_for_is_no_answer_to_a_visitor(
    situation: Callable[[Stage], None], stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """Secrets Manager repeats a rotation that fails: it would ring ServerErrorAlarm."""
    situation(stage)
    printed = capsys.readouterr().out
    assert printed
    assert emitted(printed) == {}


def test_no_situation_is_left_over() -> None:
    assert SITUATIONS.keys() == {name for _, name, _ in WATCHED}
