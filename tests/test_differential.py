"""The simulator's table against Amazon's own: the same operations, rows and refusals.

What the simulator proves of the cache holds for DynamoDB as far as these two agree.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from coze_sts.cache.row import FleetHold, Row, day_of, read_hold, read_row
from coze_sts.cache.seal import seal
from coze_sts.cache.store import ABSURD_MS, RefusedError, TokenStore
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from mypy_boto3_dynamodb import DynamoDBClient

from tests.engines import client_of, create_table, lacking, shared
from tests.engines.items import item_of
from tests.factories import KEYRING, NOW, make_token
from tests.simulation.table import InMemoryTable

SESSIONS = ("a", "b")
NOW_MS = NOW * 1000
LEASES = st.sampled_from(["1" * 32, "2" * 32])
CLOCK = st.sampled_from([NOW, NOW + 0.5])
SOON = st.sampled_from([NOW_MS, NOW_MS + 500, NOW_MS + 501])
RETRY = SOON | SOON.map(lambda ms: ms + ABSURD_MS)
ERRORS = st.sampled_from(["temporarily_unavailable", "upstream_rejected"])
TOKENS = [make_token(f"czs_{n}", kid=f"kid-{n}", forced=bool(n)) for n in range(2)]
SEALED = st.builds(
    replace,
    st.sampled_from([seal(token, pk="t1#a", keyring=KEYRING) for token in TOKENS]),
    refresh_at=st.sampled_from([NOW, NOW + 1]),
    expires_at=st.sampled_from([NOW - 1, NOW + 3600]),
)
Operation = tuple[str, str, dict[str, Any]]
"""Its name, the session it is for, its arguments."""


def on_session(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Operation]:
    return st.tuples(st.just(name), st.sampled_from(SESSIONS), st.fixed_dictionaries(arguments))


def on_fleet(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Operation]:
    return st.tuples(st.just(name), st.just("fleet"), st.fixed_dictionaries(arguments))


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """Any row that can be, whatever led to it."""
    lease = draw(st.none() | LEASES)
    return {
        "gen": draw(st.integers(1, 2)),
        "sealed": draw(st.none() | SEALED),
        "lease_id": lease,
        "lease_until": draw(SOON) if lease else 0,
        "retry_at": draw(st.just(0) | RETRY),
        "fail_n": draw(st.integers(0, 2)),
        "error": draw(st.none() | ERRORS),
        "tokens": draw(st.dictionaries(DAYS, st.integers(1, 4), max_size=2)),
    }


DAYS = st.sampled_from([day_of(NOW - 86_400), day_of(NOW), day_of(NOW + 86_400)])

ANY_LEASE = st.none() | LEASES
ANY_GEN = st.none() | st.integers(0, 2)


def acquire(
    *,
    over: st.SearchStrategy[str | None] = ANY_LEASE,
    seen_gen: st.SearchStrategy[int | None] = ANY_GEN,
) -> st.SearchStrategy[Operation]:
    return on_session(
        "acquire",
        lease_id=LEASES,
        lease_until=SOON,
        over=over,
        seen_gen=seen_gen,
        per_day=st.integers(1, 3),
        now=CLOCK,
    )


@st.composite
def rows_and_acquires(draw: st.DrawFn) -> tuple[dict[str, Any], Operation]:
    """A row, and somebody who saw that one, or most of it, and asks for the lease."""
    row = draw(rows())
    over, gen = st.just(row["lease_id"]), st.just(row["gen"])
    asked = acquire(over=over) | acquire(over=over, seen_gen=st.none() | gen) | acquire()
    return row, draw(asked)


ON_SESSION = st.one_of(
    acquire(),
    acquire(),
    on_session("complete", lease_id=LEASES, sealed=SEALED, now=CLOCK),
    on_session("fail", lease_id=LEASES, retry_at=RETRY, error=ERRORS),
    on_session("drop_token", now=st.sampled_from([NOW, NOW + 59, NOW + 60])),
    on_session("forget"),
    on_session("put", row=rows()),
)
HOLDS = st.builds(FleetHold, until=RETRY, error=ERRORS, kid=st.just("kid-1"))
ON_FLEET = st.one_of(
    on_fleet("hold", hold=HOLDS, now=CLOCK),
    on_fleet("probe", seen_until=SOON, until=SOON),
    on_fleet("forget"),
)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A table at Amazon's engine and one in memory, both with nothing under this example's keys."""

    client: DynamoDBClient
    table: str
    memory: InMemoryTable
    example: str

    def pk(self, session: str) -> str:
        return f"{'c1' if session == 'fleet' else 't1'}#{session}-{self.example}"

    def both(self, operation: Operation) -> tuple[object, object]:
        """What came of it at Amazon's and in memory."""
        name, session, arguments = operation
        pk = self.pk(session)
        if name == "put":
            self.put(Row(pk=pk, **arguments["row"]))
            return None, None
        store = TokenStore(client=self.client, table=self.table)
        real, memory = getattr(store, name), getattr(self.memory, name)
        return outcome(partial(real, pk, **arguments)), outcome(partial(memory, pk, **arguments))

    def put(self, row: Row) -> None:
        self.client.put_item(TableName=self.table, Item=item_of(row))
        self.memory.items[row.pk] = row
        self.memory.purge_at.pop(row.pk, None)
        self.memory.dropped_at.pop(row.pk, None)

    def states(self) -> tuple[object, object]:
        """Every row and hold, when it was dropped and will be removed, at both."""
        pks = [self.pk(session) for session in (*SESSIONS, "fleet")]
        keys = [{"pk": {"S": pk}} for pk in pks]
        answer = self.client.batch_get_item(RequestItems={self.table: {"Keys": keys}})
        items = {item["pk"]["S"]: item for item in answer["Responses"][self.table]}
        there = {pk: read_hold(item) or read_row(item) for pk, item in items.items()}
        memory = self.memory
        times = [{pk: time_of(item, name) for pk, item in items.items()} for name in TIMES]
        remembered = [
            {pk: known.get(pk) or None for pk in memory.items}
            for known in (memory.purge_at, memory.dropped_at)
        ]
        return (there, times), (memory.items, remembered)


