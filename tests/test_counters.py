"""Daily limits in the table: counted by one conditional update, so that no race goes above."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Barrier
from typing import Any

import pytest
from coze_sts.cache.counters import KEEP_SECONDS, SITE, Counter, Counters, LimitReachedError
from coze_sts.cache.row import day_of
from coze_sts.errors import StoreUnavailable
from mypy_boto3_dynamodb import DynamoDBClient

from tests.engines import ENGINES, Engine, client_of, create_table, lacking, shared
from tests.factories import NOW

ADDRESS = Counter(pk="n1#address", per_day=3)
WHOLE_SITE = Counter(pk=SITE, per_day=3)
DAY = 86_400
TODAY, TOMORROW = day_of(NOW), day_of(NOW + DAY)
MIDNIGHT = NOW - NOW % DAY + DAY


@dataclass(frozen=True, kw_only=True)
class Table:
    client: DynamoDBClient
    name: str

    @property
    def counters(self) -> Counters:
        return Counters(client=self.client, table=self.name)

    def item(self, pk: str = ADDRESS.pk) -> dict[str, Any]:
        return self.client.get_item(TableName=self.name, Key={"pk": {"S": pk}}).get("Item", {})

    def count(self, pk: str = ADDRESS.pk, *, day: str = TODAY) -> int:
        return int(self.item(pk).get(day, {"N": "0"})["N"])


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    engine: Engine = request.param
    if lack := lacking(engine):
        pytest.skip(lack)
    return engine


@pytest.fixture(scope="module")
def created(engine: Engine) -> Iterator[Table]:
    client = client_of(shared(engine))
    yield Table(client=client, name=create_table(client))
    client.close()


@pytest.fixture
def table(created: Table) -> Iterator[Table]:
    yield created
    for pk in (ADDRESS.pk, SITE):
        created.client.delete_item(TableName=created.name, Key={"pk": {"S": pk}})


def add(table: Table, counter: Counter = ADDRESS, *, now: float = NOW, times: int = 1) -> None:
    for _ in range(times):
        table.counters.add(counter, now=now)


def refusal(table: Table, counter: Counter = ADDRESS, *, now: float = NOW) -> LimitReachedError:
    """Why the next is refused, which must have changed nothing."""
    before = table.item(counter.pk)
    with pytest.raises(LimitReachedError) as refused:
        add(table, counter, now=now)
    assert table.item(counter.pk) == before
    return refused.value


@pytest.mark.parametrize("counter", [ADDRESS, WHOLE_SITE])
def test_so_many_are_counted_in_a_day_and_no_more(table: Table, counter: Counter) -> None:
    for count in range(1, counter.per_day + 1):
        add(table, counter)
        assert table.count(counter.pk) == count
    assert not refusal(table, counter).stopped


def test_the_next_day_begins_at_nothing_and_forgets_the_day_before(table: Table) -> None:
    add(table, now=MIDNIGHT - 0.001, times=3)
    refusal(table, now=MIDNIGHT - 0.001)
    add(table, now=MIDNIGHT)
    assert table.item().keys() == {"pk", "purge_at", TOMORROW}
    assert table.count(day=TOMORROW) == 1


def test_a_limit_that_is_changed_holds_from_the_next_request(table: Table) -> None:
    add(table, times=3)
    add(table, replace(ADDRESS, per_day=4))
    refusal(table, replace(ADDRESS, per_day=4))
    refusal(table, replace(ADDRESS, per_day=2))
    assert table.count() == 4


def test_two_processes_count_together_and_two_subjects_apart(table: Table) -> None:
    one, two = table.counters, table.counters
    for counters in (one, two, one):
        counters.add(ADDRESS, now=NOW)
    with pytest.raises(LimitReachedError):
        two.add(ADDRESS, now=NOW)
    two.add(WHOLE_SITE, now=NOW)
    assert table.count(SITE) == 1


@pytest.mark.parametrize("value", [{"BOOL": True}, {"BOOL": False}, {"S": ""}, {"NULL": True}])
def test_while_stopped_is_there_nothing_is_counted_whatever_it_says(
    table: Table, value: dict[str, Any]
) -> None:
    add(table, WHOLE_SITE)
    item = table.item(SITE)
    table.client.put_item(TableName=table.name, Item=item | {"stopped": value})
    assert refusal(table, WHOLE_SITE).stopped
    assert refusal(table, WHOLE_SITE, now=NOW + DAY).stopped, "a new day does not start it again"
    table.client.put_item(TableName=table.name, Item=item)
    add(table, WHOLE_SITE)
    assert table.count(SITE) == 2


def test_a_site_that_never_counted_can_be_stopped(table: Table) -> None:
    item = {"pk": {"S": SITE}, "stopped": {"BOOL": True}}
    table.client.put_item(TableName=table.name, Item=item)
    assert refusal(table, WHOLE_SITE).stopped


# What guests may have of it

GUESTS = replace(WHOLE_SITE, share=2)


def guests(table: Table, *, day: str = TODAY) -> int:
    return int(table.item(SITE).get(f"g{day}", {"N": "0"})["N"])


def test_guests_have_their_share_and_others_may_have_the_rest(table: Table) -> None:
    add(table, GUESTS, times=2)
    refused = refusal(table, GUESTS)
    assert (refused.others_may, refused.stopped) == (True, False)
    add(table, WHOLE_SITE)
    assert (table.count(SITE), guests(table)) == (3, 2)
    for counter in (GUESTS, WHOLE_SITE):
        assert not refusal(table, counter).others_may, "nobody may"


def test_what_others_have_does_not_count_against_the_guests_share(table: Table) -> None:
    add(table, WHOLE_SITE)
    assert guests(table) == 0
    add(table, GUESTS, times=2)
    assert not refusal(table, GUESTS).others_may


def test_while_stopped_is_there_others_may_not_either(table: Table) -> None:
    add(table, GUESTS, times=2)
    item = table.item(SITE) | {"stopped": {"BOOL": True}}
    table.client.put_item(TableName=table.name, Item=item)
    refused = refusal(table, GUESTS)
    assert (refused.others_may, refused.stopped) == (False, True)


def test_a_guests_is_given_back_to_both_and_anothers_to_the_site_alone(table: Table) -> None:
    add(table, GUESTS, times=2)
    add(table, WHOLE_SITE)
    table.counters.give_back(WHOLE_SITE, now=NOW)
    assert (table.count(SITE), guests(table)) == (2, 2)
    table.counters.give_back(GUESTS, now=NOW)
    assert (table.count(SITE), guests(table)) == (1, 1)
    add(table, GUESTS)


def test_the_guests_share_begins_anew_with_the_day(table: Table) -> None:
    add(table, GUESTS, times=2, now=MIDNIGHT - 1)
    add(table, WHOLE_SITE, now=MIDNIGHT)
    assert table.item(SITE).keys() == {"pk", TOMORROW}
    add(table, GUESTS, times=2, now=MIDNIGHT)
    assert (table.count(SITE, day=TOMORROW), guests(table, day=TOMORROW)) == (3, 2)


# Giving back


def test_what_is_given_back_can_be_had_again(table: Table) -> None:
    add(table, times=3)
    table.counters.give_back(ADDRESS, now=NOW)
    assert table.count() == 2
    add(table)
    refusal(table)


def test_nothing_is_given_back_that_was_not_counted(table: Table) -> None:
    """Else somebody who fails often would earn what others pay for."""
    table.counters.give_back(ADDRESS, now=NOW)
    assert table.item() == {}
    add(table)
    for _ in range(3):
        table.counters.give_back(ADDRESS, now=NOW)
    assert table.count() == 0
    table.counters.give_back(ADDRESS, now=NOW + DAY)
    assert table.item()[TODAY] == {"N": "0"}


def test_what_was_counted_before_midnight_is_given_back_to_that_day(table: Table) -> None:
    add(table, now=MIDNIGHT - 1)
    table.counters.give_back(ADDRESS, now=MIDNIGHT - 1)
    assert (table.count(), table.count(day=TOMORROW)) == (0, 0)


def test_a_counter_is_purged_when_its_day_is_long_over_but_the_site_stays(table: Table) -> None:
    add(table, now=NOW + 0.9)
    add(table, WHOLE_SITE)
    assert table.item()["purge_at"] == {"N": str(NOW + KEEP_SECONDS)}
    assert table.item(SITE).keys() == {"pk", TODAY}, "or `stopped` would end by itself"
    assert KEEP_SECONDS >= DAY


def test_a_table_that_is_gone_is_told_as_one_that_does_not_answer(table: Table) -> None:
    gone = Counters(client=table.client, table="gone")
    with pytest.raises(StoreUnavailable):
        gone.add(ADDRESS, now=NOW)
    with pytest.raises(StoreUnavailable):
        gone.give_back(ADDRESS, now=NOW)


@pytest.mark.parametrize("engine", ["dynamodb-local"], indirect=True)
def test_however_many_come_at_once_never_more_than_the_limit_are_let_in(table: Table) -> None:
    """Amazon's engine: neither of the others claims to be atomic."""
    limit, people = replace(ADDRESS, per_day=10), 32
    together = Barrier(people)

    def ask(number: int) -> bool:
        client = clients[number % len(clients)]
        together.wait()
        try:
            Counters(client=client, table=table.name).add(limit, now=NOW)
        except LimitReachedError:
            return False
        return True

    clients = [client_of(shared("dynamodb-local")) for _ in range(4)]
    with ThreadPoolExecutor(people) as pool:
        assert sum(pool.map(ask, range(people))) == 10
    for client in clients:
        client.close()
    assert table.count() == 10
