"""The whole flow, over the stand-in for Coze and a real table's engine, at a clock of our own."""

import hashlib
import random
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from coze_sts.access_token import AccessToken
from coze_sts.allowance import Allowance
from coze_sts.auth.session import Caller
from coze_sts.broker import Broker
from coze_sts.budget import STOPPED_SECONDS, Budget
from coze_sts.cache.counters import SITE, Counters
from coze_sts.cache.decision import FORCED_INTERVAL_SECONDS
from coze_sts.cache.memory import FRESH_SECONDS, TokenMemory
from coze_sts.cache.operations import BUDGET_HOLD_SECONDS
from coze_sts.cache.row import day_of
from coze_sts.cache.seal import seal
from coze_sts.cache.store import TokenStore
from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.keys import AppKeys
from coze_sts.errors import (
    BudgetSpent,
    InvalidToken,
    Misconfigured,
    SlowDown,
    StoreUnavailable,
    TemporarilyUnavailable,
    UpstreamRejected,
    UpstreamUnavailable,
)
from coze_sts.issuers import Issuer
from coze_sts.sessions import Sessions
from coze_sts.stored_secret import TTL_SECONDS, SecretVersion, StoredSecret
from coze_sts.web import new_http_session

from tests.engines import client_of, create_table, lacking, shared
from tests.factories import KEYRING, ROTATED, Clock, make_settings, make_token
from tests.local.coze import CozeStandIn
from tests.local.server import serve
from tests.parts import TABLE, Counts, Faults, FaultyStore, SingleKey, no_bindings

ALICE = Caller(kind="user", name="alice")
BOB = Caller(kind="user", name="bob")


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
def faults(clock: Clock) -> Faults:
    return Faults(clock=clock)


