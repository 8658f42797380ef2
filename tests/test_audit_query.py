"""Everything about one visitor, found in lines that the functions themselves wrote."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from coze_sts.audit import __main__ as command
from coze_sts.audit.visitor import (
    DAY_SECONDS,
    FIELDS,
    FUNCTIONS,
    MAX_LINES,
    Clients,
    lines_about,
    query,
)
from coze_sts.errors import StsError
from coze_sts.keyring import Keyring, parse_keyring
from moto import mock_aws

from tests.canaries import planted
from tests.canaries.grep import Canary, Grep
from tests.canaries.insights import Event, found
from tests.canaries.run import run
from tests.canaries.site import Site
from tests.canaries.visits import guest, phone, server, signed_in, user
from tests.factories import NOW, Clock
from tests.local import template

ROOT = Path(__file__).parents[1]
STACK, BOB = "coze-sts", "bob of another page"
RING = planted.CACHE_KEYS | {"3": planted.random_text("a key that was added since") * 2}
GROUPS = [f"/aws/lambda/{STACK}/{function}" for function in ("token", "assertion", "key-rotation")]


def a_day(site: Site) -> None:
    """A guest who becomes Alice, Alice elsewhere, and Bob who tries to become that guest, too."""
    site.ask(user(), session=None)
    ticket = site.ask(guest(turnstile_token=site.human())).body["guest_ticket"]
    site.ask(guest(ticket))
    site.ask(user(body={"guest_ticket": ticket}), session=None)
    site.ask(user(method="DELETE"))
    site.ask(server("POST /backend/assertion", session_name=planted.SUB), session=None)
    site.ask(guest(ticket))
    site.ask(user(BOB, body={"guest_ticket": ticket}), session=None)
    site.ask(user(BOB, number=2), session=None)
    site.ask(user(BOB), authorizer=signed_in(None))
    site.ask(phone(site.code()))
    site.restart(SESSION_NAMING="pseudonymous")
    site.ask(user(BOB), session=None)


@pytest.fixture(scope="module")
def day() -> tuple[list[str], str]:
    """The lines of the day, and the guest's name."""
    report = run({"a day": a_day}, level="INFO")
    names = [canary.text for canary in report.canaries if canary.kind == "guest's name"]
    return report.evidence.printed(), f"guest_{names[0]}"


@pytest.fixture
def lines(day: tuple[list[str], str]) -> list[str]:
    return day[0]


@pytest.fixture
def keyring() -> Keyring:
    return parse_keyring(json.dumps(RING))


@pytest.fixture
def clients(lines: list[str]) -> Iterator[Clients]:
    """A stack in moto, whose log groups hold the lines; moto itself knows no filter."""
    with mock_aws(), mock.patch("moto.logs.models.execute_query", _execute):
        region = {"region_name": "eu-west-1"}
        clients = Clients(
            cloudformation=boto3.client("cloudformation", **region),
            logs=boto3.client("logs", **region),
            secretsmanager=boto3.client("secretsmanager", **region),
        )
        secret = clients.secretsmanager.create_secret(Name="ring", SecretString=json.dumps(RING))
        deploy(clients, STACK, {"CacheKeySecretArn": {"Value": secret["ARN"]}})
        for group in GROUPS:
            clients.logs.create_log_stream(logGroupName=group, logStreamName="one")
        for group, of_group in ((GROUPS[1], "/assertion"), (GROUPS[0], "")):
            events = [
                {"timestamp": NOW * 1000 + number, "message": line}
                for number, line in enumerate(lines)
                if ("/backend/assertion" in line) is bool(of_group)
            ]
            clients.logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)
        yield clients


def deploy(clients: Clients, name: str, outputs: dict[str, Any]) -> None:
    """A stack with the log groups of its functions, and these outputs."""
    groups = {
        f"Group{number}": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": group.replace(STACK, name)},
        }
        for number, group in enumerate(GROUPS)
    }
    body = json.dumps({"Resources": groups, "Outputs": outputs})
    clients.cloudformation.create_stack(StackName=name, TemplateBody=body)


def _execute(
    log_groups: list[Any], query: str, start_time: int, end_time: int
) -> list[dict[str, str]]:
    events = [
        Event(at=event.timestamp, text=event.message)
        for group in log_groups
        for stream in group.streams.values()
        for event in stream.events
        if start_time * 1000 <= event.timestamp <= end_time * 1000
    ]
    return found(events, query)


Ask = Callable[..., str]


@pytest.fixture
def ask(clients: Clients) -> Ask:
    """Runs the command, an hour after the day."""

    def ask(*arguments: str, hours: int = 1) -> str:
        return command.report(
            ["--stack", STACK, *arguments],
            connect=lambda: clients,
            clock=Clock(float(NOW + hours * 3600)),
            sleep=_never,
        )

    return ask


def _never(_seconds: float) -> None:
    raise AssertionError("there is nothing to wait for")