TIMES = ("purge_at", "dropped_at")


def time_of(item: Mapping[str, Any], name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None


def outcome(act: Callable[[], object]) -> object:
    """What is returned, or what stood in the way."""
    try:
        return act()
    except RefusedError as refused:
        event("refused")
        return "refused", refused.row


@pytest.fixture(scope="module")
def client() -> Iterator[DynamoDBClient]:
    if lack := lacking("dynamodb-local"):
        pytest.skip(lack)
    client = client_of(shared("dynamodb-local"))
    yield client
    client.close()


@pytest.fixture(scope="module")
def table(client: DynamoDBClient) -> str:
    return create_table(client)


def compare(client: DynamoDBClient, table: str, operations: list[Operation]) -> None:
    """Does the same at both, and compares what came of each and what is there then."""
    pair = Pair(client=client, table=table, memory=InMemoryTable(), example=uuid.uuid4().hex)
    for operation in operations:
        real, memory = pair.both(operation)
        assert real == memory, operation
    real, memory = pair.states()
    assert real == memory


shared_engine = partial(
    settings, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@shared_engine(max_examples=150)
@given(rows_and_acquires())
def test_a_lease_is_granted_or_refused_alike_whatever_the_row(
    client: DynamoDBClient, table: str, case: tuple[dict[str, Any], Operation]
) -> None:
    row, asked = case
    compare(client, table, [("put", asked[1], {"row": row}), asked])


@shared_engine(max_examples=30)
@given(operations=st.lists(ON_SESSION | ON_FLEET, min_size=8, max_size=20))
def test_whatever_is_done_both_tables_hold_the_same_and_refuse_the_same(
    client: DynamoDBClient, table: str, operations: list[Operation]
) -> None:
    compare(client, table, operations)
