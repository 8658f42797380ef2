"""What a warm request costs beside its own computing: calls, readings of the key, bytes of log."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from botocore.endpoint import Endpoint
from botocore.model import OperationModel
from coze_sts.cache.counters import SITE
from cryptography.hazmat.primitives import serialization

from tests.functions.conftest import Caller, signed_in
from tests.local.coze import CozeStandIn

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=0"
ROLE = {
    "iam": {"userArn": "arn:aws:sts::123456789012:assumed-role/chat-backend/i-0a1b2c3d4e5f6a7b8"}
}
MOST_BYTES = 750

READ, WRITE, COUNT, POST = "BatchGetItem", "UpdateItem", "UpdateItem of the site", "POST"
Load = Callable[[str], ModuleType]


def counts_for_the_site(request: dict[str, Any]) -> bool:
    return bool(json.loads(request["body"]).get("Key") == {"pk": {"S": SITE}})


@pytest.fixture
def sent(coze: CozeStandIn, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What goes to AWS and to Coze, in order."""
    sent: list[str] = []
    make_request, answer = Endpoint.make_request, type(coze).__call__

    def to_aws(self: Endpoint, operation: OperationModel, request: Any) -> Any:
        sent.append(operation.name + " of the site" * counts_for_the_site(request))
        return make_request(self, operation, request)

    def to_coze(self: CozeStandIn, *arguments: Any) -> Any:
        sent.append(POST)
        return answer(self, *arguments)

    monkeypatch.setattr(Endpoint, "make_request", to_aws)
    monkeypatch.setattr(type(coze), "__call__", to_coze)
    return sent


@pytest.fixture
def warm(load: Load, sent: list[str]) -> Caller:
    """A process that has answered somebody, and so holds both secrets."""
    return warmed_up(load, sent, visitor="somebody")


def warmed_up(load: Load, sent: list[str], *, visitor: str) -> Caller:
    call = Caller(load("token").lambda_handler)
    call("POST /token", authorizer=signed_in(visitor))
    sent.clear()
    return call


def test_a_token_in_memory_takes_no_call(warm: Caller, sent: list[str]) -> None:
    warm("POST /token", authorizer=signed_in("somebody"))
    assert sent == []


def test_a_token_in_the_table_takes_one_call(warm: Caller, load: Load, sent: list[str]) -> None:
    warmed_up(load, sent, visitor="alice")
    warm("POST /token", authorizer=signed_in("alice"))
    assert sent == [READ]


def test_a_miss_takes_four_calls_and_one_that_counts_it_for_the_day(
    warm: Caller, sent: list[str]
) -> None:
    """It takes the lease and stores the token; the day's budget is the whole site's, so that no
    process can count it by itself."""
    warm("POST /token", authorizer=signed_in("alice"))
    assert sent == [READ, WRITE, COUNT, POST, WRITE]


# The private key


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The private keys that anything parses, whoever imported the parser under which name."""
    readings: list[bytes] = []
    parse = serialization.load_pem_private_key

    def load(data: bytes, *arguments: Any, **named: Any) -> Any:
        readings.append(data)
        return parse(data, *arguments, **named)

    for module in list(sys.modules.values()):
        for name, value in list(vars(module).items()):
            if value is parse:
                monkeypatch.setattr(module, name, load)
    return readings


def test_a_thousand_assertions_take_one_reading_of_the_key(
    load: Load, readings: list[bytes]
) -> None:
    sign = Caller(load("assertion").lambda_handler)
    for number in range(1000):
        sign("POST /backend/assertion", {"session_name": f"u-{number}"}, authorizer=ROLE)
    assert len(readings) == 1


def test_the_tokens_of_many_visitors_take_one_reading_of_the_key(
    load: Load, readings: list[bytes]
) -> None:
    """Fewer than a thousand, since each asks tables and a Coze that are slow here."""
    call = Caller(load("token").lambda_handler)
    for number in range(20):
        call("POST /backend/token", {"session_name": f"u-{number}"}, authorizer=ROLE)
    assert len(readings) == 1


# The log


@pytest.mark.parametrize(
    ("route", "body", "authorizer"),
    [
        ("POST /token", None, signed_in("alice")),
        ("POST /backend/token", {"session_name": "alice"}, ROLE),
    ],
    ids=["page", "backend"],
)
@pytest.mark.parametrize("naming", ["plain", "pseudonymous"])
def test_a_token_from_memory_takes_few_bytes_of_log_and_metrics(
    load: Load,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    naming: str,
    route: str,
    body: object,
    authorizer: dict[str, Any],
) -> None:
    """Logs are the dearest part of an answer that asks nobody: AWS takes money by the byte."""
    monkeypatch.setenv("SESSION_NAMING", naming)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)  # which Lambda always sets
    call = Caller(load("token").lambda_handler)
    call(route, body, authorizer=authorizer)
    capsys.readouterr()
    call(route, body, authorizer=authorizer, request_id="JKJaXmPLvHcESHA=")
    written = capsys.readouterr().out
    assert '"source":"MemoryHit"' in written
    assert '"MemoryHit":[1.0]' in written
    assert len(written.encode()) <= MOST_BYTES
