"""The table: one suite, which every engine that plays DynamoDB has to pass."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from coze_sts.cache.row import DamagedRowError, FleetHold, Row, day_of
from coze_sts.cache.seal import seal
from coze_sts.cache.store import (
    ABSURD_MS,
    DROP_INTERVAL_SECONDS,
    KEEP_SECONDS,
    RefusedError,
    TokenStore,
)
from mypy_boto3_dynamodb import DynamoDBClient

from tests.engines import ENGINES, Engine, client_of, create_table, lacking, shared
from tests.engines.items import item_of
from tests.factories import KEYRING, NOW, make_token
from tests.local.template import PATH as TEMPLATE

PK, FLEET = "t1#a", "c1#a"
ME, OTHER = "1" * 32, "2" * 32
NOW_MS = NOW * 1000
UNTIL = NOW_MS + 12_000
SEALED = seal(make_token(), pk=PK, keyring=KEYRING)
DUE = replace(SEALED, refresh_at=NOW)
NEWER = seal(make_token("czs_two", kid="密钥", forced=True), pk=PK, keyring=KEYRING)
FREE = Row(pk=PK, gen=1)
TODAY, YESTERDAY = day_of(NOW), day_of(NOW - 86_400)
ONE_TODAY = {TODAY: 1}
HOLD = FleetHold(until=NOW_MS + 60_000, error="unknown_key", kid="kid-1")


@dataclass(frozen=True, kw_only=True)
class Table:
    """An empty table, and what is put there past the store."""

    client: DynamoDBClient
    name: str
    engine: Engine

    @property
    def store(self) -> TokenStore:
        return TokenStore(client=self.client, table=self.name)

    def item(self, pk: str = PK) -> dict[str, Any]:
        return self.client.get_item(TableName=self.name, Key={"pk": {"S": pk}}).get("Item", {})

    def put(self, row: Row | dict[str, Any]) -> None:
        item = item_of(row) if isinstance(row, Row) else row
        self.client.put_item(TableName=self.name, Item=item)

    def row(self) -> Row | None:
        return self.store.read(PK, fleet_pk=FLEET)[0]

    def hold(self) -> FleetHold | None:
        return self.store.read(PK, fleet_pk=FLEET)[1]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    engine: Engine = request.param
    if lack := lacking(engine):
        pytest.skip(lack)
    return engine


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[DynamoDBClient]:
    client = client_of(shared(engine))
    yield client
    client.close()


@pytest.fixture(scope="module")
def table_name(client: DynamoDBClient) -> str:
    return create_table(client)


@pytest.fixture
def table(client: DynamoDBClient, table_name: str, engine: Engine) -> Iterator[Table]:
    yield Table(client=client, name=table_name, engine=engine)
    for pk in (PK, FLEET, "t1#b"):
        client.delete_item(TableName=table_name, Key={"pk": {"S": pk}})


def acquire(table: Table, **changes: Any) -> Row:
    """Asks for the lease as one who saw no lease and no token."""
    asked: dict[str, Any] = {"lease_id": ME, "lease_until": UNTIL, "over": None, "seen_gen": None}
    return table.store.acquire(PK, **asked | {"now": NOW, "per_day": 100} | changes)


def refusal(table: Table, **changes: Any) -> Row | None:
    """What stood in the way of ACQUIRE, which must have changed nothing."""
    before = table.item()
    with pytest.raises(RefusedError) as refused:
        acquire(table, **changes)
    assert table.item() == before
    return refused.value.row


# READ


def test_a_row_is_read_as_it_was_written(table: Table) -> None:
    row = Row(
        pk=PK,
        gen=7,
        sealed=NEWER,
        lease_id=ME,
        lease_until=UNTIL,
        retry_at=NOW_MS + 1,
        fail_n=3,
        error="temporarily_unavailable",
    )
    table.put(row)
    assert table.row() == row


def test_a_session_without_a_row_and_a_fleet_without_a_hold_are_none(table: Table) -> None:
    assert table.store.read(PK, fleet_pk=FLEET) == (None, None)


def test_the_fleets_hold_comes_with_the_row_and_without_it(table: Table) -> None:
    table.store.hold(FLEET, HOLD, now=NOW)
    assert table.store.read(PK, fleet_pk=FLEET) == (None, HOLD)
    table.put(FREE)
    assert table.store.read(PK, fleet_pk=FLEET) == (FREE, HOLD)
    assert table.store.read("t1#b", fleet_pk="c1#b") == (None, None)


# ACQUIRE: attribute_not_exists(pk) …


@pytest.mark.parametrize("asked", [{}, {"over": OTHER}, {"seen_gen": 4}])
def test_where_there_is_no_row_the_first_to_ask_gets_the_lease(
    table: Table, asked: dict[str, Any]
) -> None:
    granted = acquire(table, **asked)
    assert granted == Row(pk=PK, gen=1, lease_id=ME, lease_until=UNTIL) == table.row()


def test_the_lease_of_a_row_that_is_free_and_due_is_granted_and_counted(table: Table) -> None:
    table.put(replace(FREE, gen=7))
    assert acquire(table) == Row(pk=PK, gen=8, lease_id=ME, lease_until=UNTIL)


# … OR ( the lease …


def test_a_lease_that_stands_refuses_whoever_saw_none(table: Table) -> None:
    held = replace(FREE, lease_id=OTHER, lease_until=UNTIL)
    table.put(held)
    assert refusal(table) == held


def test_a_dead_lease_is_taken_over_by_name(table: Table) -> None:
    table.put(replace(FREE, lease_id=OTHER, lease_until=1))
    assert acquire(table, over=OTHER) == Row(pk=PK, gen=2, lease_id=ME, lease_until=UNTIL)


def test_of_two_who_saw_the_same_dead_lease_only_one_takes_over(table: Table) -> None:
    table.put(replace(FREE, lease_id=OTHER, lease_until=1))
    first = acquire(table, over=OTHER, lease_id="3" * 32)
    assert refusal(table, over=OTHER) == first


def test_a_dead_lease_that_ended_meanwhile_cannot_be_taken_over(table: Table) -> None:
    table.put(FREE)
    assert refusal(table, over=OTHER) == FREE


# … AND the token is due …


def test_no_lease_is_granted_before_the_token_is_due(table: Table) -> None:
    fresh = replace(FREE, sealed=replace(SEALED, refresh_at=NOW + 1))
    table.put(fresh)
    assert refusal(table, now=NOW + 0.999) == fresh
    assert acquire(table, now=NOW + 1).sealed == fresh.sealed


def test_a_dead_lease_is_not_taken_over_before_the_token_is_due(table: Table) -> None:
    fresh = replace(FREE, sealed=SEALED, lease_id=OTHER, lease_until=1)
    table.put(fresh)
    assert refusal(table, over=OTHER) == fresh


def test_whoever_saw_the_token_rejected_gets_the_lease_before_it_is_due(table: Table) -> None:
    table.put(replace(FREE, sealed=SEALED, gen=7))
    assert acquire(table, seen_gen=7) == Row(
        pk=PK, gen=8, sealed=SEALED, lease_id=ME, lease_until=UNTIL
    )


@pytest.mark.parametrize("seen_gen", [6, 8])
def test_a_forced_renewal_is_refused_where_another_lease_was_granted_since(
    table: Table, seen_gen: int
) -> None:
    row = replace(FREE, sealed=DUE, gen=7)
    table.put(row)
    assert refusal(table, seen_gen=seen_gen) == row


def test_a_forced_renewal_waits_for_the_lease_as_others_do(table: Table) -> None:
    table.put(replace(FREE, gen=7, lease_id=OTHER, lease_until=UNTIL))
    assert refusal(table, seen_gen=7)
    assert acquire(table, seen_gen=7, over=OTHER).lease_id == ME


# … AND the back-off is over )


@pytest.mark.parametrize("seen_gen", [None, 1])
def test_a_back_off_refuses_until_its_millisecond(table: Table, seen_gen: int | None) -> None:
    row = replace(FREE, retry_at=NOW_MS + 501)
    table.put(row)
    assert refusal(table, now=NOW + 0.5, seen_gen=seen_gen) == row
    assert acquire(table, now=NOW + 0.502, seen_gen=seen_gen).lease_id == ME


def test_a_back_off_that_ends_this_millisecond_is_over(table: Table) -> None:
    table.put(replace(FREE, retry_at=NOW_MS))
    assert acquire(table).lease_id == ME


def test_a_back_off_from_further_ahead_than_anybody_writes_blocks_nobody(table: Table) -> None:
    believed = replace(FREE, retry_at=NOW_MS + ABSURD_MS)
    table.put(believed)
    assert refusal(table) == believed
    table.put(replace(believed, retry_at=believed.retry_at + 1))
    assert acquire(table).lease_id == ME
    assert ABSURD_MS > 300_000


def test_a_lease_ends_the_back_off_and_keeps_token_and_failures(table: Table) -> None:
    table.put(replace(FREE, sealed=DUE, retry_at=NOW_MS - 1, fail_n=4, error="server_error"))
    assert acquire(table) == Row(
        pk=PK,
        gen=2,
        sealed=DUE,
        lease_id=ME,
        lease_until=UNTIL,
        fail_n=4,
        error="server_error",
    )


def test_an_acquire_that_the_sdk_sends_again_shows_the_lease_as_ours(table: Table) -> None:
    acquire(table)
    row = refusal(table)
    assert row is not None
    assert row.lease_id == ME


# COMPLETE


def test_the_holder_writes_the_token_and_ends_lease_back_off_and_failures(table: Table) -> None:
    table.put(replace(FREE, sealed=DUE, lease_id=ME, retry_at=NOW_MS, fail_n=4, error="x"))
    table.store.complete(PK, lease_id=ME, sealed=NEWER, now=NOW)
    assert table.row() == replace(FREE, sealed=NEWER, tokens=ONE_TODAY)
    assert table.item().keys() == vars(NEWER).keys() | {"pk", "gen", "purge_at", TODAY}


def test_the_tokens_of_a_day_are_counted_and_yesterdays_count_goes(table: Table) -> None:
    table.put(replace(FREE, lease_id=ME, tokens={TODAY: 2, YESTERDAY: 9}))
    table.store.complete(PK, lease_id=ME, sealed=NEWER, now=NOW)
    row = table.row()
    assert row
    assert row.tokens == {TODAY: 3}


def test_no_lease_is_granted_to_a_session_that_had_its_tokens_today(table: Table) -> None:
    table.put(replace(FREE, tokens={TODAY: 2}))
    assert refusal(table, per_day=2) == replace(FREE, tokens={TODAY: 2})
    assert acquire(table, per_day=3).lease_id == ME


def test_yesterdays_tokens_count_for_nothing_today(table: Table) -> None:
    table.put(replace(FREE, tokens={YESTERDAY: 100}))
    assert acquire(table, per_day=1).lease_id == ME


NOT_MINE: list[Row | None] = [
    replace(FREE, sealed=SEALED, lease_id=OTHER, lease_until=UNTIL),
    replace(FREE, sealed=SEALED),
    None,
]
ENDS: dict[str, Callable[[TokenStore], None]] = {
    "complete": lambda store: store.complete(PK, lease_id=ME, sealed=NEWER, now=NOW),
    "fail": lambda store: store.fail(PK, lease_id=ME, retry_at=NOW_MS + 9, error="server_error"),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("row", NOT_MINE, ids=["taken over", "ended", "deleted"])
def test_who_lost_the_lease_changes_nothing(table: Table, end: str, row: Row | None) -> None:
    if row is not None:
        table.put(row)
    before = table.item()
    with pytest.raises(RefusedError) as refused:
        ENDS[end](table.store)
    assert (refused.value.row, table.item()) == (row, before)


def test_a_complete_that_the_sdk_sends_again_has_succeeded(table: Table) -> None:
    acquire(table)
    for _ in range(2):
        table.store.complete(PK, lease_id=ME, sealed=NEWER, now=NOW)
    assert table.row() == replace(FREE, sealed=NEWER, tokens=ONE_TODAY)


def test_a_complete_sent_again_leaves_the_next_lease_alone(table: Table) -> None:
    held = replace(FREE, sealed=NEWER, lease_id=OTHER, lease_until=UNTIL)
    table.put(held)
    table.store.complete(PK, lease_id=ME, sealed=NEWER, now=NOW)
    assert table.row() == held


@pytest.mark.parametrize(
    ("now", "counts_from"), [(NOW, SEALED.expires_at), (NOW + 9999.9, NOW + 9999)]
)
def test_a_row_is_purged_a_day_after_it_is_of_no_more_use(
    table: Table, now: float, counts_from: int
) -> None:
    acquire(table)
    assert table.item()["purge_at"] == {"N": str(NOW + KEEP_SECONDS)}
    table.store.complete(PK, lease_id=ME, sealed=SEALED, now=now)
    assert table.item()["purge_at"] == {"N": str(counts_from + KEEP_SECONDS)}
    assert KEEP_SECONDS == 86400


# FAIL


def test_a_failure_ends_the_lease_is_counted_and_keeps_the_token(table: Table) -> None:
    table.put(replace(FREE, sealed=DUE))
    for count in (1, 2):
        acquire(table, now=NOW + count)
        ENDS["fail"](table.store)
        assert table.row() == Row(
            pk=PK,
            gen=1 + count,
            sealed=DUE,
            retry_at=NOW_MS + 9,
            fail_n=count,
            error="server_error",
        )
    assert "lease_until" not in table.item()


# The fleet's item


def test_a_longer_hold_takes_the_place_of_a_shorter_one_and_never_the_reverse(
    table: Table,
) -> None:
    table.store.hold(FLEET, HOLD, now=NOW)
    for until in (HOLD.until, HOLD.until - 1):
        with pytest.raises(RefusedError):
            table.store.hold(FLEET, replace(HOLD, until=until, error="x"), now=NOW)
    assert table.hold() == HOLD
    longer = FleetHold(until=HOLD.until + 1, error="temporarily_unavailable", kid="kid-2")
    table.store.hold(FLEET, longer, now=NOW)
    assert table.hold() == longer


@pytest.mark.parametrize("until", [{"N": str(NOW_MS + ABSURD_MS + 1)}, {"S": "x"}, {"NULL": True}])
def test_a_hold_that_nobody_would_write_gives_way(table: Table, until: dict[str, Any]) -> None:
    damaged = {"hold_until": until, "err": {"S": "x"}, "kid": {"S": "kid-1"}}
    table.put({"pk": {"S": FLEET}, **damaged})
    if table.engine == "moto" and "N" not in until:  # which cannot compare them
        return
    table.store.hold(FLEET, HOLD, now=NOW)
    assert table.hold() == HOLD


def test_the_longest_hold_that_is_believed_does_not_give_way(table: Table) -> None:
    longest = replace(HOLD, until=NOW_MS + ABSURD_MS)
    table.store.hold(FLEET, longest, now=NOW)
    with pytest.raises(RefusedError):
        table.store.hold(FLEET, HOLD, now=NOW)
    assert table.hold() == longest


def test_a_hold_is_purged_after_a_day(table: Table) -> None:
    table.store.hold(FLEET, HOLD, now=NOW + 0.9)
    assert table.item(FLEET)["purge_at"] == {"N": str(NOW + KEEP_SECONDS)}


def test_one_probe_is_granted_for_each_time_that_was_seen(table: Table) -> None:
    table.store.hold(FLEET, HOLD, now=NOW)
    later = HOLD.until + 60_000
    table.store.probe(FLEET, seen_until=HOLD.until, until=later)
    with pytest.raises(RefusedError):
        table.store.probe(FLEET, seen_until=HOLD.until, until=later + 1)
    assert table.hold() == replace(HOLD, until=later)


def test_where_no_hold_stands_there_is_nothing_to_probe(table: Table) -> None:
    with pytest.raises(RefusedError):
        table.store.probe(FLEET, seen_until=HOLD.until, until=HOLD.until + 1)
    assert table.item(FLEET) == {}


# FORGET


def test_a_forgotten_row_is_gone_whether_or_not_it_was_there(table: Table) -> None:
    table.put(FREE)
    table.put(replace(FREE, pk="t1#b"))
    for _ in range(2):
        table.store.forget(PK)
    assert table.row() is None
    assert table.store.read("t1#b", fleet_pk=FLEET)[0] == replace(FREE, pk="t1#b")


# Damage

FULL = replace(
    FREE, sealed=SEALED, lease_id=OTHER, lease_until=UNTIL, retry_at=1, fail_n=1, error="x"
)


@pytest.mark.parametrize("hold", [None, HOLD])
def test_an_item_of_another_shape_is_damaged_and_the_fleets_hold_is_known(
    table: Table, hold: FleetHold | None
) -> None:
    table.put(item_of(FULL) | {"gen": {"L": [{"SS": ["x"]}, {"NULL": True}]}})
    if hold is not None:
        table.store.hold(FLEET, hold, now=NOW)
    with pytest.raises(DamagedRowError) as damaged:
        table.row()
    assert damaged.value.hold == hold


def test_a_token_of_another_shape_leaves_the_lease_readable(table: Table) -> None:
    table.put(item_of(FULL) | {"ct": {"M": {"B": {"B": b"x"}}}})
    assert table.row() == replace(FULL, sealed=None, sealed_damaged=True)


def test_a_damaged_item_in_the_way_of_a_lease_is_damaged_there_too(table: Table) -> None:
    table.put(item_of(FULL) | {"fail_n": {"S": "x"}})
    with pytest.raises(DamagedRowError):
        acquire(table)


def test_a_refresh_time_of_another_type_does_not_count_as_due(table: Table) -> None:
    table.put(item_of(replace(FREE, sealed=SEALED)) | {"refresh_at": {"S": "x"}})
    if table.engine == "moto":  # which cannot compare them
        return
    assert refusal(table) == replace(FREE, sealed_damaged=True)
    assert acquire(table, seen_gen=1).lease_id == ME


# What it costs, and what the role of the function must allow


def test_the_table_holds_no_token_in_clear_and_costs_one_unit_a_kilobyte(table: Table) -> None:
    value, pk = "czs_" + "t" * 396, "t1#" + "p" * 43
    token = make_token(value, kid="k" * 43)
    table.put(replace(FULL, fail_n=99, error="temporarily_unavailable"))
    table.store.acquire(
        PK, lease_id=ME, lease_until=UNTIL, over=OTHER, seen_gen=1, per_day=100, now=NOW
    )
    sealed = seal(token, pk=pk, keyring=KEYRING)
    table.store.complete(PK, lease_id=ME, sealed=sealed, now=NOW)
    table.store.acquire(
        PK, lease_id=ME, lease_until=UNTIL, over=None, seen_gen=2, per_day=100, now=NOW
    )
    item = table.item() | {"pk": {"S": pk}, "err": {"S": "temporarily_unavailable"}}
    item |= {"retry_at": {"N": str(UNTIL)}, "fail_n": {"N": "99"}}
    assert "tttt" not in repr(item)
    assert sum(len(name) + size(*value.values()) for name, value in item.items()) < 1024


def size(value: str | bytes | bool) -> int:
    """Bytes of an attribute's value, as DynamoDB counts them, or a few more for a number."""
    return 1 if isinstance(value, bool) else len(value)


