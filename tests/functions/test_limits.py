"""What a day may cost, from event to answer: new guests, a session's tokens, exchanges."""

import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import boto3
import pytest
from coze_sts.cache.counters import SITE

from tests.functions.conftest import ADDRESS, ORIGIN, Caller, signed_in
from tests.local.coze import CozeStandIn
from tests.local.server import serve
from tests.local.turnstile import TurnstileStandIn

OTHER_PAGE = "https://shop.example.com"
ALICE, BOB = signed_in("alice"), signed_in("bob")
DAY = 86_400

Start = Callable[..., Caller]
Items = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def start(load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Start:
    """A new process of TokenFunction, at a site with these settings."""

    def start(**variables: str) -> Caller:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return Caller(load("token").lambda_handler)

    return start


@pytest.fixture
def items(environment: dict[str, str]) -> Items:
    """All that is in TOKEN_TABLE."""
    client = boto3.client("dynamodb")
    return lambda: client.scan(TableName=environment["TOKEN_TABLE"])["Items"]


def counted(items: Items) -> dict[str, int]:
    """What was counted today, by the item's key; the tokens of sessions are left out."""
    found = items()
    days = {name for item in found for name in item if name[0] == "d" and name[1:].isdigit()}
    return {
        item["pk"]["S"]: int(item[day]["N"])
        for item in found
        for day in days & item.keys()
        if not item["pk"]["S"].startswith("t1#")
    }


def is_a_wait_until_midnight(answer: tuple[int, dict[str, Any], dict[str, str]]) -> bool:
    status, body, headers = answer
    assert (status, body["error"]) == (429, "slow_down")
    return 1 <= int(headers["retry-after"]) <= DAY


def test_an_address_gets_so_many_new_guests_and_loses_none_it_has(
    start: Start, coze: CozeStandIn
) -> None:
    call = start(NEW_GUESTS_PER_ADDRESS="2")
    tickets = [call("POST /guest/token")[1]["guest_ticket"] for _ in range(2)]
    for process in (call, start()):
        assert is_a_wait_until_midnight(process("POST /guest/token"))
        for ticket in tickets:
            assert process("POST /guest/token", {"guest_ticket": ticket})[0] == 200
    assert len(coze.exchanges) == 2
    assert call("POST /token", authorizer=ALICE)[0] == 200
    assert call("POST /guest/token", address="198.51.100.9")[0] == 200


def test_the_pages_of_an_origin_get_so_many_new_guests(start: Start, coze: CozeStandIn) -> None:
    call = start(NEW_GUESTS_PER_ORIGIN="2", ALLOWED_ORIGINS=f"{ORIGIN},{OTHER_PAGE}")
    for number in range(2):
        assert call("POST /guest/token", address=f"203.0.113.{number}")[0] == 200
    assert is_a_wait_until_midnight(call("POST /guest/token", address="198.51.100.9"))
    assert call("POST /guest/token", origin=OTHER_PAGE)[0] == 200
    assert len(coze.exchanges) == 3


def test_a_session_gets_so_many_tokens(start: Start, coze: CozeStandIn) -> None:
    call = start(TOKENS_PER_SESSION="1")
    call("POST /token", authorizer=ALICE)
    assert call("DELETE /token", authorizer=ALICE)[0] == 204
    for process in (call, start()):
        assert is_a_wait_until_midnight(process("POST /token", authorizer=ALICE))
    assert call("POST /token", authorizer=BOB)[0] == 200
    assert len(coze.exchanges) == 2


def test_the_site_gets_so_many_tokens_and_who_has_one_keeps_it(
    start: Start, coze: CozeStandIn
) -> None:
    call = start(EXCHANGES_PER_DAY="1")
    _, mine, _ = call("POST /token", authorizer=ALICE)
    assert is_a_wait_until_midnight(call("POST /token", authorizer=BOB))
    status, body, headers = call("POST /guest/token")
    assert (status, body["error"]) == (429, "slow_down")
    assert int(headers["retry-after"]) <= 60, "whoever comes next is asked back a minute later"
    for process in (call, start()):
        assert process("POST /token", authorizer=ALICE)[1]["token"] == mine["token"]
    assert len(coze.exchanges) == 1


def test_a_site_that_is_stopped_says_when_to_ask_again(
    start: Start, environment: dict[str, str], coze: CozeStandIn
) -> None:
    call = start()
    _, mine, _ = call("POST /token", authorizer=ALICE)
    boto3.client("dynamodb").update_item(
        TableName=environment["TOKEN_TABLE"],
        Key={"pk": {"S": SITE}},
        UpdateExpression="SET stopped = :yes",
        ExpressionAttributeValues={":yes": {"BOOL": True}},
    )
    status, body, headers = call("POST /token", authorizer=BOB)
    assert (status, body["error"], headers["retry-after"]) == (429, "slow_down", "300")
    assert start()("POST /token", authorizer=ALICE)[1]["token"] == mine["token"]
    assert len(coze.exchanges) == 1


def test_a_token_that_was_found_is_not_counted_by_anybody(start: Start, items: Items) -> None:
    call = start()
    _, guest, _ = call("POST /guest/token")
    call("POST /token", authorizer=ALICE)
    before = counted(items)
    assert sorted(before.values()) == [1, 1, 2], "an address, a page and the site"
    for process in (call, start()):
        for _ in range(2):
            process("POST /guest/token", {"guest_ticket": guest["guest_ticket"]})
            process("POST /token", authorizer=ALICE)
            process("DELETE /token", authorizer=BOB)
    assert counted(items) == before


def test_where_coze_fails_everything_is_given_back(
    start: Start, items: Items, coze: CozeStandIn
) -> None:
    call = start(NEW_GUESTS_PER_ADDRESS="1", EXCHANGES_PER_DAY="1")
    for _ in range(3):
        coze.fail_next(status=400, body={"error": "x"})
        assert call("POST /guest/token")[0] == 502
    assert set(counted(items).values()) == {0}
    assert call("POST /guest/token")[0] == 200


def test_who_is_refused_for_the_site_is_not_counted_for_the_address(
    start: Start, items: Items
) -> None:
    call = start(EXCHANGES_PER_DAY="1", NEW_GUESTS_PER_ADDRESS="5")
    call("POST /token", authorizer=ALICE)
    for _ in range(3):
        assert call("POST /guest/token")[0] == 429
    assert sorted(counted(items).values()) == [0, 0, 1]


def test_no_address_is_anywhere_in_the_table_or_the_log(
    start: Start, items: Items, capsys: pytest.CaptureFixture[str]
) -> None:
    call = start(NEW_GUESTS_PER_ADDRESS="1")
    for address in (ADDRESS, ADDRESS, "2001:db8:1:2::3"):
        call("POST /guest/token", address=address)
    told = str(items()) + capsys.readouterr().out
    for part in (ADDRESS, "203.0.113", "2001:db8"):
        assert part not in told


def test_without_the_table_new_guests_are_let_in_as_far_as_the_allowance_goes(
    start: Start, environment: dict[str, str], coze: CozeStandIn
) -> None:
    call = start(NEW_GUESTS_PER_ADDRESS="1", EXCHANGES_PER_DAY="1")
    boto3.client("dynamodb").delete_table(TableName=environment["TOKEN_TABLE"])
    statuses = [call("POST /guest/token")[0] for _ in range(6)]
    assert statuses == [200] * 3 + [503] * 3
    assert len(coze.exchanges) == 3


# Humans only


@pytest.fixture
def cloudflare(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[TurnstileStandIn]:
    stand_in = TurnstileStandIn(secret="0x4AAA")
    secret = boto3.client("secretsmanager").create_secret(
        Name="turnstile", SecretString=json.dumps({"secret": "0x4AAA"})
    )
    monkeypatch.setenv("TURNSTILE_SECRET_ID", secret["ARN"])
    with serve(stand_in) as server:
        monkeypatch.setenv("TURNSTILE_API_BASE", server.url)
        yield stand_in


def test_a_new_guest_proves_to_be_human_and_who_comes_back_need_not(
    call: Caller, cloudflare: TurnstileStandIn
) -> None:
    proof = {"turnstile_token": cloudflare.solve(hostname="www.example.com")}
    status, guest, _ = call("POST /guest/token", proof)
    assert status == 200
    assert call("POST /guest/token", {"guest_ticket": guest["guest_ticket"]})[0] == 200
    assert len(cloudflare.requests) == 1


def test_who_is_not_human_gets_nothing_and_counts_for_nothing(
    call: Caller, cloudflare: TurnstileStandIn, items: Items, coze: CozeStandIn
) -> None:
    used = cloudflare.solve(hostname="www.example.com")
    call("POST /guest/token", {"turnstile_token": used})
    before = counted(items)
    elsewhere = cloudflare.solve(hostname="evil.example")
    for body in ({}, *({"turnstile_token": token} for token in ("", "made-up", used, elsewhere))):
        status, answer, _ = call("POST /guest/token", body)
        assert (status, answer["error"]) == (403, "access_denied")
    assert counted(items) == before
    assert len(coze.exchanges) == 1


def test_a_proof_that_nobody_asked_for_is_no_field_of_the_body(call: Caller) -> None:
    assert call("POST /guest/token", {"turnstile_token": "x"})[0] == 400
