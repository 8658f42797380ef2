"""Whose session a caller has: their own, or for good the one that they had as a guest."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Barrier
from typing import Any

import pytest
from coze_sts import sessions
from coze_sts.auth.session import Caller
from coze_sts.errors import InvalidToken, Misconfigured, StoreUnavailable
from coze_sts.keyring import Keyring
from coze_sts.sessions import Sessions
from mypy_boto3_dynamodb import DynamoDBClient

from tests.engines import Engine, client_of, create_table, lacking, shared
from tests.factories import KEYRING, NOW, ROTATED, Clock

ENGINES: tuple[Engine, ...] = ("moto", "dynamodb-local")
"""Dynalite does not know TransactWriteItems."""


@dataclass(frozen=True, kw_only=True)
class Town:
    """A table, and people whom no other test has met."""

    client: DynamoDBClient
    table: str
    name: str
    calls: list[str] = field(default_factory=list)

    def process(self, *, keyring: Keyring = KEYRING, client: Any = None) -> Sessions:
        """A new one: it remembers nobody."""
        return Sessions(
            client=client or self.client, table=self.table, keyring=lambda: keyring, clock=Clock()
        )

    def user(self, name: str) -> Caller:
        return Caller(kind="user", name=f"{name}-{self.name}")

    def backend(self, name: str) -> Caller:
        return Caller(kind="backend", name=f"{name}-{self.name}", device_id="d")

    def guest(self, name: str) -> Caller:
        """As the ticket of their first visit proves them."""
        return Caller(kind="guest", name=f"guest_{name}-{self.name}")

    def item(self, caller: Caller) -> dict[str, Any]:
        return self.client.get_item(TableName=self.table, Key=self.key(caller)).get("Item", {})

    def key(self, caller: Caller) -> dict[str, Any]:
        return {"pk": {"S": self.process().binding_pk(caller)}}


@pytest.fixture(scope="module", params=ENGINES)
def created(request: pytest.FixtureRequest) -> Iterator[Town]:
    if lack := lacking(request.param):
        pytest.skip(lack)
    client = client_of(shared(request.param))
    yield Town(client=client, table=create_table(client), name="")
    client.close()


@pytest.fixture
def town(created: Town) -> Iterator[Town]:
    town = replace(created, name=uuid.uuid4().hex, calls=[])

    def note(model: Any, **_: object) -> None:
        town.calls.append(model.name)

    town.client.meta.events.register("before-call.dynamodb", note)
    yield town
    town.client.meta.events.unregister("before-call.dynamodb", note)


@pytest.fixture
def bound(town: Town) -> Town:
    """A town in which guest a became user A."""
    assert town.process().carry_over(town.guest("a"), to=town.user("A"))
    town.calls.clear()
    return town


def refused(sessions: Sessions, guest: Caller, *, to: Caller | None = None) -> bool:
    """Whether the ticket of `guest` is worth nothing any more."""
    try:
        sessions.carry_over(guest, to=to) if to else sessions.look_up(guest)
    except InvalidToken:
        return True
    return False


def test_who_was_never_bound_has_their_own_session(town: Town) -> None:
    process = town.process()
    for caller in (town.user("A"), town.backend("A"), town.guest("a")):
        assert process.look_up(caller) is None
        assert process.guest_of(caller) is None


def test_a_user_has_the_guests_session_in_every_process_and_whoever_names_them(bound: Town) -> None:
    for caller in (bound.user("A"), bound.backend("A")):
        for keyring in (KEYRING, ROTATED):
            assert bound.process(keyring=keyring).look_up(caller) == bound.guest("a").name
    assert bound.process().look_up(bound.user("B")) is None


def test_the_guest_is_nobody_any_more_in_any_process(bound: Town) -> None:
    process = bound.process()
    assert refused(process, bound.guest("a"))
    with pytest.raises(InvalidToken):
        process.guest_of(bound.guest("a"))
    assert not refused(process, bound.guest("b"))


def test_the_process_that_bound_them_knows_it_without_the_table(town: Town) -> None:
    process = town.process()
    process.carry_over(town.guest("a"), to=town.user("A"))
    town.calls.clear()
    assert process.guest_of(town.backend("A")) == town.guest("a").name
    with pytest.raises(InvalidToken):
        process.guest_of(town.guest("a"))
    assert town.calls == []


def test_the_same_user_may_ask_again_and_again(bound: Town) -> None:
    again = bound.process()
    for process in (again, again, bound.process()):
        assert process.carry_over(bound.guest("a"), to=bound.user("A")) is True
        assert process.carry_over(bound.guest("a"), to=bound.backend("A")) is True


def test_another_user_cannot_have_the_guest_and_keeps_their_own_session(bound: Town) -> None:
    for process in (bound.process(), bound.process()):
        assert refused(process, bound.guest("a"), to=bound.user("B"))
        assert process.look_up(bound.user("B")) is None
    assert bound.process().look_up(bound.user("A")) == bound.guest("a").name


def test_a_user_who_took_a_guest_takes_no_second_and_that_one_stays_a_guest(bound: Town) -> None:
    process = bound.process()
    for _ in range(2):
        assert process.carry_over(bound.guest("b"), to=bound.user("A")) is False
    assert bound.process().look_up(bound.guest("b")) is None
    assert process.look_up(bound.user("A")) == bound.guest("a").name
    assert bound.process().carry_over(bound.guest("b"), to=bound.user("B")) is True


def test_a_user_who_took_a_guest_cannot_probe_anothers(bound: Town) -> None:
    assert bound.process().carry_over(bound.guest("b"), to=bound.user("B"))
    assert refused(bound.process(), bound.guest("b"), to=bound.user("A"))


def test_a_ticket_of_a_moment_ago_can_be_carried_over(town: Town) -> None:
    new = replace(town.guest("a"), new=True)
    assert town.process().carry_over(new, to=town.user("A"))
    assert refused(town.process(), town.guest("a"))


def test_both_records_say_since_when(bound: Town) -> None:
    for caller in (bound.user("A"), bound.guest("a")):
        assert bound.item(caller)["bound_at"] == {"N": str(NOW)}


# What is asked of the table, and how often


def test_a_new_guest_costs_no_look_at_the_table(town: Town) -> None:
    new = replace(town.guest("a"), new=True)
    assert town.process().binding_pk(new) is None
    assert town.process().look_up(new) is None
    assert town.calls == []


def test_what_is_bound_is_asked_for_once_and_what_is_not_each_time(bound: Town) -> None:
    process = bound.process()
    for _ in range(3):
        process.look_up(bound.user("A"))
        process.look_up(bound.user("B"))
    assert len(bound.calls) == 1 + 3


def test_a_process_remembers_so_many_and_then_asks_again(
    bound: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_KNOWN", 2)
    process = bound.process()
    assert process.carry_over(bound.guest("b"), to=bound.user("B"))
    assert process.carry_over(bound.guest("c"), to=bound.user("C"))
    assert len(process.known) == 2
    for name in "ABC":
        assert process.look_up(bound.user(name)) == bound.guest(name.lower()).name
    assert len(process.known) == 2


def test_without_a_table_everybody_has_their_own_session() -> None:
    nowhere = Sessions(client=None, table=None, keyring=lambda: KEYRING, clock=Clock())  # type: ignore[arg-type]
    user, guest = Caller(kind="user", name="A"), Caller(kind="guest", name="guest_a")
    assert nowhere.look_up(user) is None
    assert nowhere.look_up(guest) is None
    with pytest.raises(Misconfigured, match="BINDING_TABLE"):
        nowhere.carry_over(guest, to=user)


# Somebody who can write the table


def damage(town: Town, *, of: str, into: str) -> None:
    """Puts the record of one user in the place of another's."""
    item = town.item(town.user(of)) | town.key(town.user(into))
    town.client.put_item(TableName=town.table, Item=item)