def test_the_role_of_the_function_allows_what_is_called_and_no_more(table: Table) -> None:
    called: list[str] = []

    def note(model: Any, **_: object) -> None:
        called.append(model.name)

    store = table.store
    table.client.meta.events.register("before-call.dynamodb", note)
    try:
        acquire(table)
        with pytest.raises(RefusedError):
            acquire(table)
        ENDS["complete"](store)
        store.read(PK, fleet_pk=FLEET)
        store.forget(PK)
    finally:
        table.client.meta.events.unregister("before-call.dynamodb", note)
    read_again = ["GetItem"] if table.engine == "dynalite" else []
    writes = ["UpdateItem", "UpdateItem", *read_again, "UpdateItem"]
    assert called == [*writes, "BatchGetItem", "DeleteItem"]
    allowed = re.findall(r"- dynamodb:(\w+)", TEMPLATE.read_text(encoding="utf-8"))
    assert set(allowed) == {*called, "GetItem"}


# DROP


def test_a_dropped_token_leaves_lease_and_back_off_where_they_are(table: Table) -> None:
    row = Row(
        pk=PK, gen=3, sealed=SEALED, lease_id=ME, lease_until=UNTIL, retry_at=NOW_MS + 9, fail_n=2
    )
    table.put(row)
    table.store.drop_token(PK, now=NOW)
    assert table.row() == replace(row, sealed=None)
    table.store.complete(PK, lease_id=ME, sealed=NEWER, now=NOW)
    assert table.row() == Row(pk=PK, gen=3, sealed=NEWER, tokens=ONE_TODAY)


def test_a_token_is_dropped_once_a_minute(table: Table) -> None:
    table.put(replace(FREE, sealed=DUE))
    table.store.drop_token(PK, now=NOW)
    table.store.drop_token(PK, now=NOW)
    acquire(table)
    table.store.complete(PK, lease_id=ME, sealed=SEALED, now=NOW)
    with pytest.raises(RefusedError):
        table.store.drop_token(PK, now=NOW + DROP_INTERVAL_SECONDS - 1)
    table.store.drop_token(PK, now=NOW + DROP_INTERVAL_SECONDS)
    assert table.row() == Row(pk=PK, gen=2, tokens=ONE_TODAY)


def test_dropping_what_is_not_there_makes_no_row(table: Table) -> None:
    table.store.drop_token(PK, now=NOW)
    assert table.item() == {}