@pytest.fixture
def start(app: CozeApp, dynamodb: Any, clock: Clock, faults: Faults) -> Callable[..., Broker]:
    """A broker with an empty memory, as a new process has it."""

    def sleep(seconds: float) -> None:
        clock.now += seconds

    def start(**changes: Any) -> Broker:
        http = new_http_session()
        parts = {
            "settings": make_settings(),
            "keys": SingleKey(app),
            "keyring": lambda: KEYRING,
            "store": FaultyStore(client=dynamodb, faults=faults),
            "sessions": no_bindings(),
            "budget": None,
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


def test_a_rejected_token_is_replaced_once_and_again_only_after_a_minute(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    counts = Counts()
    first = start(telemetry=counts).token_for(ALICE)
    assert counts.metrics["Forced"] == 0
    second = start(telemetry=counts).token_for(ALICE, rejected=rejected(first))
    assert second.value != first.value
    assert counts.metrics["Forced"] == 1
    start(telemetry=counts).token_for(ALICE)
    assert counts.metrics["Forced"] == 1, "found, not forced anew"
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


def test_forgetting_removes_the_token_from_the_row_and_the_memory(
    start: Callable[..., Broker], dynamodb: Any, clock: Clock
) -> None:
    broker = start()
    first = broker.token_for(ALICE)
    broker.forget(ALICE)
    assert rows(dynamodb)[0].keys() == {"pk", "gen", "purge_at", "dropped_at", day_of(clock.now)}
    assert broker.token_for(ALICE).value != first.value


def test_forgetting_repeats_only_after_a_minute(start: Callable[..., Broker], clock: Clock) -> None:
    broker = start()
    for wait, allowed in ((0, True), (59, False), (1, True)):
        clock.now += wait
        broker.token_for(ALICE)
        if allowed:
            broker.forget(ALICE)
            continue
        with pytest.raises(SlowDown) as refusal:
            broker.forget(ALICE)
        assert refusal.value.retry_after == 60


def test_forgetting_what_is_not_there_changes_nothing(
    start: Callable[..., Broker], dynamodb: Any
) -> None:
    start().forget(ALICE)
    assert rows(dynamodb) == []


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


# The table fails: nobody is refused who could be served


@pytest.mark.parametrize("faulty", ["failing", "lost"])
@pytest.mark.parametrize("method", ["read", "acquire", "complete"])
def test_a_table_that_fails_at_any_step_costs_nobody_a_token(
    start: Callable[..., Broker],
    coze: CozeStandIn,
    faults: Faults,
    clock: Clock,
    *,
    method: str,
    faulty: str,
) -> None:
    """Slow it is, too: boto gives up after two tries of a second each."""
    faults.seconds, began = 2.5, clock.now
    setattr(faults, faulty, {method})
    broker = start()
    token = broker.token_for(ALICE)
    assert coze.tokens[token.value].session_name == "alice"
    assert len(coze.exchanges) == 1
    assert clock.now - began < 14
    assert broker.telemetry.metrics["TableFailed"] >= 1
    assert broker.telemetry.warnings
    assert broker.token_for(ALICE) == token, "from memory"


def test_a_lease_whose_reply_was_lost_blocks_nobody_past_its_end(
    start: Callable[..., Broker], coze: CozeStandIn, faults: Faults, clock: Clock
) -> None:
    faults.lost = {"acquire"}
    first = start().token_for(ALICE)
    faults.lost = set()
    with pytest.raises(TemporarilyUnavailable):
        start().token_for(ALICE)
    clock.now += 12 + 2
    assert start().token_for(ALICE).value != first.value


def test_a_write_that_succeeds_at_the_second_try_is_read_by_all(
    start: Callable[..., Broker], coze: CozeStandIn, faults: Faults
) -> None:
    faults.lost = {"complete"}
    token = start().token_for(ALICE)
    faults.lost = set()
    assert faults.calls.count("complete") == 2
    assert start().token_for(ALICE) == token


def test_a_stale_token_is_served_where_its_lease_cannot_be_asked_for(
    start: Callable[..., Broker], coze: CozeStandIn, faults: Faults, clock: Clock
) -> None:
    first = start().token_for(ALICE)
    stale(first, clock)
    faults.failing = {"acquire"}
    broker = start()
    assert broker.token_for(ALICE) == first
    assert broker.telemetry.metrics == {"TableFailed": 1, "ServedStale": 1}
    assert len(coze.exchanges) == 1


def test_without_the_table_a_process_exchanges_a_little_and_then_refuses(
    start: Callable[..., Broker], coze: CozeStandIn, faults: Faults, clock: Clock
) -> None:
    faults.failing = {"read"}
    broker = start()
    for number in range(3):
        broker.token_for(Caller(kind="user", name=f"u-{number}"))
    assert broker.telemetry.metrics["ExchangedWithoutTable"] == 3
    with pytest.raises(TemporarilyUnavailable) as refused:
        broker.token_for(ALICE)
    assert refused.value.retry_after == 1
    clock.now += 5
    assert broker.token_for(ALICE)
    assert coze.requests_seen == 4


def test_a_late_holder_serves_its_own_token_and_leaves_the_row_to_the_next(
    start: Callable[..., Broker], app: CozeApp, dynamodb: Any
) -> None:
    """It was frozen in its exchange, past the end of its lease."""
    http = new_http_session()

    def frozen() -> Any:
        pk = rows(dynamodb)[0]["pk"]
        dynamodb.update_item(
            TableName=TABLE,
            Key={"pk": pk},
            UpdateExpression="SET lease_id = :other",
            ExpressionAttributeValues={":other": {"S": "other"}},
        )
        return http

    token = start(http=frozen).token_for(ALICE)
    assert token.value.startswith("czs_")
    (row,) = rows(dynamodb)
    assert (row["lease_id"], "ct" in row) == ({"S": "other"}, False)


# Secrets Manager fails


class Vault:
    """Two stages of a secret; `gone` makes it fail."""

    def __init__(self, clock: Clock, **stages: CozeApp) -> None:
        self.stages, self.gone, self.clock = stages, False, clock

    def keys(self) -> AppKeys:
        return AppKeys(
            current=self.stored("current"), previous=self.stored("previous"), clock=self.clock
        )

    def stored(self, stage: str) -> StoredSecret[CozeApp]:
        def fetch() -> SecretVersion:
            if self.gone or stage not in self.stages:
                raise TemporarilyUnavailable("Secrets Manager did not answer.")
            kid = self.stages[stage].kid
            return SecretVersion(version_id=kid, text=kid)

        return StoredSecret(
            fetch=fetch,
            parse=lambda _kid: self.stages[stage],
            clock=self.clock,
            on_failure=lambda _failure: None,
        )


def test_a_key_in_memory_signs_while_secrets_manager_is_gone(
    start: Callable[..., Broker], app: CozeApp, clock: Clock
) -> None:
    vault = Vault(clock, current=app)
    broker = start(keys=vault.keys())
    broker.token_for(ALICE)
    vault.gone = True
    clock.now += 2 * TTL_SECONDS
    assert broker.token_for(BOB)
    with pytest.raises(TemporarilyUnavailable):
        start(keys=vault.keys()).token_for(BOB)


def test_the_previous_key_serves_until_coze_has_learnt_the_new_one(
    start: Callable[..., Broker], coze: CozeStandIn, app: CozeApp, clock: Clock
) -> None:
    vault = Vault(clock, current=replace(app, kid="kid-2"), previous=app)
    broker = start(keys=vault.keys())
    assert broker.token_for(ALICE).kid == app.kid
    assert (len(coze.exchanges), coze.requests_seen) == (1, 2)
    assert len({exchange.jti for exchange in coze.exchanges}) == 1


# One exchange for all


def test_who_waits_is_served_by_the_leaders_token(
    start: Callable[..., Broker], coze: CozeStandIn, dynamodb: Any, clock: Clock
) -> None:
    store, leaders = TokenStore(client=dynamodb, table=TABLE), make_token("czs_leader")
    broker = start()
    pk = broker._performer(ALICE, broker.settings).pk
    store.acquire(
        pk,
        lease_id="leader",
        lease_until=int(clock.now + 12) * 1000,
        over=None,
        seen_gen=None,
        per_day=100,
        now=clock.now,
    )
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        clock.now += seconds
        if len(naps) == 3:
            sealed = seal(leaders, pk=pk, keyring=KEYRING)
            store.complete(pk, lease_id="leader", sealed=sealed, now=clock.now)

    waiter = start(sleep=nap)
    assert waiter.token_for(ALICE) == leaders
    assert (len(naps), coze.requests_seen) == (3, 0)
    assert waiter.telemetry.metrics == {"Waited": 1}


def test_a_request_ends_in_its_own_time(
    start: Callable[..., Broker], dynamodb: Any, clock: Clock
) -> None:
    pk = start()._performer(ALICE, make_settings()).pk
    busy = {"lease_id": {"S": "x"}, "lease_until": {"N": str(int(clock.now + 12) * 1000)}}
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": pk}, "gen": {"N": "1"}} | busy)
    began = clock.now
    for remaining in (20, 5, 3, 1):
        with pytest.raises(TemporarilyUnavailable):
            start().token_for(ALICE, remaining=remaining)
        assert clock.now - began <= min(4.75, remaining - 1)
        began = clock.now


# Coze fails


def test_after_a_failure_everybody_leaves_coze_alone_for_the_time_that_was_noted(
    start: Callable[..., Broker], coze: CozeStandIn, dynamodb: Any, clock: Clock
) -> None:
    down(coze)
    with pytest.raises(UpstreamUnavailable):
        start().token_for(ALICE)
    assert coze.requests_seen == 2, "one retry, on a miss"
    retry_at = int(rows(dynamodb)[0]["retry_at"]["N"]) / 1000
    with pytest.raises(UpstreamUnavailable) as refused:
        start().token_for(ALICE)
    assert refused.value.retry_after - 1 < retry_at - clock.now <= refused.value.retry_after
    assert coze.requests_seen == 2
    clock.now = retry_at
    with pytest.raises(UpstreamUnavailable):
        start().token_for(ALICE)
    assert coze.requests_seen == 4


def test_cozes_own_wish_reaches_the_caller(start: Callable[..., Broker], coze: CozeStandIn) -> None:
    coze.fail_next(status=503, body={}, headers={"Retry-After": "40"}, times=9)
    for asked in (1, 1):
        with pytest.raises(UpstreamUnavailable) as refused:
            start().token_for(ALICE)
        assert (refused.value.retry_after, coze.requests_seen) == (40, asked)


def test_a_rate_limit_holds_every_process_and_every_session(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    carol = Caller(kind="user", name="carol")
    old = start().token_for(carol)
    stale(old, clock)
    coze.fail_next(status=429, body={}, headers={"Retry-After": "30"})
    with pytest.raises(UpstreamUnavailable):
        start().token_for(ALICE)
    asked = coze.requests_seen
    for _ in range(5):
        with pytest.raises(UpstreamUnavailable) as refused:
            start().token_for(BOB)
        assert refused.value.retry_after == 30
    assert start().token_for(carol) == old
    assert coze.requests_seen == asked
    clock.now += 30
    assert start().token_for(BOB)


def test_a_rate_limit_without_a_time_holds_all_for_a_moment(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    coze.fail_next(status=429, body={}, times=2)
    with pytest.raises(UpstreamUnavailable):
        start().token_for(ALICE)
    with pytest.raises(UpstreamUnavailable):
        start().token_for(BOB)
    clock.now += 2
    assert start().token_for(BOB)


def test_a_key_that_coze_does_not_know_is_tried_once_a_minute_by_all(
    start: Callable[..., Broker],
    coze: CozeStandIn,
    app: CozeApp,
    clock: Clock,
    public_pem: str,
) -> None:
    carol = Caller(kind="user", name="carol")
    old = start().token_for(carol)
    stale(old, clock)
    coze.forget_key(kid=app.kid)
    coze.requests_seen = 0
    began, processes = clock.now, [start() for _ in range(2)]
    while clock.now < began + 200:
        for number, process in enumerate(processes):
            with pytest.raises(UpstreamRejected):
                process.token_for(Caller(kind="user", name=f"u-{number}"))
        assert start().token_for(carol) == old, "who has a token keeps it"
        assert coze.requests_seen <= (clock.now - began) / 60 + 1
        clock.now += 19
    assert coze.requests_seen >= 3
    coze.register_app(client_id=app.client_id, kid=app.kid, public_key_pem=public_pem)
    clock.now += 60
    assert start().token_for(ALICE)
    for number, process in enumerate(processes):
        assert process.token_for(Caller(kind="user", name=f"u-{number + 9}")), "the hold is lifted"


def test_a_hold_for_an_unknown_key_does_not_hold_those_who_have_the_new_one(
    start: Callable[..., Broker], coze: CozeStandIn, app: CozeApp, public_pem: str
) -> None:
    coze.forget_key(kid=app.kid)
    with pytest.raises(UpstreamRejected):
        start().token_for(ALICE)
    coze.register_app(client_id=app.client_id, kid="kid-2", public_key_pem=public_pem)
    assert start(keys=SingleKey(replace(app, kid="kid-2"))).token_for(BOB).kid == "kid-2"


def test_every_try_signs_an_assertion_of_its_own(
    start: Callable[..., Broker], coze: CozeStandIn
) -> None:
    """The first is spent even where its answer was a failure: Coze refuses to see it again."""
    coze.fail_next(status=500, body={})
    assert start().token_for(ALICE)
    assert coze.requests_seen == 2


@pytest.mark.parametrize(
    ("status", "tries"), [(408, 2), (500, 2), (504, 2), (400, 1), (403, 1), (404, 1)]
)
def test_only_what_may_pass_is_tried_again(
    start: Callable[..., Broker], coze: CozeStandIn, status: int, tries: int
) -> None:
    coze.fail_next(status=status, body={"error": "x"}, times=9)
    with pytest.raises((UpstreamUnavailable, UpstreamRejected)):
        start().token_for(ALICE)
    assert coze.requests_seen == tries


def test_memory_serves_no_token_in_its_last_seconds(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    broker = start()
    first = broker.token_for(ALICE)
    down(coze)
    clock.now = first.expires_at - 8
    assert broker.token_for(ALICE) == first
    clock.now = first.expires_at - 5.5
    assert broker.token_for(ALICE) == first
    assert broker.telemetry.metrics["MemoryHit"] == 1
    clock.now = first.expires_at - 4.9
    with pytest.raises(UpstreamUnavailable):
        broker.token_for(ALICE)


def test_nothing_that_is_counted_or_noted_tells_a_token_or_a_name(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    caller = Caller(kind="user", name="canary@coze.test")
    broker = start()
    token = broker.token_for(caller)
    down(coze)
    stale(token, clock)
    broker.token_for(caller)
    told = repr((broker.telemetry.facts, broker.telemetry.metrics, broker.telemetry.warnings))
    told += "".join(failure.operator or "" for failure in broker.telemetry.warnings)
    assert broker.telemetry.warnings
    assert token.value not in told
    assert "canary" not in told


def test_a_snapshot_that_is_restored_twice_repeats_nothing_random(
    start: Callable[..., Broker], coze: CozeStandIn, dynamodb: Any
) -> None:
    """It holds the state of every generator that is seeded, and so none of them may be used."""
    http, leases, ciphertexts = new_http_session(), [], []

    def seen_in_an_exchange() -> Any:
        leases.append(rows(dynamodb)[0]["lease_id"]["S"])
        return http

    snapshot = random.getstate()
    for _ in range(3):
        random.setstate(snapshot)
        broker = start(http=seen_in_an_exchange)
        broker.token_for(ALICE)
        ciphertexts.append(rows(dynamodb)[0]["ct"]["B"])
        dynamodb.delete_item(TableName=TABLE, Key={"pk": rows(dynamodb)[0]["pk"]})
    for values in (leases, ciphertexts, [exchange.jti for exchange in coze.exchanges]):
        assert len(set(values)) == 3
    assert len({ct[:16] for ct in ciphertexts}) == len({ct[16:28] for ct in ciphertexts}) == 3
    assert all(re.fullmatch(r"[0-9a-f]{32}", lease) for lease in leases)


# A session's tokens of a day

DAY = 86_400


def midnight(clock: Clock) -> int:
    return int(clock.now) // DAY * DAY + DAY


def use_up(start: Callable[..., Broker], clock: Clock, *, times: int) -> AccessToken:
    """Rejects token after token, a minute apart, until that many were fetched; the last."""
    settings = make_settings(tokens_per_session=times)
    token = start(settings=settings).token_for(ALICE)
    for _ in range(times - 1):
        clock.now += FORCED_INTERVAL_SECONDS
        token = start(settings=settings).token_for(ALICE, rejected=rejected(token))
    clock.now += FORCED_INTERVAL_SECONDS
    return token


def test_a_session_gets_so_many_tokens_a_day_whatever_for(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    last = use_up(start, clock, times=3)
    settings = make_settings(tokens_per_session=3)
    for broker in (start(settings=settings), start(settings=settings)):
        assert broker.token_for(ALICE) == last, "which is good"
        with pytest.raises(SlowDown) as refused:
            broker.token_for(ALICE, rejected=rejected(last))
        assert refused.value.retry_after == midnight(clock) - clock.now
        assert "TOKENS_PER_SESSION" in (refused.value.operator or "")
    assert len(coze.exchanges) == coze.requests_seen == 3
    assert start(settings=settings).token_for(BOB)


def test_a_token_that_is_stale_or_in_its_grace_is_served_to_a_session_that_had_its_tokens(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    last = use_up(start, clock, times=2)
    settings = make_settings(tokens_per_session=2)
    for now in (last.refresh_at + 1, last.expires_at - 6):
        clock.now = now
        broker = start(settings=settings)
        assert broker.token_for(ALICE) == last
        assert broker.telemetry.metrics == {"ServedStale": 1}
    clock.now = last.expires_at - 4
    with pytest.raises(SlowDown) as refused:
        start(settings=settings).token_for(ALICE)
    assert refused.value.retry_after == midnight(clock) - clock.now
    assert coze.requests_seen == 2


def test_at_midnight_in_utc_a_session_begins_anew(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    clock.now = midnight(clock) - 4 * FORCED_INTERVAL_SECONDS
    last = use_up(start, clock, times=2)
    broker = start(settings=make_settings(tokens_per_session=2))
    clock.now = midnight(clock) - 1
    with pytest.raises(SlowDown) as refused:
        broker.token_for(ALICE, rejected=rejected(last))
    assert refused.value.retry_after == 1
    clock.now += 1
    assert broker.token_for(ALICE, rejected=rejected(last)) != last
    assert len(coze.exchanges) == 3


def test_forgetting_a_token_does_not_forget_how_many_there_were(
    start: Callable[..., Broker], clock: Clock
) -> None:
    use_up(start, clock, times=2)
    broker = start(settings=make_settings(tokens_per_session=2))
    broker.forget(ALICE)
    with pytest.raises(SlowDown):
        broker.token_for(ALICE)


def test_an_exchange_that_failed_is_not_one_of_a_sessions_tokens(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    settings = make_settings(tokens_per_session=1)
    for _ in range(3):
        coze.fail_next(status=400, body={"error": "x"})
        with pytest.raises(UpstreamRejected):
            start(settings=settings).token_for(ALICE)
        clock.now += 301
    assert start(settings=settings).token_for(ALICE)


# The site's exchanges of a day


@pytest.fixture
def start_limited(
    start: Callable[..., Broker], dynamodb: Any, clock: Clock
) -> Callable[..., Broker]:
    """A process of a site that has so many exchanges a day."""

    def start_limited(per_day: int, **changes: Any) -> Broker:
        allowance = Allowance(clock=clock)
        budget = Budget(
            counters=Counters(client=dynamodb, table=TABLE),
            per_day=per_day,
            allowance=allowance,
            clock=clock,
        )
        return start(budget=lambda: budget, allowance=allowance, **changes)

    return start_limited


def spent(dynamodb: Any, clock: Clock) -> int:
    (site,) = [row for row in rows(dynamodb) if row["pk"]["S"] == SITE]
    return int(site.get(day_of(clock.now), {"N": "0"})["N"])


def test_only_an_exchange_is_counted_and_a_token_that_is_found_costs_no_write(
    start_limited: Callable[..., Broker], dynamodb: Any, clock: Clock
) -> None:
    first, second = start_limited(5), start_limited(5)
    first.token_for(ALICE)
    assert spent(dynamodb, clock) == 1
    called: list[str] = []
    dynamodb.meta.events.register(
        "before-call.dynamodb", lambda model, **_: called.append(model.name)
    )
    for broker in (first, first, second, second):
        broker.token_for(ALICE)
    assert called == ["BatchGetItem"]
    assert spent(dynamodb, clock) == 1


def test_who_has_a_token_keeps_it_where_the_budget_is_spent_and_others_wait(
    start_limited: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    token = start_limited(1).token_for(ALICE)
    with pytest.raises(BudgetSpent) as refused:
        start_limited(1).token_for(BOB)
    assert refused.value.retry_after == midnight(clock) - clock.now
    stale(token, clock)
    assert start_limited(1).token_for(ALICE) == token
    assert (len(coze.exchanges), coze.requests_seen) == (1, 1)


def test_where_the_budget_is_spent_the_table_is_asked_once_a_minute_by_all(
    start_limited: Callable[..., Broker], dynamodb: Any, clock: Clock
) -> None:
    start_limited(1).token_for(ALICE)
    counted: list[str] = []
    dynamodb.meta.events.register(
        "before-parameter-build.dynamodb.UpdateItem",
        lambda params, **_: counted.append(params["Key"]["pk"]["S"]),
    )
    began = clock.now
    while clock.now < began + 2 * BUDGET_HOLD_SECONDS:
        for name in "abc":
            with pytest.raises(BudgetSpent) as refused:
                start_limited(1).token_for(Caller(kind="user", name=name))
            assert refused.value.retry_after
        clock.now += 15
    assert counted.count(SITE) <= 3


def test_a_budget_that_is_raised_and_a_new_day_are_felt_within_a_minute(
    start_limited: Callable[..., Broker], clock: Clock
) -> None:
    start_limited(1).token_for(ALICE)
    for _ in range(2):
        with pytest.raises(BudgetSpent):
            start_limited(1).token_for(BOB)
    clock.now += BUDGET_HOLD_SECONDS
    assert start_limited(2).token_for(BOB)
    with pytest.raises(BudgetSpent):
        start_limited(2).token_for(Caller(kind="user", name="carol"))
    clock.now = midnight(clock) + BUDGET_HOLD_SECONDS
    assert start_limited(1).token_for(Caller(kind="user", name="carol"))


def test_an_exchange_that_failed_is_given_back_to_the_site(
    start_limited: Callable[..., Broker], coze: CozeStandIn, dynamodb: Any, clock: Clock
) -> None:
    down(coze)
    with pytest.raises(UpstreamUnavailable):
        start_limited(1).token_for(ALICE)
    assert coze.requests_seen == 2, "one retry, counted and given back as well"
    assert spent(dynamodb, clock) == 0


def test_a_site_that_is_stopped_serves_what_it_has_and_fetches_nothing(
    start_limited: Callable[..., Broker], coze: CozeStandIn, dynamodb: Any, clock: Clock
) -> None:
    token = start_limited(9).token_for(ALICE)
    site = {"TableName": TABLE, "Key": {"pk": {"S": SITE}}}
    dynamodb.update_item(
        **site,
        UpdateExpression="SET stopped = :yes",
        ExpressionAttributeValues={":yes": {"BOOL": True}},
    )
    with pytest.raises(BudgetSpent) as refused:
        start_limited(9).token_for(BOB)
    assert refused.value.retry_after == STOPPED_SECONDS
    stale(token, clock)
    assert start_limited(9).token_for(ALICE) == token
    assert coze.requests_seen == 1
    dynamodb.update_item(**site, UpdateExpression="REMOVE stopped")
    clock.now += BUDGET_HOLD_SECONDS
    assert start_limited(9).token_for(BOB)


def test_without_the_table_the_allowance_bounds_what_nobody_can_count(
    start_limited: Callable[..., Broker], coze: CozeStandIn, dynamodb: Any
) -> None:
    dynamodb.delete_table(TableName=TABLE)
    broker = start_limited(1)
    for number in range(3):
        assert broker.token_for(Caller(kind="user", name=f"u-{number}"))
    with pytest.raises(TemporarilyUnavailable):
        broker.token_for(ALICE)
    assert len(coze.exchanges) == 3


# Guests who become users

BINDINGS = "bindings"
GUEST = Caller(kind="guest", name="guest_aaaaaaaaaaaaaaaaaaaaaaaaaa")
SIGN_IN = make_settings(issuers=(Issuer(url="https://one.example"),))


@pytest.fixture
def start_bound(
    start: Callable[..., Broker], dynamodb: Any, clock: Clock, faults: Faults
) -> Callable[..., Broker]:
    """A process of a site whose guests can sign in."""
    dynamodb.create_table(
        TableName=BINDINGS,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )

    def start_bound(**changes: Any) -> Broker:
        sessions = Sessions(client=dynamodb, table=BINDINGS, keyring=lambda: KEYRING, clock=clock)
        store = FaultyStore(client=dynamodb, faults=faults, binding_table=BINDINGS)
        return start(**{"sessions": sessions, "store": store, "settings": SIGN_IN} | changes)

    return start_bound


def test_who_signs_in_as_a_guest_goes_on_with_the_guests_token(
    start_bound: Callable[..., Broker], coze: CozeStandIn
) -> None:
    broker = start_bound()
    guests = broker.token_for(replace(GUEST, new=True))
    assert broker.sessions.carry_over(GUEST, to=ALICE)
    for process in (broker, start_bound()):
        for caller in (ALICE, Caller(kind="backend", name="alice")):
            assert process.token_for(caller) == guests
        with pytest.raises(InvalidToken):
            process.token_for(GUEST)
    assert [exchange.session_name for exchange in coze.exchanges] == [GUEST.name]


def test_what_a_user_said_before_is_not_lost_and_not_the_guests(
    start_bound: Callable[..., Broker], coze: CozeStandIn
) -> None:
    broker = start_bound()
    own = broker.token_for(ALICE)
    broker.sessions.carry_over(GUEST, to=ALICE)
    token = broker.token_for(ALICE)
    assert token != own
    assert coze.tokens[token.value].session_name == GUEST.name


def test_a_process_that_was_not_told_goes_by_its_memory_for_a_minute_at_most(
    start_bound: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    """A look at the table for each hit would cost more than a minute's delay."""
    unaware = start_bound()
    own, guests = unaware.token_for(ALICE), unaware.token_for(GUEST)
    start_bound().sessions.carry_over(GUEST, to=ALICE)
    clock.now += FRESH_SECONDS - 1
    assert (unaware.token_for(ALICE), unaware.token_for(GUEST)) == (own, guests)
    clock.now += 1
    assert unaware.token_for(ALICE) == guests
    with pytest.raises(InvalidToken):
        unaware.token_for(GUEST)


def test_what_a_user_has_in_memory_is_not_there_for_the_void_ticket(
    start_bound: Callable[..., Broker],
) -> None:
    """Else a ticket that is void would be served for as long as its user comes."""
    unaware = start_bound()
    start_bound().sessions.carry_over(GUEST, to=ALICE)
    unaware.token_for(ALICE)
    with pytest.raises(InvalidToken):
        start_bound(memory=unaware.memory).token_for(GUEST)


@pytest.mark.parametrize("rejects", [False, True])
def test_a_void_ticket_costs_no_exchange_and_replaces_no_token(
    start_bound: Callable[..., Broker], coze: CozeStandIn, *, rejects: bool
) -> None:
    token = start_bound().token_for(GUEST)
    start_bound().sessions.carry_over(GUEST, to=ALICE)
    with pytest.raises(InvalidToken):
        start_bound().token_for(GUEST, rejected=rejected(token) if rejects else None)
    assert start_bound().token_for(ALICE) == token
    assert coze.requests_seen == 1


def test_to_forget_a_users_token_is_to_forget_the_guests(
    start_bound: Callable[..., Broker],
) -> None:
    token = start_bound().token_for(GUEST)
    start_bound().sessions.carry_over(GUEST, to=ALICE)
    start_bound().forget(ALICE)
    assert start_bound().token_for(ALICE) != token


def test_without_the_table_a_guest_who_may_be_a_user_by_now_is_not_served(
    start_bound: Callable[..., Broker], coze: CozeStandIn, faults: Faults
) -> None:
    known = start_bound()
    token = known.token_for(GUEST)
    faults.failing = {"read"}
    with pytest.raises(TemporarilyUnavailable):
        start_bound().token_for(GUEST)
    assert known.token_for(GUEST) == token, "from memory"
    assert start_bound().token_for(replace(GUEST, name="guest_b", new=True))
    assert start_bound().token_for(BOB)
    assert start_bound(settings=make_settings()).token_for(GUEST), "where nobody can sign in"
    assert len(coze.exchanges) == 4


def test_a_damaged_binding_is_the_operators_to_mend_and_opens_nothing(
    start_bound: Callable[..., Broker], coze: CozeStandIn, dynamodb: Any
) -> None:
    sessions = start_bound().sessions
    sessions.carry_over(GUEST, to=ALICE)
    alices = dynamodb.get_item(TableName=BINDINGS, Key={"pk": {"S": sessions.binding_pk(ALICE)}})[
        "Item"
    ]
    moved = alices | {"pk": {"S": sessions.binding_pk(BOB)}}
    dynamodb.put_item(TableName=BINDINGS, Item=moved)
    with pytest.raises(Misconfigured):
        start_bound().token_for(BOB)
    with pytest.raises(Misconfigured):
        start_bound().forget(BOB)
    assert not coze.exchanges


def test_of_two_users_with_one_ticket_who_ask_at_once_no_loser_gets_a_token_of_that_session(
    start: Callable[..., Broker], coze: CozeStandIn, clock: Clock
) -> None:
    """On Amazon's engine: moto's transactions are not atomic between threads."""
    if lack := lacking("dynamodb-local"):
        pytest.skip(lack)
    with_table = client_of(shared("dynamodb-local"))
    tokens, bindings = create_table(with_table), create_table(with_table)
    users = [Caller(kind="user", name=name) for name in "abcd"]
    together = Barrier(len(users))

    def sign_in(guest: Caller, user: Caller) -> str | None:
        """Whose session the token opens, or None for an error."""
        client = client_of(shared("dynamodb-local"))
        sessions = Sessions(client=client, table=bindings, keyring=lambda: KEYRING, clock=clock)
        store = TokenStore(client=client, table=tokens, binding_table=bindings)
        broker = start(sessions=sessions, store=store, settings=SIGN_IN)
        together.wait()
        try:
            broker.sessions.carry_over(guest, to=user)
            return coze.tokens[broker.token_for(user).value].session_name
        except (InvalidToken, StoreUnavailable):
            return None
        finally:
            client.close()

    for number in range(4):
        guest = replace(GUEST, name=f"guest_{number}")
        with ThreadPoolExecutor(len(users)) as pool:
            people = [replace(user, name=f"{user.name}-{number}") for user in users]
            got = list(pool.map(lambda user, guest=guest: sign_in(guest, user), people))
        assert got.count(guest.name) <= 1
        assert got.count(None) >= len(users) - 1
