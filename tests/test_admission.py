"""New guests are counted by the day, by address and by page, and nobody's address is kept."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from coze_sts.admission import Admission, network
from coze_sts.cache.counters import Counters
from coze_sts.cache.row import day_of
from coze_sts.errors import SlowDown, TemporarilyUnavailable
from coze_sts.http_event import Request
from coze_sts.keyring import Keyring
from mypy_boto3_dynamodb import DynamoDBClient

from tests.engines import client_of, create_table, shared
from tests.factories import KEYRING, NOW, Clock, make_settings
from tests.parts import Counts

ADDRESS, ELSEWHERE = "203.0.113.7", "198.51.100.9"
PAGE, OTHER_PAGE = "https://www.example.com", "https://shop.example.com"
DAY = 86_400
MIDNIGHT = NOW - NOW % DAY + DAY
SETTINGS = make_settings(new_guests_per_address=2, new_guests_per_origin=3)


def request(address: str = ADDRESS, *, origin: str | None = PAGE) -> Request:
    return request_with({"http": {"sourceIp": address}}, origin=origin)


def request_with(context: dict[str, Any], *, origin: str | None = PAGE) -> Request:
    return Request(
        request_id="r", seconds_left=lambda: 20, origin=origin, context=context, body=b""
    )


@pytest.fixture(scope="module")
def client() -> Iterator[DynamoDBClient]:
    client = client_of(shared("moto"))
    yield client
    client.close()


@pytest.fixture
def table(client: DynamoDBClient) -> str:
    return create_table(client)


@pytest.fixture
def start(client: DynamoDBClient, table: str, clock: Clock) -> Callable[..., Admission]:
    """The admission of a new process."""

    def start(*, keyring: Keyring = KEYRING, table: str = table) -> Admission:
        return Admission(
            counters=Counters(client=client, table=table),
            keyring=lambda: keyring,
            telemetry=Counts(),  # type: ignore[arg-type]
            clock=clock,
        )

    return start


@pytest.fixture
def admission(start: Callable[..., Admission]) -> Admission:
    return start()


def admit(admission: Admission, address: str = ADDRESS, *, origin: str | None = PAGE) -> None:
    with admission.new_guest(request(address, origin=origin), settings=SETTINGS):
        pass


def refusal(admission: Admission, address: str = ADDRESS, *, origin: str | None = PAGE) -> SlowDown:
    with (
        pytest.raises(SlowDown) as refused,
        admission.new_guest(request(address, origin=origin), settings=SETTINGS),
    ):
        pytest.fail("was let in")
    return refused.value


def fail(admission: Admission, meanwhile: Callable[[], None] = lambda: None) -> None:
    """A guest who is let in, and for whom Coze then has no token."""
    with admission.new_guest(request(), settings=SETTINGS):
        meanwhile()
        raise TemporarilyUnavailable("Coze is down.")


@pytest.fixture
def items(client: DynamoDBClient, table: str) -> Callable[[], list[dict[str, Any]]]:
    """What is in the table."""
    return lambda: client.scan(TableName=table)["Items"]


@pytest.fixture
def counts(items: Callable[[], list[dict[str, Any]]]) -> Callable[[float], list[int]]:
    """All that was counted on a day."""

    def counts(now: float) -> list[int]:
        day = day_of(now)
        return sorted(int(item[day]["N"]) for item in items() if day in item)

    return counts


def test_new_guests_of_one_address_are_limited_by_the_day(
    start: Callable[..., Admission],
) -> None:
    """All processes count together."""
    for _ in range(2):
        admit(start())
    refusal(start())
    refusal(start(), origin=OTHER_PAGE)
    admit(start(), ELSEWHERE)


def test_the_pages_of_an_origin_get_so_many_new_guests_a_day_from_all_addresses(
    admission: Admission,
) -> None:
    for number in range(3):
        admit(admission, f"203.0.113.{number}")
    refusal(admission)
    admit(admission, origin=OTHER_PAGE)


def test_what_sends_no_origin_is_one_page_more(admission: Admission) -> None:
    for number in range(3):
        admit(admission, f"203.0.113.{number}", origin=None)
    refusal(admission, origin=None)
    admit(admission)


def test_who_is_refused_for_the_page_is_not_counted_for_the_address(
    admission: Admission, counts: Callable[[float], list[int]]
) -> None:
    for number in range(3):
        admit(admission, f"203.0.113.{number}")
    before = counts(NOW)
    for _ in range(5):
        refusal(admission, ELSEWHERE)
    assert counts(NOW) == [0, *before]
    for _ in range(2):
        admit(admission, ELSEWHERE, origin=OTHER_PAGE)


def test_who_is_refused_is_told_to_come_back_after_midnight_in_utc(
    admission: Admission, clock: Clock
) -> None:
    clock.now = MIDNIGHT - 90.5
    for _ in range(2):
        admit(admission)
    assert refusal(admission).retry_after == 91
    clock.now = MIDNIGHT - 0.001
    assert refusal(admission).retry_after == 1
    clock.now = MIDNIGHT
    for _ in range(2):
        admit(admission)
    assert refusal(admission).retry_after == DAY


def test_the_refusal_says_what_to_do_and_not_what_the_limits_are(admission: Admission) -> None:
    for _ in range(2):
        admit(admission)
    error = refusal(admission)
    assert (error.status, error.code) == (429, "slow_down")
    assert "NEW_GUESTS_PER_ADDRESS" in (error.operator or "")
    assert not set("0123456789") & set(error.description)


def test_who_gets_no_token_after_all_is_not_counted(
    admission: Admission, counts: Callable[[float], list[int]]
) -> None:
    for _ in range(5):
        with pytest.raises(TemporarilyUnavailable):
            fail(admission)
    assert counts(NOW) == [0, 0]
    admit(admission)


def test_what_is_given_back_after_midnight_is_yesterdays(
    admission: Admission, counts: Callable[[float], list[int]], clock: Clock
) -> None:
    clock.now = MIDNIGHT - 1
    with pytest.raises(TemporarilyUnavailable):
        fail(admission, meanwhile=partial(setattr, clock, "now", MIDNIGHT + 5))
    assert counts(MIDNIGHT - 1) == [0, 0]
    assert counts(MIDNIGHT) == []


# What counts as one address


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff"),
        ("2001:db8:0:1::1", "2001:0DB8:0000:0001::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:cb00:7107", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::2"),
        ("", "no address"),
        ("203.0.113.7, 10.0.0.1", "203.0.113.07"),
        ("1" * 5000, "::" + "f" * 5000),
    ],
)
def test_these_are_one_address(one: str, other: str) -> None:
    assert network(one) == network(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("203.0.113.7", "203.0.113.8"),
        ("2001:db8:0:1::1", "2001:db8:0:2::1"),
        ("::ffff:203.0.113.7", "::ffff:203.0.113.8"),
        ("203.0.113.7", "no address"),
        ("::203.0.113.7", "203.0.113.7"),
    ],
)
def test_these_are_two(one: str, other: str) -> None:
    assert network(one) != network(other)


def test_a_household_of_ipv6_shares_what_it_may(admission: Admission) -> None:
    admit(admission, "2001:db8:0:1::1")
    admit(admission, "2001:db8:0:1:aaaa::2")
    refusal(admission, "2001:db8:0:1:bbbb::3")
    admit(admission, "2001:db8:0:2::1", origin=OTHER_PAGE)


@pytest.mark.parametrize(
    "context", [{}, {"http": None}, {"http": {}}, {"http": {"sourceIp": None}}]
)
def test_a_request_without_an_address_is_counted_all_the_same(
    admission: Admission, context: dict[str, Any]
) -> None:
    nowhere = request_with(context)
    for _ in range(2):
        with admission.new_guest(nowhere, settings=SETTINGS):
            pass
    with pytest.raises(SlowDown), admission.new_guest(nowhere, settings=SETTINGS):
        pytest.fail("was let in")


# What is kept


def test_no_address_and_no_page_is_in_the_table_and_two_days_cannot_be_joined(
    admission: Admission, items: Callable[[], list[dict[str, Any]]], clock: Clock
) -> None:
    admit(admission)
    clock.now = MIDNIGHT
    admit(admission)
    assert len(items()) == 4
    told = json.dumps(items())
    for part in (ADDRESS, "203.0.113", "example", bytes(map(int, ADDRESS.split("."))).hex()):
        assert part not in told


def test_the_digest_of_an_address_cannot_be_tried_out_without_the_key(
    start: Callable[..., Admission], items: Callable[[], list[dict[str, Any]]]
) -> None:
    """There are only four thousand million of them."""
    for keyring in (KEYRING, Keyring(keys={"1": b"x" * 64})):
        admit(start(keyring=keyring))
    assert len(items()) == 4


# The table fails


def test_a_table_that_fails_stops_no_visitor_here_and_the_operator_hears_of_it(
    start: Callable[..., Admission],
) -> None:
    admission = start(table="gone")
    for _ in range(5):
        admit(admission)
    telemetry: Any = admission.telemetry
    assert telemetry.metrics == {"TableFailed": 10}
    assert len(telemetry.warnings) == 10


def test_what_could_not_be_counted_is_not_given_back(
    start: Callable[..., Admission], counts: Callable[[float], list[int]]
) -> None:
    working, broken = start(), start(table="gone")
    admit(working)
    with pytest.raises(TemporarilyUnavailable):
        fail(broken, meanwhile=partial(setattr, broken.counters, "_items", working.counters._items))
    assert counts(NOW) == [1, 1]


def test_a_table_that_fails_when_something_is_given_back_hides_no_other_error(
    start: Callable[..., Admission],
) -> None:
    working, broken = start(), start(table="gone")
    with pytest.raises(TemporarilyUnavailable) as refused:
        fail(working, partial(setattr, working.counters, "_items", broken.counters._items))
    assert refused.value.operator == "Coze is down."