def told(table: str) -> list[tuple[str, str, str]]:
    """Decision, route and status of each line."""
    head, *rows = table.splitlines()
    starts = [head.index(name) for name in ("decision", "route", "status")]
    ends = [starts[1], starts[2], starts[2] + 3]
    return [
        tuple(row[start:end].strip() for start, end in zip(starts, ends, strict=True))  # type: ignore[misc]
        for row in rows
    ]


def test_a_user_is_found_before_and_after_they_took_over_a_guests_session(ask: Ask) -> None:
    assert told(ask(planted.SUB)) == [
        ("issued", "POST /token", "200"),
        ("issued", "POST /token", "200"),
        ("forgotten", "DELETE /token", "204"),
        ("issued", "POST /backend/assertion", "200"),
    ]


def test_a_guest_is_found_with_all_who_came_to_have_or_wanted_their_session(
    ask: Ask, day: tuple[list[str], str]
) -> None:
    assert told(ask(day[1])) == [
        ("issued", "POST /guest/token", "200"),
        ("issued", "POST /guest/token", "200"),
        ("issued", "POST /token", "200"),
        ("forgotten", "DELETE /token", "204"),
        ("issued", "POST /backend/assertion", "200"),
        ("refused", "POST /guest/token", "401"),
        ("refused", "POST /token", "401"),
    ]


def test_a_user_is_found_by_the_claim_whatever_coze_is_told(ask: Ask) -> None:
    assert told(ask(BOB)) == [("refused", "POST /token", "401"), ("issued", "POST /token", "200")]


def test_a_user_of_a_later_issuer_is_found_with_the_prefix(ask: Ask) -> None:
    assert told(ask(planted.PREFIXES[1] + BOB)) == [("issued", "POST /token/2", "200")]


def test_a_user_of_the_mini_program_is_found_by_their_openid(ask: Ask) -> None:
    assert told(ask(f"wechat_{planted.OPENID}")) == [("issued", "POST /wechat/token", "200")]


def test_somebody_who_was_never_here_is_not_found(ask: Ask) -> None:
    assert "No line in the last 30 days" in ask("nobody")
    assert "No line" in ask(planted.SUB.upper())


def test_what_is_older_than_the_days_asked_for_is_not_found(ask: Ask) -> None:
    assert "No line in the last 1 days" in ask("--days", "1", planted.SUB, hours=25)
    assert len(told(ask("--days", "2", planted.SUB, hours=25))) == 4


def test_every_field_that_is_asked_for_is_in_some_line(lines: list[str]) -> None:
    logged = {name for line in lines if "_aws" not in line for name in json.loads(line)}
    assert set(FIELDS) - logged == {"@timestamp"}


def test_the_query_that_the_stack_saves_is_the_commands(keyring: Keyring, ask: Ask) -> None:
    (saved,) = [
        resource["Properties"]
        for resource in template.expand().values()
        if resource["Type"] == "AWS::Logs::QueryDefinition"
    ]
    digest = keyring.log_hash(planted.SUB)
    assert saved["QueryString"].replace("HASH", digest) == query(digest)
    assert ask("--query-only", planted.SUB) == query(digest)
    assert saved["Name"] == f"{STACK}/everything-about-a-visitor"