def test_a_record_that_was_moved_gives_nobody_anothers_session(bound: Town) -> None:
    damage(bound, of="A", into="B")
    for caller in (bound.user("B"), bound.backend("B")):
        with pytest.raises(Misconfigured, match="BINDING_TABLE"):
            bound.process().look_up(caller)
        with pytest.raises(Misconfigured):
            bound.process().learn(bound.item(caller))
    with pytest.raises(Misconfigured):
        bound.process().carry_over(bound.guest("b"), to=bound.user("B"))


def test_a_record_that_was_planted_makes_nobody_of_a_guest(bound: Town) -> None:
    planted = bound.key(bound.guest("b")) | {"bound_to": {"S": "u1#x"}, "mac": {"B": b"x" * 32}}
    bound.client.put_item(TableName=bound.table, Item=planted)
    with pytest.raises(Misconfigured):
        bound.process().look_up(bound.guest("b"))


def test_what_was_read_elsewhere_is_learnt(bound: Town) -> None:
    process = bound.process()
    process.learn(bound.item(bound.user("A")))
    process.learn(bound.item(bound.guest("a")))
    bound.calls.clear()
    assert process.guest_of(bound.user("A")) == bound.guest("a").name
    with pytest.raises(InvalidToken):
        process.guest_of(bound.guest("a"))
    assert bound.calls == []


