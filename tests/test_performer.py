"""Each operation of a flight, carried out on a real table's engine, and what is told of it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from coze_sts.access_token import AccessToken
from coze_sts.allowance import Allowance
from coze_sts.auth.session import Session
from coze_sts.budget import Budget
from coze_sts.cache.decision import UNKNOWN_KEY
from coze_sts.cache.operations import (
    Acquire,
    Complete,
    Exchange,
    Fail,
    Failed,
    Hold,
    Operation,
    Probe,
    Read,
    Refused,
    Seen,
    Sleep,
    Spend,
    Table,
    failed,
)
from coze_sts.cache.row import FleetHold
from coze_sts.cache.seal import seal
from coze_sts.cache.store import RefusedError
from coze_sts.coze.app_key import CozeApp
from coze_sts.errors import (
    Misconfigured,
    RateLimited,
    SlowDown,
    StoreUnavailable,
    StsError,
    TemporarilyUnavailable,
    UnknownKey,
    UpstreamRejected,
    UpstreamUnavailable,
)
from coze_sts.exchanger import Exchanger
from coze_sts.performer import Performer

from tests.factories import KEYRING, NOW, ROTATED, Clock, make_settings, make_token
from tests.parts import TABLE, Counts, Faults, FaultyStore, SingleKey

PK, FLEET = "t1#a", "c1#a"
ALICE = Session(name="alice")
TOKEN = make_token(refresh_at=NOW - 1)
UNTIL = (NOW + 12) * 1000
ACQUIRE = Acquire(lease_id="me", lease_until=UNTIL, over=None, seen_gen=None)
COMPLETE = Complete(lease_id="me", token=TOKEN)
FAIL = Fail(lease_id="me", retry_at=(NOW + 2) * 1000, error="temporarily_unavailable")
HOLD = Hold(until=(NOW + 60) * 1000, error=UNKNOWN_KEY)
PROBE = Probe(seen_until=HOLD.until, until=HOLD.until + 60_000)
MINE = Seen(lease_id="me", lease_until=UNTIL, gen=1)


@pytest.fixture
def faults(clock: Clock) -> Faults:
    return Faults(clock=clock)


@pytest.fixture
def start(
    clock: Clock, dynamodb: Any, make_app: Callable[..., CozeApp], faults: Faults
) -> Callable[..., Performer]:
    def start(
        *, keys: Any = None, session: Session = ALICE, budget: Budget | None = None, **changes: Any
    ) -> Performer:
        keys, telemetry = keys or SingleKey(make_app()), Counts()
        exchanger = Exchanger(
            settings=make_settings(),
            keys=keys,
            http=lambda: None,  # type: ignore[arg-type, return-value]
            telemetry=telemetry,  # type: ignore[arg-type]
            clock=clock,
            app=make_app().identity,
            session=session,
            budget=budget,
        )
        parts = {
            "exchanger": lambda: exchanger,
            "keys": keys,
            "keyring": KEYRING,
            "store": FaultyStore(client=dynamodb, faults=faults),
            "allowance": Allowance(clock=clock),
            "telemetry": telemetry,
            "clock": clock,
            "sleep": pytest.fail,
            "pk": PK,
            "fleet": lambda: FLEET,
        }
        return Performer(**parts | changes)

    return start


@pytest.fixture
def performer(start: Callable[..., Performer]) -> Performer:
    return start()


def test_a_sessions_first_row(performer: Performer, clock: Clock) -> None:
    for operation, result in (
        (Read(), Seen()),
        (ACQUIRE, MINE),
        (Read(), MINE),
        (COMPLETE, Table.DONE),
        (Read(), Seen(token=TOKEN, gen=1)),
    ):
        assert performer.perform(operation) == result
    assert performer.failures == []


def test_a_failure_is_noted_and_counted(performer: Performer) -> None:
    performer.perform(ACQUIRE)
    assert performer.perform(FAIL) is Table.DONE
    noted = Seen(retry_at=FAIL.retry_at, fail_n=1, error=FAIL.error, gen=1)
    assert performer.perform(Read()) == noted


def test_a_lease_that_is_not_granted_shows_the_row_in_the_way(performer: Performer) -> None:
    performer.perform(ACQUIRE)
    assert performer.perform(replace(ACQUIRE, lease_id="other")) == Refused(seen=MINE)
    performer.perform(COMPLETE)
    performer.perform(ACQUIRE)
    refused = performer.perform(replace(ACQUIRE, lease_id="other"))
    assert refused == Refused(seen=replace(MINE, token=TOKEN, gen=2))


def test_a_lease_is_taken_over_and_forced_as_it_is_asked(performer: Performer) -> None:
    performer.perform(ACQUIRE)
    over = replace(ACQUIRE, lease_id="two", over="me")
    assert performer.perform(over) == replace(MINE, lease_id="two", gen=2)
    fresh = make_token()
    performer.perform(Complete(lease_id="two", token=fresh))
    assert performer.perform(ACQUIRE) == Refused(seen=Seen(token=fresh, gen=2))
    assert performer.perform(replace(ACQUIRE, seen_gen=1)) == Refused(seen=Seen(token=fresh, gen=2))
    assert performer.perform(replace(ACQUIRE, seen_gen=2)) == replace(MINE, token=fresh, gen=3)


@pytest.mark.parametrize("write", [COMPLETE, FAIL])
def test_a_late_holder_is_fenced(performer: Performer, write: Operation) -> None:
    performer.perform(ACQUIRE)
    performer.perform(replace(ACQUIRE, lease_id="two", over="me"))
    before = performer.perform(Read())
    assert performer.perform(write) is Table.FENCED
    assert performer.perform(Read()) == before
    assert performer.telemetry.metrics == {"LeaseLost": 1}


def test_a_write_whose_reply_was_lost_may_be_repeated(performer: Performer, faults: Faults) -> None:
    performer.perform(ACQUIRE)
    faults.lost = {"complete"}
    assert performer.perform(COMPLETE) is Table.FAILED
    faults.lost = set()
    # Sealed anew with a salt of its own, it is another ciphertext: refused, and harmless.
    assert performer.perform(COMPLETE) is Table.FENCED
    assert performer.perform(Read()) == Seen(token=TOKEN, gen=1)


METHODS = {"read": Read(), "acquire": ACQUIRE, "complete": COMPLETE, "fail": FAIL} | {
    "hold": HOLD,
    "forget": Hold(until=0, error=None),
    "probe": PROBE,
}


@pytest.mark.parametrize("method", METHODS)
def test_a_table_that_does_not_answer_is_told_so_and_counted(
    performer: Performer, faults: Faults, method: str
) -> None:
    faults.failing = {method}
    assert performer.perform(METHODS[method]) is Table.FAILED
    assert performer.telemetry.metrics == {"TableFailed": 1}
    assert [type(failure).__name__ for failure in performer.failures] == ["StoreUnavailable"]


# Rows that are not as we left them


def plant(dynamodb: Any, item: dict[str, Any]) -> None:
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": PK}} | item)


@pytest.mark.parametrize("item", [{}, {"gen": {"S": "1"}}, {"gen": {"N": "1"}, "err": {"N": "1"}}])
def test_an_item_of_another_shape_is_cleared_away(
    performer: Performer, dynamodb: Any, item: dict[str, Any]
) -> None:
    plant(dynamodb, item)
    assert performer.perform(Read()) == Seen()
    assert performer.telemetry.metrics == {"RowDamaged": 1}
    assert dynamodb.scan(TableName=TABLE)["Count"] == 0


def test_an_item_of_another_shape_grants_no_lease(performer: Performer, dynamodb: Any) -> None:
    plant(dynamodb, {"gen": {"N": "1"}, "fail_n": {"S": "many"}})
    assert performer.perform(ACQUIRE) == Refused(seen=Seen())
    assert performer.perform(Read()) == Seen()
    assert performer.perform(ACQUIRE) == MINE


def test_what_cannot_be_cleared_away_is_a_table_that_fails(
    performer: Performer, dynamodb: Any, faults: Faults
) -> None:
    plant(dynamodb, {})
    faults.failing = {"forget"}
    assert performer.perform(Read()) is Table.FAILED
    assert len(performer.failures) == 1


def test_a_token_that_does_not_open_is_damaged_and_its_row_is_not(
    start: Callable[..., Performer], dynamodb: Any
) -> None:
    """Its lease and its back-off still hold."""
    writer, reader = start(keyring=ROTATED), start()
    writer.perform(ACQUIRE)
    writer.perform(COMPLETE)
    writer.perform(ACQUIRE)
    assert reader.perform(Read()) == replace(MINE, damaged=True, gen=2)
    assert reader.telemetry.metrics == {"RowDamaged": 1}
    other = seal(TOKEN, pk="t1#b", keyring=KEYRING)
    dynamodb.update_item(
        TableName=TABLE,
        Key={"pk": {"S": PK}},
        UpdateExpression="SET ct = :ct",
        ExpressionAttributeValues={":ct": {"B": other.ct}},
    )
    assert writer.perform(Read()) == replace(MINE, damaged=True, gen=2)


# The fleet's row


def test_a_hold_reaches_every_session_until_it_is_lifted(start: Callable[..., Performer]) -> None:
    start().perform(HOLD)
    other = start(pk="t1#b")
    assert other.perform(Read()) == Seen(hold_until=HOLD.until, hold_error=UNKNOWN_KEY)
    other.perform(ACQUIRE)
    assert other.perform(Read()).hold_until == HOLD.until
    start().perform(Hold(until=0, error=None))
    assert other.perform(Read()) == MINE


def test_a_hold_for_a_key_that_is_current_no_more_holds_nobody(
    start: Callable[..., Performer], make_app: Callable[..., CozeApp]
) -> None:
    start().perform(HOLD)
    rotated = start(keys=SingleKey(make_app(kid="kid-2")))
    assert rotated.perform(Read()) == Seen()
    rotated.perform(replace(HOLD, until=HOLD.until + 1, error="temporarily_unavailable"))
    for performer in (rotated, start()):
        assert performer.perform(Read()).hold_until == HOLD.until + 1


def test_a_shorter_hold_does_not_end_a_longer_one(performer: Performer) -> None:
    performer.perform(HOLD)
    assert performer.perform(replace(HOLD, until=HOLD.until - 1)) is Table.FENCED
    assert performer.perform(Read()).hold_until == HOLD.until


def test_of_all_that_saw_a_hold_end_one_may_try(performer: Performer) -> None:
    performer.perform(HOLD)
    assert [performer.perform(PROBE) for _ in range(3)] == [Table.DONE, *[Table.FENCED] * 2]
    assert performer.perform(Read()).hold_until == PROBE.until


def test_a_damaged_hold_holds_nobody(performer: Performer, dynamodb: Any) -> None:
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": FLEET}, "hold_until": {"S": "ever"}})
    assert performer.perform(Read()) == Seen()


def test_the_holds_row_names_its_key_and_goes_by_itself(
    performer: Performer, dynamodb: Any
) -> None:
    performer.perform(HOLD)
    assert performer.store.read(PK, fleet_pk=FLEET)[1] == FleetHold(
        until=HOLD.until, error=UNKNOWN_KEY, kid="kid-1"
    )
    assert dynamodb.scan(TableName=TABLE)["Items"][0]["purge_at"] == {"N": str(NOW + 86400)}


# Time and Coze


def test_a_sleep_sleeps_and_a_budget_is_spent(start: Callable[..., Performer]) -> None:
    slept: list[float] = []
    performer = start(sleep=slept.append)
    assert performer.perform(Sleep(seconds=0.25)) is Table.DONE
    assert slept == [0.25]
    assert [performer.perform(Spend()) for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UpstreamUnavailable("x"), {}),
        (UpstreamUnavailable("x", asked_seconds=30), {"retry_after": 30}),
        (RateLimited("x", asked_seconds=30), {"retry_after": 30, "hold_seconds": 30}),
        (RateLimited("x"), {"hold_seconds": 2}),
        (UnknownKey("x"), {"hold_seconds": 60, "unknown_key": True}),
        (UpstreamRejected("x"), {}),
        (Misconfigured("x"), {}),
        (TemporarilyUnavailable("x", retry_after=9), {}),
    ],
)
def test_only_what_coze_says_of_all_of_us_holds_the_fleet(
    start: Callable[..., Performer], error: StsError, told: dict[str, Any]
) -> None:
    class Failing(SingleKey):
        def exchange(self, attempt: Callable[[CozeApp], AccessToken]) -> AccessToken:
            raise error

    performer = start(keys=Failing(None))
    assert performer.perform(Exchange(seconds=5)) == Failed(error=error, **told) == failed(error)
    assert performer.failures == [error]


@pytest.mark.parametrize(
    ("error", "metrics"),
    [
        (UpstreamUnavailable("x"), {"ExchangeFailed", "CozeUnavailable"}),
        (RateLimited("x"), {"ExchangeFailed", "CozeRateLimited"}),
        (UnknownKey("x"), {"ExchangeFailed", "CozeRefused"}),
        (UpstreamRejected("x"), {"ExchangeFailed", "CozeRefused"}),
        (Misconfigured("x"), {"ExchangeFailed"}),
        (StoreUnavailable("x"), {"ExchangeFailed"}),
        (SlowDown("x"), {"BudgetSpent"}),
    ],
)
def test_a_failure_is_counted_by_its_class_once(
    start: Callable[..., Performer], error: StsError, metrics: set[str]
) -> None:
    class Failing(SingleKey):
        def exchange(self, attempt: Callable[[CozeApp], AccessToken]) -> AccessToken:
            raise error

    performer = start(keys=Failing(None))
    performer.perform(Exchange(seconds=5))
    assert performer.telemetry.metrics == dict.fromkeys(metrics, 1)


def test_how_long_coze_took_is_kept_whatever_came_of_it(
    start: Callable[..., Performer],
    make_app: Callable[..., CozeApp],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def mint(_http: object, **_options: Any) -> NoReturn:
        clock.now += 3
        raise UpstreamUnavailable("x")

    monkeypatch.setattr("coze_sts.coze.mint.mint", mint)
    performer = start(keys=SingleKey(make_app()))
    performer.perform(Exchange(seconds=8))
    assert performer.telemetry.seconds_at_coze == [3]


def test_two_keys_share_the_time_of_one_exchange(
    start: Callable[..., Performer],
    make_app: Callable[..., CozeApp],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[dict[str, Any]] = []

    def mint(_http: object, **options: Any) -> tuple[AccessToken, str]:
        asked.append(options)
        clock.now += 3
        return TOKEN, "log-1"

    class TwoKeys(SingleKey):
        def exchange(self, attempt: Callable[[CozeApp], AccessToken]) -> AccessToken:
            attempt(make_app(kid="kid-2"))
            return attempt(self.app)

    monkeypatch.setattr("coze_sts.coze.mint.mint", mint)
    performer = start(keys=TwoKeys(make_app()), session=Session(name="alice", device_id="d"))
    assert performer.perform(Exchange(seconds=8)) == TOKEN
    assert [(call["app"].kid, call["deadline"]) for call in asked] == [
        ("kid-2", NOW + 8),
        ("kid-1", NOW + 8),
    ]
    assert asked[0]["session_name"] == "alice"
    assert asked[0]["session_context"] == {"device_info": {"device_id": "d"}}
    assert performer.telemetry.metrics == {"Exchange": 2}
    assert performer.telemetry.seconds_at_coze == [3, 3]
    assert performer.telemetry.facts == {"coze_log_id": "log-1"}


def test_a_fault_of_our_own_is_not_called_a_failure_of_coze(
    start: Callable[..., Performer],
) -> None:
    class Broken(SingleKey):
        def exchange(self, attempt: Callable[[CozeApp], AccessToken]) -> AccessToken:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        start(keys=Broken(None)).perform(Exchange(seconds=5))


def test_another_apps_key_signs_nothing_for_this_row(
    start: Callable[..., Performer], make_app: Callable[..., CozeApp]
) -> None:
    elsewhere = SingleKey(make_app("https://api.coze.com"))
    failure = start(keys=elsewhere).perform(Exchange(seconds=5))
    assert isinstance(failure, Failed)
    assert "replaced" in (failure.error.operator or "")


def test_a_process_that_is_told_that_its_key_is_unknown_looks_for_a_newer_one(
    start: Callable[..., Performer], make_app: Callable[..., CozeApp]
) -> None:
    class Rotated(SingleKey):
        def renewed(self) -> CozeApp:
            return make_app(kid="kid-2")

    hold = FleetHold(until=10**15, error=UNKNOWN_KEY, kid="kid-1")
    for keys, error in ((SingleKey(make_app()), UNKNOWN_KEY), (Rotated(make_app()), None)):
        performer = start(keys=keys)
        with suppress(RefusedError):
            performer.store.hold(FLEET, hold, now=NOW)
        assert performer.perform(Read()).hold_error == error