@pytest.mark.parametrize("partition", ["aws", "aws-cn"])
def test_the_query_looks_into_the_groups_that_the_functions_write(partition: str) -> None:
    resources = template.expand(partition=partition)
    groups = {
        f"${{{name}}}": resource["Properties"]["LogGroupName"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Logs::LogGroup"
    }
    saved = resources["VisitorQuery"]["Properties"]["LogGroupNames"]
    assert [groups[name] for name in saved] == GROUPS
    assert {f"/aws/lambda/{STACK}/{function}" for function in FUNCTIONS} <= set(GROUPS)


# CloudWatch Logs, call by call


@pytest.fixture
def logs() -> Iterator[Stubber]:
    client = boto3.client(
        "logs", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y"
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def started(logs: Stubber, *answers: dict[str, Any]) -> None:
    asked = {
        "logGroupNames": GROUPS[:2],
        "startTime": NOW - 7 * DAY_SECONDS,
        "endTime": NOW,
        "queryString": query("0123456789abcdef"),
    }
    logs.add_response("start_query", {"queryId": "q"}, asked)
    for answer in answers:
        logs.add_response("get_query_results", {"results": []} | answer, {"queryId": "q"})


def look(logs: Stubber, clock: Clock) -> list[dict[str, str]]:
    def sleep(seconds: float) -> None:
        clock.now += seconds

    clients = Clients(cloudformation=None, logs=logs.client, secretsmanager=None)  # type: ignore[arg-type]
    return lines_about(
        "0123456789abcdef", stack=STACK, days=7, clients=clients, clock=clock, sleep=sleep
    )


def test_a_query_is_waited_for(logs: Stubber, clock: Clock) -> None:
    row = [{"field": "decision", "value": "issued"}, {"field": "@ptr", "value": "p"}]
    running = {"status": "Running", "results": [row]}
    complete = {"status": "Complete", "results": [row, row]}
    started(logs, {"status": "Scheduled"}, running, complete)
    assert look(logs, clock) == [{"decision": "issued", "@ptr": "p"}] * 2
    assert clock.now == NOW + 2


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout", "Unknown"])
def test_a_query_that_fails_is_no_answer(logs: Stubber, clock: Clock, status: str) -> None:
    started(logs, {"status": status})
    with pytest.raises(StsError) as failed:
        look(logs, clock)
    assert status in (failed.value.operator or "")


def test_a_list_that_is_cut_says_so(clients: Clients, ask: Ask, keyring: Keyring) -> None:
    line = json.dumps({"session": keyring.log_hash("busy"), "decision": "issued"})
    events = [{"timestamp": NOW * 1000, "message": line}] * MAX_LINES
    clients.logs.put_log_events(logGroupName=GROUPS[0], logStreamName="one", logEvents=events)
    assert f"first {MAX_LINES} lines" in ask("busy")
    assert "first" not in ask(planted.SUB)


def test_fields_that_no_line_has_take_no_room(ask: Ask) -> None:
    head = ask(f"wechat_{planted.OPENID}").splitlines()[0].split()
    assert head == [name for name in FIELDS if name not in ("error", "principal")]
    assert "principal" in ask(planted.SUB).splitlines()[0]


# What goes wrong, and what is never told


def seen(text: str) -> set[str]:
    canaries = [Canary(kind=number, text=text) for number, text in RING.items()]
    return {find.kind for find in Grep(canaries)(text)}


def printed(clients: Clients, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """All that the command says where it is run from a shell."""
    words = ["coze_sts.audit", "--stack", STACK, *arguments]
    with (
        mock.patch("sys.argv", words),
        mock.patch.object(command, "_connect", return_value=clients),
    ):
        try:
            command.main()
        except SystemExit as end:
            print(end.code)
    return "".join(capsys.readouterr())


@pytest.mark.parametrize("option", [[], ["--query-only"], ["--days", "3"]])
def test_the_keys_are_never_printed(
    clients: Clients, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    text = printed(clients, capsys, *option, planted.SUB)
    assert text
    assert seen(text) == set()
    assert seen(json.dumps(RING)) == set(RING)


@pytest.mark.parametrize(
    "stored",
    [
        planted.CACHE_KEYS["1"],
        json.dumps({"one": planted.CACHE_KEYS["1"]}),
        json.dumps({"1": planted.CACHE_KEYS["1"][:20]}),
        json.dumps(RING)[:-1],
    ],
)
def test_a_ring_that_cannot_be_used_is_not_told_either(
    clients: Clients, capsys: pytest.CaptureFixture[str], stored: str
) -> None:
    clients.secretsmanager.put_secret_value(SecretId="ring", SecretString=stored)
    text = printed(clients, capsys, planted.SUB)
    assert "CACHE_KEY_SECRET_ID" in text
    assert "Traceback" not in text
    assert seen(text) == set()


def test_what_aws_says_of_the_secret_is_not_repeated(
    clients: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = {"Error": {"Code": "AccessDeniedException", "Message": json.dumps(RING)}}
    refused = ClientError(answer, "GetSecretValue")  # type: ignore[arg-type]
    with mock.patch.object(clients.secretsmanager, "get_secret_value", side_effect=refused):
        text = printed(clients, capsys, planted.SUB)
    assert "AccessDeniedException" in text
    assert seen(text) == set()


def test_a_stack_that_is_not_there_or_another_is_named(
    clients: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no-such does not exist" in printed(clients, capsys, "--stack", "no-such", "alice")
    deploy(clients, "other", {})
    text = printed(clients, capsys, "--stack", "other", "alice")
    assert "CacheKeySecretArn" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    "arguments",
    [[], [""], ["--stack", "", "x"], ["--days", "0", "x"], ["--days", "month", "x"], ["x", "y"]],
)
def test_a_command_that_cannot_be_meant_is_refused(ask: Ask, arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        ask(*arguments)


# `make audit`


@pytest.mark.parametrize("name", ["alice", "o'brien", 'a "b" c', "`x` $(y) \\ ;", "-x", "王小明"])
def test_make_hands_the_name_on_as_it_is(tmp_path: Path, name: str) -> None:
    """Before `make`, that is: what stands behind it, `make` itself reads first."""
    for program in ("pip", "python"):
        path = tmp_path / "bin" / program
        path.parent.mkdir(exist_ok=True)
        path.write_text('#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done\n')
        path.chmod(0o755)
    (tmp_path / "ready").touch()
    environment = {"PATH": os.environ["PATH"], "STACK": "mine", "NAME": name, "DAYS": "7"}
    done = subprocess.run(
        ["make", "audit", f"VENV={tmp_path}", "--no-print-directory"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    words = ["-m", "coze_sts.audit", "--stack", "mine", "--days", "7", "--", name]
    assert done.stdout.splitlines() == words