# The table fails


class Failing:
    """A client of which one call fails, once it was done or before."""

    def __init__(self, client: DynamoDBClient, call: str, *, done: bool) -> None:
        self._client, self._call, self._done = client, call, done

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def act(**asked: Any) -> Any:
            if name != self._call or self._done:
                result = getattr(self._client, name)(**asked)
            if name == self._call:
                raise StoreUnavailable("The table did not answer.")
            return result

        return act


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("call", ["transact_write_items", "get_item"])
def test_whoever_was_told_that_it_failed_asks_again_and_has_the_guests_session(
    town: Town, call: str, *, done: bool
) -> None:
    failing = town.process(client=Failing(town.client, call, done=done))
    with pytest.raises(StoreUnavailable):
        failing.carry_over(town.guest("a"), to=town.user("A"))
    assert not failing.known, "nobody knows yet"
    assert town.process().carry_over(town.guest("a"), to=town.user("A")) is True
    assert refused(town.process(), town.guest("a"), to=town.user("B"))


def test_while_the_table_is_down_nobody_is_taken_for_unbound(bound: Town) -> None:
    down = bound.process(client=Failing(bound.client, "get_item", done=False))
    for caller in (bound.guest("a"), bound.guest("b"), bound.user("A")):
        with pytest.raises(StoreUnavailable):
            down.look_up(caller)


# Races, on Amazon's engine

AMAZON = pytest.mark.parametrize("created", ["dynamodb-local"], indirect=True)
ROUNDS = 5


def at_once(town: Town, pairs: list[tuple[Caller, Caller]]) -> list[bool | type[Exception]]:
    """All these sign in at one moment, each in a process of its own; what each is told."""
    together = Barrier(len(pairs))

    def sign_in(pair: tuple[Caller, Caller]) -> bool | type[Exception]:
        client = client_of(shared("dynamodb-local"))
        together.wait()
        try:
            return town.process(client=client).carry_over(pair[0], to=pair[1])
        except (InvalidToken, StoreUnavailable) as error:
            return type(error)
        finally:
            client.close()

    with ThreadPoolExecutor(len(pairs)) as pool:
        return list(pool.map(sign_in, pairs))


@AMAZON
def test_of_users_with_one_ticket_exactly_one_has_the_guest_and_the_others_nothing(
    town: Town,
) -> None:
    for number in range(ROUNDS):
        race = replace(town, name=f"{town.name}-{number}")
        users = [race.user(name) for name in "ABCD"]
        told = at_once(race, [(race.guest("a"), user) for user in users])
        assert False not in told
        owners = [u for u in users if race.process().look_up(u) == race.guest("a").name]
        assert len(owners) == 1
        assert {user.name for user, answer in zip(users, told, strict=True) if answer is True} <= {
            owners[0].name
        }
        for user in users:
            lost = refused(race.process(), race.guest("a"), to=user)
            assert lost == (user not in owners), "whoever asks again is told for certain"


@AMAZON
def test_of_tickets_with_one_user_exactly_one_is_carried_over(town: Town) -> None:
    for number in range(ROUNDS):
        race = replace(town, name=f"{town.name}-{number}")
        guests = [race.guest(name) for name in "abcd"]
        told = at_once(race, [(guest, race.user("A")) for guest in guests])
        assert told.count(True) <= 1
        assert InvalidToken not in told
        kept = race.process().look_up(race.user("A"))
        assert [g.name for g in guests if refused(race.process(), g)] == [kept]
