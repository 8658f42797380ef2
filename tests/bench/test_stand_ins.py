"""What the functions get to read is real, though it was written before."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from coze_sts.cache.row import read_row
from coze_sts.cache.seal import unseal
from coze_sts.keyring import parse_keyring

from tests.bench.stage import Stage, member, newcomer, set_up
from tests.bench.stand_ins import TOKEN_PATH, VERDICT_PATH, StandIns
from tests.bench.wire import Request

HOST = "127.0.0.1:9"


@pytest.fixture(scope="module")
def stage() -> Stage:
    return set_up(f"http://{HOST}")


@pytest.fixture
def stand_ins(stage: Stage) -> StandIns:
    return StandIns(stage, host=HOST)


def ask(stand_ins: StandIns, path: str = "/", body: Any = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(method="POST", path=path, headers=named, body=json.dumps(body).encode())
    return json.loads(stand_ins.handle(request).partition(b"\r\n\r\n")[2])


def aws(stand_ins: StandIns, operation: str, body: Any) -> Any:
    return ask(stand_ins, body=body, x_amz_target=f"Service.{operation}")


def test_the_rows_of_members_are_sealed_and_open(stage: Stage) -> None:
    keyring = parse_keyring(stage.secrets["CacheKey"])
    pks = [pk for pk in stage.items if pk.startswith("t1#")]
    assert len(pks) > 100
    item = json.loads(json.dumps(stage.items[pks[0]]))
    item["ct"]["B"] = base64.b64decode(item["ct"]["B"])
    row = read_row(item)
    assert row.sealed is not None
    token = unseal(row.sealed, pk=pks[0], keyring=keyring)
    assert token is not None
    assert token.value.startswith("czs_")
    assert unseal(row.sealed, pk=pks[1], keyring=keyring) is None


def test_a_read_finds_members_and_no_newcomer(stand_ins: StandIns, stage: Stage) -> None:
    keys = [{"pk": {"S": stage.variables["BENCH_PK"]}}, {"pk": {"S": "t1#unknown"}}]
    found = aws(stand_ins, "BatchGetItem", {"RequestItems": {"Tokens": {"Keys": keys}}})
    assert [item["pk"] for item in found["Responses"]["Tokens"]] == [keys[0]["pk"]]
    for session, there in ((member(0), True), (newcomer(0), False)):
        answer = aws(stand_ins, "GetItem", {"Key": {"pk": {"S": session}}})
        assert ("Item" in answer) == there


def test_whoever_takes_a_lease_is_told_that_it_is_theirs(stand_ins: StandIns) -> None:
    values = {":me": {"S": "mine"}, ":until": {"N": "9"}}
    asked = {"Key": {"pk": {"S": "t1#x"}}, "ExpressionAttributeValues": values}
    row = read_row(aws(stand_ins, "UpdateItem", asked)["Attributes"])
    assert (row.lease_id, row.lease_until, row.gen) == ("mine", 9, 1)


def test_an_assertion_that_coze_would_refuse_is_found_out(stand_ins: StandIns) -> None:
    granted = ask(stand_ins, TOKEN_PATH, {}, authorization="Bearer made.up")
    assert granted["access_token"].startswith("czs_")
    verdict = ask(stand_ins, VERDICT_PATH)
    assert verdict["calls"] == {"exchange": 1}
    assert verdict["faults"]
    assert ask(stand_ins, VERDICT_PATH) == {"calls": {}, "faults": []}
