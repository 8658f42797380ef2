"""The whole flow, over the stand-in for Coze and a real table's engine, at a clock of our own."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from coze_sts.access_token import AccessToken
from coze_sts.allowance import Allowance
from coze_sts.auth.session import Caller
from coze_sts.broker import Broker
from coze_sts.cache.lease import FORCED_INTERVAL_SECONDS
from coze_sts.cache.memory import TokenMemory
from coze_sts.cache.store import TokenStore
from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.grant import new_http_session
from coze_sts.errors import SlowDown, StsError, TemporarilyUnavailable, UpstreamRejected
from moto import mock_aws

from tests.factories import KEYRING, ROTATED, Clock, make_settings
from tests.local.coze import CozeStandIn
from tests.local.server import serve

ALICE = Caller(kind="user", name="alice")
BOB = Caller(kind="user", name="bob")
TABLE = "tokens"


class Counts:
    """Telemetry that keeps what it is told."""

    def __init__(self) -> None:
        self.metrics: Counter[str] = Counter()
        self.warnings: list[StsError] = []

    def note(self, **_facts: object) -> None:
        pass

    def count(self, metric: str) -> None:
        self.metrics[metric] += 1

    def warn(self, failure: StsError) -> None:
        self.warnings.append(failure)


class SingleKey:
    """One key, with no other to fall back on."""

    def __init__(self, app: CozeApp) -> None:
        self.app = app

    def current(self) -> CozeApp:
        return self.app

    def exchange(self, attempt: Callable[[CozeApp], AccessToken]) -> AccessToken:
        return attempt(self.app)


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        yield client


@pytest.fixture
def coze(clock: Clock) -> CozeStandIn:
    return CozeStandIn(clock=clock)


@pytest.fixture
def app(coze: CozeStandIn, make_app: Callable[..., CozeApp], public_pem: str) -> Iterator[CozeApp]:
    with serve(coze) as server:
        app = make_app(server.url)
        coze.register_app(client_id=app.client_id, kid=app.kid, public_key_pem=public_pem)
        yield app


@pytest.fixture
def start(app: CozeApp, dynamodb: Any, clock: Clock) -> Callable[..., Broker]:
    """A broker with an empty memory, as a new process has it."""

    def sleep(seconds: float) -> None:
        clock.now += seconds

    def start(**changes: Any) -> Broker:
        http = new_http_session()
        parts = {
            "settings": make_settings(),
            "keys": SingleKey(app),
            "keyring": lambda: KEYRING,
            "store": TokenStore(client=dynamodb, table=TABLE),
            "memory": TokenMemory(),
            "http": lambda: http,
            "telemetry": Counts(),
            "clock": clock,
            "sleep": sleep,
            "allowance": Allowance(clock=clock),
        }
        return Broker(**parts | changes)

    return start


def rejected(token: AccessToken) -> str:
    return hashlib.sha256(token.value.encode()).hexdigest()


def rows(dynamodb: Any) -> list[dict[str, Any]]:
    return dynamodb.scan(TableName=TABLE)["Items"]


def stale(token: AccessToken, clock: Clock) -> None:
    clock.now = token.refresh_at + 1


def down(coze: CozeStandIn) -> None:
    coze.fail_next(status=503, body={"code": 5003, "msg": "busy"}, times=99)


def test_a_fresh_token_is_exchanged_once_for_all_processes(
    start: Callable[..., Broker], coze: CozeStandIn
) -> None:
    tokens = {start().token_for(ALICE).value for _ in range(3)}
    assert len(tokens) == 1
    assert len(coze.exchanges) == 1


def test_a_memory_hit_asks_nobody(
    start: Callable[..., Broker], coze: CozeStandIn, dynamodb: Any
) -> None:
    broker = start()
    first = broker.token_for(ALICE)
    dynamodb.delete_table(TableName=TABLE)
    assert broker.token_for(ALICE) == first
    assert broker.telemetry.metrics["MemoryHit"] == 1
    assert not broker.telemetry.warnings


def test_two_callers_never_share_a_token(start: Callable[..., Broker], coze: CozeStandIn) -> None:
    broker = start()
    for caller in (ALICE, BOB, Caller(kind="backend", name="Alice")):
        token = broker.token_for(caller)
        assert coze.tokens[token.value].session_name == caller.name
    assert len(coze.exchanges) == 3


def test_what_makes_a_token_differ_makes_the_row_differ(
    start: Callable[..., Broker], coze: CozeStandIn, dynamodb: Any
) -> None:
    start().token_for(ALICE)
    start(settings=make_settings(token_duration_seconds=900)).token_for(ALICE)
    start(settings=make_settings(connector_id="2001")).token_for(ALICE)
    start(settings=make_settings(end_user_quota=True)).token_for(ALICE)
    start().token_for(Caller(kind="backend", name="alice", device_id="d"))
    start().token_for(Caller(kind="backend", name="alice", custom_consumer="d"))
    assert len(rows(dynamodb)) == len(coze.exchanges) == 6


def test_a_stale_token_is_renewed(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    first = start().token_for(ALICE)
    stale(first, clock)
    second = start().token_for(ALICE)
    assert second.value != first.value
    assert second.expires_at > first.expires_at


def test_a_stale_token_is_served_where_coze_does_not_help(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    first = start().token_for(ALICE)
    stale(first, clock)
    down(coze)
    broker = start()
    assert broker.token_for(ALICE).value == first.value
    assert broker.telemetry.metrics["ServedStale"] == 1
    asked = coze.requests_seen
    assert broker.token_for(ALICE).value == first.value
    assert coze.requests_seen == asked


def test_no_token_is_served_in_its_last_seconds(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    first = start().token_for(ALICE)
    down(coze)
    clock.now = first.expires_at - 6
    assert start().token_for(ALICE).value == first.value
    clock.now = first.expires_at - 4
    with pytest.raises(TemporarilyUnavailable):
        start().token_for(ALICE)


def test_a_stale_token_leaves_the_memory_after_five_seconds(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    broker = start()
    first = broker.token_for(ALICE)
    stale(first, clock)
    coze.fail_next(status=500, body={})
    broker.token_for(ALICE)
    clock.now += 6
    assert broker.token_for(ALICE).value != first.value


def test_a_key_that_coze_refuses_is_the_operators_to_mend(
    start: Callable[..., Broker], coze: CozeStandIn, app: CozeApp
) -> None:
    coze.forget_key(kid=app.kid)
    with pytest.raises(UpstreamRejected) as refusal:
        start().token_for(ALICE)
    assert "other region" in str(refusal.value.operator)


def test_a_table_that_is_gone_costs_nobody_a_token(
    start: Callable[..., Broker], coze: CozeStandIn, dynamodb: Any
) -> None:
    dynamodb.delete_table(TableName=TABLE)
    broker = start()
    token = broker.token_for(ALICE)
    assert broker.token_for(ALICE) == token
    assert broker.telemetry.metrics["TableFailed"] == 1
    assert len(coze.exchanges) == 1


@pytest.mark.parametrize("attribute", ["ct", "ek", "kid", "issued_at", "expires_at", "refresh_at"])
def test_a_row_that_was_altered_is_a_miss(
    start: Callable[..., Broker], coze: CozeStandIn, dynamodb: Any, attribute: str
) -> None:
    first = start().token_for(ALICE)
    item = rows(dynamodb)[0]
    altered = {"S": "2"} if "S" in item[attribute] else {"N": str(2**33)}
    item[attribute] = {"B": item["ct"]["B"][:-1]} if attribute == "ct" else altered
    dynamodb.put_item(TableName=TABLE, Item=item)
    broker = start()
    assert broker.token_for(ALICE).value != first.value
    assert broker.telemetry.metrics["RowDamaged"] == 1


@pytest.mark.parametrize("item", [{}, {"ct": {"S": "text"}}, {"ct": {"B": b""}}])
def test_an_item_of_another_shape_is_a_miss(
    start: Callable[..., Broker], dynamodb: Any, item: dict[str, Any]
) -> None:
    start().token_for(ALICE)
    pk = rows(dynamodb)[0]["pk"]
    dynamodb.put_item(TableName=TABLE, Item={"pk": pk} | item)
    broker = start()
    broker.token_for(ALICE)
    assert broker.telemetry.metrics["RowDamaged"] == 1


def test_a_row_that_was_copied_to_another_session_opens_for_nobody(
    start: Callable[..., Broker], coze: CozeStandIn, dynamodb: Any
) -> None:
    start().token_for(ALICE)
    alice = rows(dynamodb)[0]
    start().token_for(BOB)
    bob = next(row for row in rows(dynamodb) if row["pk"] != alice["pk"])
    dynamodb.put_item(TableName=TABLE, Item=alice | {"pk": bob["pk"]})
    assert coze.tokens[start().token_for(BOB).value].session_name == "bob"


def test_a_new_cache_key_still_serves_what_the_old_one_named(
    start: Callable[..., Broker], coze: CozeStandIn
) -> None:
    settings = make_settings(pseudonymous=True)
    start(settings=settings).token_for(ALICE)
    start(settings=settings, keyring=lambda: ROTATED).token_for(ALICE)
    assert len({exchange.session_name for exchange in coze.exchanges}) == 1


def test_a_rejected_token_is_replaced_once_and_then_again_only_after_a_minute(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    first = start().token_for(ALICE)
    second = start().token_for(ALICE, rejected=rejected(first))
    assert second.value != first.value
    clock.now += FORCED_INTERVAL_SECONDS - 1
    with pytest.raises(SlowDown) as refusal:
        start().token_for(ALICE, rejected=rejected(second))
    assert refusal.value.retry_after == 1
    assert start().token_for(ALICE).value == second.value
    clock.now += 1
    assert start().token_for(ALICE, rejected=rejected(second)).value != second.value


def test_rejecting_what_another_process_replaced_gets_the_new_token(
    start: Callable[..., Broker], coze: CozeStandIn
) -> None:
    slow, quick = start(), start()
    first = slow.token_for(ALICE)
    second = quick.token_for(ALICE, rejected=rejected(first))
    assert slow.token_for(ALICE, rejected=rejected(first)).value == second.value
    assert len(coze.exchanges) == 2


def test_a_rejected_token_is_never_served_in_place_of_an_error(
    start: Callable[..., Broker], coze: CozeStandIn
) -> None:
    first = start().token_for(ALICE)
    down(coze)
    with pytest.raises(TemporarilyUnavailable):
        start().token_for(ALICE, rejected=rejected(first))


def test_forgetting_removes_the_row_and_the_memory(
    start: Callable[..., Broker], dynamodb: Any
) -> None:
    broker = start()
    first = broker.token_for(ALICE)
    broker.forget(ALICE)
    assert rows(dynamodb) == []
    assert broker.token_for(ALICE).value != first.value


def test_a_row_is_purged_a_day_after_its_token_expired(
    start: Callable[..., Broker], dynamodb: Any
) -> None:
    token = start().token_for(ALICE)
    assert int(rows(dynamodb)[0]["purge_at"]["N"]) == token.expires_at + 24 * 3600


def test_a_page_cannot_storm_coze_while_the_table_is_down(
    start: Callable[..., Broker], coze: CozeStandIn, dynamodb: Any
) -> None:
    dynamodb.delete_table(TableName=TABLE)
    broker = start()
    token = broker.token_for(ALICE)
    token = broker.token_for(ALICE, rejected=rejected(token))
    for _ in range(5):
        with pytest.raises(SlowDown):
            broker.token_for(ALICE, rejected=rejected(token))
    assert len(coze.exchanges) == 2
