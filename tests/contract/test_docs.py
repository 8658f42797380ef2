"""The documents beside the README say what the code says, and the same in both languages."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import PurePosixPath
from typing import Any

import boto3
import pytest
from coze_sts.auth.session import name_fault
from coze_sts.auth.turnstile import parse_turnstile_secret
from coze_sts.auth.wechat import parse_wechat_app
from coze_sts.canary.finding import Outcome, Verdict
from coze_sts.coze.signer import CURES
from coze_sts.errors import StsError

from tests.bench import prices
from tests.bench.prices import EXCHANGE, FROM_MEMORY, FROM_TABLE, bill
from tests.contract.markdown import ROOT, Document, in_english
from tests.contract.template_settings import variables
from tests.isolation_canary import checks
from tests.local import template
from tests.parts import TABLE
from tests.template.alarms import metric_names

NAMES = [
    "limits",
    "sign-in",
    "wechat",
    "leak-scan",
    "page",
    "recipes",
    "chat-sdk",
    "issuers",
    "doctor",
    "canary",
    "operations",
    "benchmark",
    "runbook",
    "key-rotation",
    "kms",
]
LIMITS, SIGN_IN, WECHAT = (Document(f"docs/{name}.md") for name in NAMES[:3])
CANARY = Document("docs/canary.md")
PARAMETERS = template.source()["Parameters"]
OF_THE_COMMANDS = {"BOT_ID", "COZE_CONFIG", "RSA_2048"}
"""What is said to make and to KMS, and is no variable of the functions."""
PARTS = ["http_api", "requests", "compute", "reads", "writes", "logs"]
"""Of a bill, in the order of the table of costs."""

DAILY = ["NewGuestsPerAddress", "NewGuestsPerOrigin", "TokensPerSession", "ExchangesPerDay"]


def twin(document: Document) -> Document:
    return Document(document.name.replace(".md", ".zh-CN.md"))


@pytest.fixture(params=NAMES)
def document(request: pytest.FixtureRequest) -> Document:
    return Document(f"docs/{request.param}.md")


def test_both_languages_have_the_same_parts(document: Document) -> None:
    chinese = twin(document)
    assert chinese.outline == document.outline
    assert chinese.code == document.code
    assert chinese.spans == document.spans


def test_both_languages_have_the_same_links_and_what_they_link_to_is_there(
    document: Document,
) -> None:
    chinese, here = twin(document), PurePosixPath(document.name)
    assert here.name in chinese.links
    assert PurePosixPath(chinese.name).name in document.links
    assert {*map(in_english, document.links)} == {*map(in_english, chinese.links)}
    links = {link for link in document.links + chinese.links if "://" not in link}
    assert [link for link in links if not (ROOT / here.parent / link).exists()] == []


def test_every_parameter_that_is_named_exists(document: Document) -> None:
    outputs = template.source()["Outputs"].keys()
    named = {span for span in document.spans if span[:1].isupper() and span.isalnum()}
    created = template.expand({"CanarySchedule": "rate(1 hour)", "AlarmEmail": "a@example.com"})
    values = {value for each in PARAMETERS.values() for value in each.get("AllowedValues", ())}
    said = {"Origin", "ARN", "Arn", "Status4xx", *CURES, *(verdict.value for verdict in Verdict)}
    known = PARAMETERS.keys() | outputs | created.keys() | metric_names() | values | said
    assert {span for span in named if not span.isupper()} <= known


def test_every_limit_of_a_day_is_listed_with_its_default() -> None:
    for document in (LIMITS, twin(LIMITS)):
        defaults = {name: row[0] for name, row in document.table(DAILY[0]).items()}
        assert defaults == {name: str(PARAMETERS[name]["Default"]) for name in DAILY}


@pytest.mark.parametrize(("duration", "tokens"), [(3600, 40), (600, 240), (60, 2400)])
def test_the_formula_for_tokens_is_worked_out_right(duration: int, tokens: int) -> None:
    said = LIMITS.table(DAILY[0])["TokensPerSession"][2]
    assert f"{tokens} at {duration}" in said.replace("3600 seconds", "3600")
    assert tokens == round(86400 / (0.6 * duration))


def test_the_flood_is_worked_out_right() -> None:
    rate, per_day = PARAMETERS["PublicRateLimit"]["Default"], 24 * 3600
    requests = rate * per_day
    flood = {row[0]: row for table in LIMITS.tables for row in table}["requests to `/guest/token`"]
    assert f"{rate} a second: {requests:,} a day" in flood[1]
    assert flood[2] == f"{requests * (2 + 2.5) / 1e6:.1f}0 dollars"
    assert f"{requests * 2 / 1e6:.1f}0 dollars\neach" in LIMITS.text


def test_the_kill_switch_is_shown_as_the_outputs_have_it() -> None:
    outputs = template.outputs(region="eu-west-1")
    commands = [outputs[name] for name in ("StopCommand", "ResumeCommand")]
    shown = LIMITS.block("sh", "n1#site").replace("TABLE", "${TokenTable}").splitlines()
    assert [*map(shlex.split, shown)] == [*map(shlex.split, commands)]


def test_the_secrets_that_are_shown_are_taken() -> None:
    assert parse_turnstile_secret(LIMITS.block("json")).secret
    assert parse_wechat_app(WECHAT.block("json")).appid


@pytest.mark.parametrize("document", [LIMITS, WECHAT], ids=str)
def test_the_command_that_stores_a_secret_has_options_that_exist(document: Document) -> None:
    program, service, action, *words = shlex.split(document.block("sh", "create-secret"))
    client = boto3.client("secretsmanager", region_name="eu-west-1")
    known = client.meta.service_model.operation_model("CreateSecret").input_shape.members
    options = {word.removeprefix("--").replace("-", "") for word in words[::2]} - {"region"}
    assert (program, service, action) == ("aws", "secretsmanager", "create-secret")
    assert options | {"kmskeyid"} <= {name.lower() for name in known}


def test_the_name_that_a_server_gives_is_one() -> None:
    (shown,) = [span for span in SIGN_IN.spans if "session_name" in span]
    assert name_fault(json.loads(shown)["session_name"]) is None


def test_the_errors_of_the_doors_have_their_status() -> None:
    tree, status = [StsError], {}
    while tree:
        error = tree.pop()
        status[error.code] = str(error.status)
        tree += error.__subclasses__()
    rows = [row[0] for table in SIGN_IN.tables + WECHAT.tables for row in table]
    named = [row.split(" `") for row in rows if row[:3].isdigit() and "`" in row]
    assert len(named) > 8
    assert [(code, number) for number, code in named if status[code.strip("`")] != number] == []


def test_every_check_of_the_canary_is_explained_and_every_outcome() -> None:
    rows = [row[0] for row in CANARY.tables[1]]
    assert {name for row in rows for name in row.replace("`", "").split(", ")} == checks.ALL
    assert CANARY.table("passed").keys() == {outcome.value for outcome in Outcome}


def test_the_variables_that_are_named_are_settings(document: Document) -> None:
    named = {span for span in document.spans if span.isupper() and "_" in span}
    assert named - OF_THE_COMMANDS <= variables()


@pytest.mark.parametrize("name", ["operations.md", "operations.zh-CN.md"])
def test_the_table_of_costs_is_worked_out_right(name: str) -> None:
    rows = [*Document(f"docs/{name}").table("HTTP API").values()]
    said = [float(found[0]) for row in rows if (found := re.search(r"\d+\.\d+", row[0]))]
    *parts, together = [[float(re.split("[ （]", cell)[0]) for cell in row[1:]] for row in rows]
    bills = [bill(use, memory_mb=512) for use in (FROM_MEMORY, FROM_TABLE, EXCHANGE)]
    assert said == [
        prices.HTTP_API,
        prices.LAMBDA_REQUESTS,
        prices.LAMBDA_GB_SECONDS,
        prices.READ_UNITS,
        prices.WRITE_UNITS,
        prices.LOG_GB,
    ]
    for part, field in zip(parts, PARTS, strict=True):
        assert part == pytest.approx([getattr(each, field) for each in bills], abs=0.006)
    assert together == pytest.approx([sum(shown) for shown in zip(*parts, strict=True)], abs=0.006)
    assert together == pytest.approx([each.total for each in bills], abs=0.01)


@pytest.mark.parametrize("name", ["operations.md", "operations.zh-CN.md"])
def test_the_table_of_snapshots_is_worked_out_right(name: str) -> None:
    numbers = re.compile(r"\d+\.\d+")
    (table,) = [rows for rows in Document(f"docs/{name}").tables if "0.0000015046" in str(rows)]
    prices, costs = zip(
        *[map(float, numbers.findall(" ".join(row[1:]))) for row in table[-3:]], strict=True
    )
    month, gigabytes, starts = 730 * 3600, 0.5, 1_000_000
    keeping, restoring, time = prices
    expected = (keeping * gigabytes * month, restoring * gigabytes * starts, time * gigabytes * 0.4)
    assert costs == pytest.approx(expected, abs=0.006)


def test_the_script_that_copies_records_overwrites_none(dynamodb: Any) -> None:
    old = {"pk": {"S": "b1#guest"}, "user": {"S": "old"}}
    table = dynamodb.describe_table(TableName=TABLE)["Table"]
    for name in ("RESTORED", "NEW"):
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=table["KeySchema"],
            AttributeDefinitions=table["AttributeDefinitions"],
        )
    for key in ("b1#guest", "b1#other"):
        dynamodb.put_item(TableName="RESTORED", Item={**old, "pk": {"S": key}})
    dynamodb.put_item(TableName="NEW", Item={**old, "user": {"S": "newer"}})
    script = Document("docs/operations.md").block("python")
    exec(compile(script.replace('"dynamodb"', '"dynamodb", "eu-west-1"'), "docs", "exec"), {})
    users = {item["pk"]["S"]: item["user"]["S"] for item in dynamodb.scan(TableName="NEW")["Items"]}
    assert users == {"b1#guest": "newer", "b1#other": "old"}
