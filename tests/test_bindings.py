"""Which guest became which user: two records that are written together or not at all.

Moto and Amazon's own engine have to pass; dynalite does not know TransactWriteItems.
"""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Barrier
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError, ReadTimeoutError
from coze_sts.aws import CALLS
from coze_sts.cache.bindings import BindingStore, DamagedBindingError
from coze_sts.errors import StoreUnavailable
from mypy_boto3_dynamodb import DynamoDBClient

from tests.engines import Engine, client_of, create_table, lacking, shared
from tests.factories import CANARY, KEYRING, NOW, everything_told

KEY = KEYRING.binding_key
ENGINES: tuple[Engine, ...] = ("moto", "dynamodb-local")


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table in which every test has keys of its own."""

    client: DynamoDBClient
    name: str
    test: str

    @property
    def store(self) -> BindingStore:
        return BindingStore(client=self.client, table=self.name, key=KEY)

    def guest(self, name: str) -> str:
        return f"g1#{name}-{self.test}"

    def user(self, name: str) -> str:
        return f"u1#{name}-{self.test}"

    def bind(self, guest: str, user: str, *, now: float = NOW) -> None:
        self.store.bind(
            guest_pk=self.guest(guest), guest=f"guest_{guest}", user_pk=self.user(user), now=now
        )

    def item(self, pk: str) -> dict[str, Any]:
        return self.client.get_item(TableName=self.name, Key={"pk": {"S": pk}}).get("Item", {})

    def put(self, item: dict[str, Any]) -> None:
        self.client.put_item(TableName=self.name, Item=item)

    def standing(self, *, guests: str, users: str) -> dict[str, str]:
        """What all these records name, where they are there."""
        pks = [self.guest(g) for g in guests] + [self.user(u) for u in users]
        found = {pk: self.store.find(pk) for pk in pks}
        return {pk: name for pk, name in found.items() if name is not None}

    def pair(self, guest: str, user: str) -> dict[str, str]:
        """The two records of a guest who became a user."""
        return {self.guest(guest): self.user(user), self.user(user): f"guest_{guest}"}


@pytest.fixture(scope="module", params=ENGINES)
def created(request: pytest.FixtureRequest) -> Iterator[Table]:
    if lack := lacking(request.param):
        pytest.skip(lack)
    client = client_of(shared(request.param))
    yield Table(client=client, name=create_table(client), test="")
    client.close()


@pytest.fixture
def table(created: Table) -> Table:
    return replace(created, test=uuid.uuid4().hex)


def test_who_was_never_bound_has_no_record(table: Table) -> None:
    assert table.store.find(table.guest("a")) is None


def test_a_binding_is_found_from_either_side(table: Table) -> None:
    table.bind("a", "A")
    assert table.standing(guests="ab", users="AB") == table.pair("a", "A")


def test_a_guest_who_became_a_user_becomes_no_other(table: Table) -> None:
    table.bind("a", "A")
    table.bind("a", "B")
    assert table.standing(guests="a", users="AB") == table.pair("a", "A")


def test_a_user_keeps_the_first_guest_and_leaves_the_second_free(table: Table) -> None:
    table.bind("a", "A")
    table.bind("b", "A")
    assert table.standing(guests="ab", users="A") == table.pair("a", "A")
    table.bind("b", "B")
    assert table.standing(guests="b", users="B") == table.pair("b", "B")


def test_a_binding_that_is_asked_for_again_stays_as_it_was(table: Table) -> None:
    table.bind("a", "A")
    before = table.item(table.user("A"))
    table.bind("a", "A", now=NOW + 999)
    assert table.item(table.user("A")) == before
    assert before["bound_at"] == {"N": str(NOW)}


def test_where_one_record_cannot_be_written_neither_is(table: Table) -> None:
    for pk in (table.guest("a"), table.user("B")):
        table.put({"pk": {"S": pk}})
    table.bind("a", "A")
    table.bind("b", "B")
    assert table.item(table.user("A")) == table.item(table.guest("b")) == {}


# Somebody who can write the table


def spoil(item: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return {key: v for key, v in {**item, name: value}.items() if v is not None}


@pytest.mark.parametrize("name", ["bound_to", "mac"])
@pytest.mark.parametrize(
    "value", [None, {"S": ""}, {"S": "guest_b"}, {"B": b""}, {"B": b"x" * 32}, {"NULL": True}]
)
def test_a_record_of_which_any_part_was_altered_is_damaged(
    table: Table, name: str, value: Any
) -> None:
    table.bind("a", "A")
    for pk in (table.guest("a"), table.user("A")):
        table.put(spoil(table.item(pk), name, value))
        with pytest.raises(DamagedBindingError):
            table.store.find(pk)


def test_a_record_that_was_planted_moved_or_altered_is_damaged(table: Table) -> None:
    table.bind("a", "A")
    user, guest = table.item(table.user("A")), table.item(table.guest("a"))
    table.put({"pk": {"S": table.user("P")}, "bound_to": {"S": "guest_a"}})
    table.put(user | {"pk": {"S": table.user("B")}})
    table.put(guest | {"pk": {"S": table.guest("b")}})
    table.put(user | {"pk": {"S": table.guest("c")}})
    table.put(user | {"bound_to": {"S": "guest_b"}})
    table.put(guest | {"bound_to": {"S": table.user("B")}})
    for pk in (*map(table.user, "PBA"), *map(table.guest, "bca")):
        with pytest.raises(DamagedBindingError):
            table.store.find(pk)


@pytest.mark.parametrize(
    "item",
    [{}, {"pk": {"S": "u1#a"}}, {"pk": {"S": "u1#a"}, "bound_to": {"S": "x"}, "mac": {"B": "x"}}],
)
def test_an_item_of_another_shape_is_damaged(item: dict[str, Any]) -> None:
    with pytest.raises(DamagedBindingError):
        BindingStore(client=None, table="t", key=KEY).read(item)  # type: ignore[arg-type]


def test_two_names_cannot_be_cut_elsewhere_and_keep_their_code(table: Table) -> None:
    table.bind("a", "A")
    pk, name = table.user("A"), "guest_a"
    joined = table.item(pk) | {"pk": {"S": pk + name[:1]}, "bound_to": {"S": name[1:]}}
    with pytest.raises(DamagedBindingError):
        table.store.read(joined)


def test_a_record_that_another_key_signed_is_damaged(table: Table) -> None:
    foreign = replace(table.store, key=b"another")
    foreign.bind(guest_pk=table.guest("a"), guest="guest_a", user_pk=table.user("A"), now=NOW)
    for pk in (table.guest("a"), table.user("A")):
        with pytest.raises(DamagedBindingError):
            table.store.find(pk)


def test_a_records_code_never_changes_between_releases() -> None:
    """Else all bindings that there are would be damaged; computed once and kept."""
    store = BindingStore(client=None, table="t", key=KEY)  # type: ignore[arg-type]
    mac = "746a116aa8bffdfbf7a2797f5aad44bcbf210b929181699030bd927f28e45464"
    item = {"pk": {"S": "u1#a"}, "bound_to": {"S": "guest_a"}, "mac": {"B": bytes.fromhex(mac)}}
    assert store.read(item) == "guest_a"


def test_the_key_is_not_shown() -> None:
    store = BindingStore(client=None, table="t", key=CANARY.encode())  # type: ignore[arg-type]
    assert CANARY not in repr(store)


# A table that fails


class Broken:
    """A client whose transactions fail, before or after they took place."""

    def __init__(self, client: DynamoDBClient, *, after: bool) -> None:
        self._client = client
        self._after = after

    def transact_write_items(self, **asked: Any) -> None:
        if self._after:
            self._client.transact_write_items(**asked)
        raise ReadTimeoutError(endpoint_url=CANARY)


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_leaves_both_records_or_none_and_asking_again_mends_it(
    table: Table, *, after: bool
) -> None:
    broken = replace(table.store, client=Broken(table.client, after=after))
    pks = {"guest_pk": table.guest("a"), "user_pk": table.user("A")}
    with pytest.raises(StoreUnavailable) as failure:
        broken.bind(guest="guest_a", now=NOW, **pks)
    assert CANARY not in everything_told(failure.value)
    assert table.standing(guests="a", users="A") == (table.pair("a", "A") if after else {})
    table.bind("a", "A")
    assert table.standing(guests="a", users="A") == table.pair("a", "A")


def test_a_table_that_is_gone_is_told_as_one_that_does_not_answer(table: Table) -> None:
    gone = replace(table.store, table="gone")
    calls: list[Callable[[], object]] = [
        lambda: gone.find("u1#a"),
        lambda: gone.bind(guest_pk="g1#a", guest="guest_a", user_pk="u1#a", now=NOW),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable):
            call()


REFUSED, CONFLICT = {"Code": "ConditionalCheckFailed"}, {"Code": "TransactionConflict"}
THROTTLED, NONE = {"Code": "ThrottlingError"}, {"Code": "None"}


def bind_where_the_table_says(code: str, *reasons: dict[str, str]) -> None:
    class Refusing:
        def transact_write_items(self, **_asked: Any) -> None:
            said: Any = {"Error": {"Code": code, "Message": CANARY}}
            raise ClientError(said | {"CancellationReasons": list(reasons)}, "TransactWriteItems")

    client: Any = Refusing()
    store = BindingStore(client=client, table="t", key=KEY)
    store.bind(guest_pk="g1#a", guest="guest_a", user_pk="u1#a", now=NOW)


@pytest.mark.parametrize("reasons", [(REFUSED, NONE), (NONE, REFUSED), (CONFLICT, REFUSED)])
def test_a_record_that_stands_is_no_failure(reasons: tuple[dict[str, str], ...]) -> None:
    bind_where_the_table_says("TransactionCanceledException", *reasons)


@pytest.mark.parametrize(
    "said",
    [
        ("TransactionCanceledException", CONFLICT, NONE),
        ("TransactionCanceledException", THROTTLED, NONE),
        ("TransactionCanceledException",),
        ("TransactionInProgressException",),
        ("AccessDeniedException",),
    ],
)
def test_whatever_else_went_wrong_one_has_to_ask_again(said: tuple[Any, ...]) -> None:
    with pytest.raises(StoreUnavailable) as failure:
        bind_where_the_table_says(*said)
    assert CANARY not in everything_told(failure.value)


def test_a_reply_that_is_lost_is_made_up_for_where_the_sdk_asks_again(table: Table) -> None:
    client = client_of(table.client.meta.endpoint_url, config=CALLS)
    sent: list[str] = []

    def lose_the_first_reply(request: Any, **_: object) -> None:
        sent.append(request.url)
        if len(sent) == 1:
            requests.post(request.url, data=request.body, headers=dict(request.headers), timeout=5)
            raise ReadTimeoutError(endpoint_url=request.url)

    client.meta.events.register("before-send.dynamodb.TransactWriteItems", lose_the_first_reply)
    replace(table, client=client).bind("a", "A")
    client.close()
    assert len(sent) == 2
    assert table.standing(guests="a", users="A") == table.pair("a", "A")


# Races, on Amazon's engine

AMAZON = pytest.mark.parametrize("created", ["dynamodb-local"], indirect=True)
ROUNDS = 6


def at_once(table: Table, pairs: list[tuple[str, str]]) -> list[bool]:
    """Binds all these at one moment, each as a process of its own; who was told that it failed."""
    together = Barrier(len(pairs))

    def bind(pair: tuple[str, str]) -> bool:
        client = client_of(shared("dynamodb-local"))
        together.wait()
        try:
            replace(table, client=client).bind(*pair)
        except StoreUnavailable:
            return False
        finally:
            client.close()
        return True

    with ThreadPoolExecutor(len(pairs)) as pool:
        return list(pool.map(bind, pairs))


@AMAZON
def test_of_two_users_who_race_for_a_guest_one_wins(table: Table) -> None:
    for number in range(ROUNDS):
        race = replace(table, test=f"{table.test}-{number}")
        assert any(at_once(race, [("a", user) for user in "ABCD"]))
        winners = [pair for u in "ABCD" if (pair := race.pair("a", u)) == everything(race)]
        assert len(winners) == 1, everything(race)


@AMAZON
def test_of_two_guests_who_race_for_a_user_one_wins(table: Table) -> None:
    for number in range(ROUNDS):
        race = replace(table, test=f"{table.test}-{number}")
        assert any(at_once(race, [(guest, "A") for guest in "abcd"]))
        winners = [pair for g in "abcd" if (pair := race.pair(g, "A")) == everything(race)]
        assert len(winners) == 1, everything(race)


def everything(table: Table) -> dict[str, str]:
    return table.standing(guests="abcd", users="ABCD")
