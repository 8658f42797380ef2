"""Which key signs while one takes the place of another; Secrets Manager and Coze as fakes."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import pytest
from coze_sts.access_token import AccessToken
from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.keys import PREFER_SECONDS, AppKeys
from coze_sts.coze.signer import LocalSigner
from coze_sts.errors import (
    Misconfigured,
    StsError,
    TemporarilyUnavailable,
    UnknownKey,
    UnusableKey,
    UpstreamUnavailable,
)
from coze_sts.stored_secret import MIN_AGE_SECONDS, TTL_SECONDS, SecretVersion, StoredSecret

from tests.factories import Clock, make_token

MakeApp = Callable[..., CozeApp]


class World:
    """A secret with its stages, and a Coze that knows some keys. Notes what it is asked."""

    def __init__(self, clock: Clock, make_app: MakeApp) -> None:
        self.stages = {"AWSCURRENT": "old"}
        self.known = {"old"}
        self.clients: dict[str, str] = {}
        self.vault_is_down = False
        self.unusable: set[str] = set()
        self.fetched: list[str] = []
        self.signed: list[str] = []
        self.heard: list[StsError] = []
        self._clock = clock
        self._make_app = make_app

    def process(self) -> AppKeys:
        """The keys of a process that has asked for nothing yet."""
        return AppKeys(
            current=self._stored("AWSCURRENT"),
            previous=self._stored("AWSPREVIOUS"),
            clock=self._clock,
            on_unusable=self.heard.append,
        )

    def put(self, kid: str) -> None:
        """A new version, as put-secret-value makes it."""
        self.stages = {"AWSCURRENT": kid, "AWSPREVIOUS": self.stages["AWSCURRENT"]}

    def put_another_app(self) -> None:
        """A new version that is no new key but another app's."""
        self.put("other")
        self.known = {"other"}
        self.clients = {"other": "9"}

    def attempt(self, app: CozeApp) -> AccessToken:
        if isinstance(app.signer, LocalSigner) and app.signer.pem in self.unusable:
            raise UnusableKey("disabled")
        self.signed.append(app.kid)
        if app.kid not in self.known:
            raise UnknownKey("who?")
        return make_token(kid=app.kid)

    def _stored(self, stage: str) -> StoredSecret[CozeApp]:
        def fetch() -> SecretVersion:
            self.fetched.append(stage)
            if self.vault_is_down:
                raise TemporarilyUnavailable("Secrets Manager did not answer.")
            if stage not in self.stages:
                raise Misconfigured("no such version")
            return SecretVersion(version_id=self.stages[stage], text=self.stages[stage])

        def parse(kid: str) -> CozeApp:
            """`old#2` is another file for the key `old`."""
            app = self._make_app(kid=kid.partition("#")[0])
            signer = LocalSigner(pem=kid)
            return replace(app, client_id=self.clients.get(kid, app.client_id), signer=signer)

        return StoredSecret(
            fetch=fetch, parse=parse, clock=self._clock, on_failure=lambda _failure: None
        )


@pytest.fixture
def world(clock: Clock, make_app: MakeApp) -> World:
    return World(clock, make_app)


@pytest.fixture
def keys(world: World, clock: Clock) -> AppKeys:
    """Of a process that read the secret two minutes ago."""
    keys = world.process()
    keys.current()
    clock.now += 2 * MIN_AGE_SECONDS
    return keys


def test_a_key_that_coze_knows_signs_once_and_nothing_is_asked(keys: AppKeys, world: World) -> None:
    assert keys.exchange(world.attempt).kid == "old"
    assert (world.signed, world.fetched) == (["old"], ["AWSCURRENT"])


def test_a_new_version_signs_again_once(keys: AppKeys, world: World) -> None:
    world.put("new")
    world.known = {"new"}
    assert keys.exchange(world.attempt).kid == "new"
    assert keys.exchange(world.attempt).kid == "new"
    assert world.signed == ["old", "new", "new"]
    assert world.fetched == ["AWSCURRENT"] * 2


def test_a_new_version_that_coze_does_not_know_either_is_the_last_try(
    keys: AppKeys, world: World
) -> None:
    world.put("new")
    world.known = set()
    with pytest.raises(UnknownKey):
        keys.exchange(world.attempt)
    assert world.signed == ["old", "new"]


def test_the_previous_version_signs_until_coze_has_learnt_the_current_one(
    world: World, clock: Clock
) -> None:
    world.put("new")
    keys = world.process()
    assert keys.exchange(world.attempt).kid == "old"
    assert world.signed == ["new", "old"]
    clock.now += PREFER_SECONDS - 1
    keys.exchange(world.attempt)
    assert world.signed == ["new", "old", "old"], "what worked goes first for a minute"
    clock.now += 1
    world.known.add("new")
    assert keys.exchange(world.attempt).kid == "new"
    assert world.signed[3:] == ["new"]


def test_a_previous_key_that_is_known_no_more_goes_first_no_more(
    world: World, clock: Clock
) -> None:
    world.put("new")
    keys = world.process()
    keys.exchange(world.attempt)
    world.known = {"new"}
    for _ in range(3):
        assert keys.exchange(world.attempt).kid == "new"
    assert world.signed == ["new", "old", "old", "new", "new", "new"]


def test_the_previous_version_signs_where_kms_refuses_the_current_key(
    world: World, clock: Clock
) -> None:
    """As after a rotation to a KMS key that somebody disables, while the old key is still there."""
    world.put("new")
    world.known, world.unusable = {"old", "new"}, {"new"}
    keys = world.process()
    assert keys.exchange(world.attempt).kid == "old"
    assert [type(failure) for failure in world.heard] == [UnusableKey], "the operator is told"
    clock.now += PREFER_SECONDS
    world.unusable = set()
    assert keys.exchange(world.attempt).kid == "new"


def test_a_damaged_file_for_the_same_key_lets_the_one_before_sign(
    world: World, clock: Clock
) -> None:
    """Its id is the same in both, and in the mended file."""
    world.stages = {"AWSCURRENT": "old#damaged", "AWSPREVIOUS": "old"}
    world.unusable = {"old#damaged"}
    keys = world.process()
    keys.exchange(world.attempt)
    keys.exchange(world.attempt)
    assert [type(failure) for failure in world.heard] == [UnusableKey], "what worked goes first"
    clock.now += PREFER_SECONDS
    world.put("old#mended")
    keys.exchange(world.attempt)
    assert world.fetched == ["AWSCURRENT", "AWSPREVIOUS", "AWSCURRENT"]


def test_a_mended_file_for_the_same_key_signs_when_the_secret_is_asked_anew(
    world: World, clock: Clock
) -> None:
    world.stages, world.unusable = {"AWSCURRENT": "old#damaged"}, {"old#damaged"}
    keys = world.process()
    with pytest.raises(UnusableKey):
        keys.exchange(world.attempt)
    world.stages = {"AWSCURRENT": "old"}
    clock.now += MIN_AGE_SECONDS
    assert keys.exchange(world.attempt).kid == "old"


def test_a_key_that_kms_refuses_fails_as_that_where_there_is_no_other(
    keys: AppKeys, world: World
) -> None:
    world.unusable = {"old"}
    with pytest.raises(UnusableKey):
        keys.exchange(world.attempt)


def test_a_damaged_version_before_does_not_hide_that_coze_does_not_know_the_key(
    world: World,
) -> None:
    """A first file that was cut off, then one for the other region."""
    world.stages = {"AWSCURRENT": "elsewhere", "AWSPREVIOUS": "old"}
    world.known, world.unusable = set(), {"old"}
    with pytest.raises(UnknownKey) as failed:
        world.process().exchange(world.attempt)
    assert failed.value.__context__ is None
    assert [type(failure) for failure in world.heard] == [UnusableKey], "the operator is told"


@pytest.mark.parametrize("previous", [{}, {"AWSPREVIOUS": "old"}])
def test_the_same_key_is_not_tried_twice(
    keys: AppKeys, world: World, previous: dict[str, str]
) -> None:
    world.stages |= previous
    world.known = set()
    with pytest.raises(UnknownKey):
        keys.exchange(world.attempt)
    assert world.signed == ["old"]


def test_another_apps_key_never_stands_in(keys: AppKeys, world: World, clock: Clock) -> None:
    """Its tokens would open another app's conversations."""
    world.put_another_app()
    with pytest.raises(UnknownKey):
        keys.exchange(world.attempt)
    assert world.signed == ["old"]
    world.known, process = {"old"}, world.process()
    with pytest.raises(UnknownKey):
        process.exchange(world.attempt)
    assert world.signed == ["old", "other"]


def test_a_failure_that_is_not_the_keys_is_not_tried_with_another(
    keys: AppKeys, world: World
) -> None:
    def fail(app: CozeApp) -> AccessToken:
        world.signed.append(app.kid)
        raise UpstreamUnavailable("down")

    world.put("new")
    with pytest.raises(UpstreamUnavailable):
        keys.exchange(fail)
    assert (world.signed, world.fetched) == (["old"], ["AWSCURRENT"])


def test_a_bad_key_causes_one_fetch_a_minute_and_one_try_a_call(
    keys: AppKeys, world: World, clock: Clock
) -> None:
    world.known, world.fetched = set(), []
    for _ in range(180):
        with pytest.raises(UnknownKey):
            keys.exchange(world.attempt)
        clock.now += 1
    assert world.fetched.count("AWSCURRENT") == 3
    assert world.signed == ["old"] * 180


def test_a_key_in_memory_signs_while_secrets_manager_is_gone(
    keys: AppKeys, world: World, clock: Clock
) -> None:
    world.vault_is_down = True
    clock.now += 2 * TTL_SECONDS
    assert keys.exchange(world.attempt).kid == "old"
    world.known = set()
    with pytest.raises(UnknownKey):
        keys.exchange(world.attempt)


STEPS: dict[str, Callable[[World], None]] = {
    "the secret is put": lambda world: world.put("new"),
    "Coze learns the key": lambda world: world.known.add("new"),
}


@pytest.mark.parametrize("order", [*permutations(STEPS)])
@pytest.mark.parametrize("age", [0, 1, MIN_AGE_SECONDS - 1, MIN_AGE_SECONDS, TTL_SECONDS - 1])
def test_no_request_fails_during_a_rotation_that_either_key_could_serve(
    world: World, clock: Clock, order: tuple[str, ...], age: float
) -> None:
    """In processes that read the secret before, between and after; old keys go a minute later."""
    processes = []
    for step in (*order, "done"):
        processes.append(world.process())
        for process in processes:
            assert process.exchange(world.attempt)
        clock.now += age
        STEPS.get(step, lambda _world: None)(world)
        for process in processes:
            assert process.exchange(world.attempt)
    clock.now += MIN_AGE_SECONDS
    world.known.remove("old")
    for process in (*processes, world.process()):
        assert process.exchange(world.attempt).kid == "new"
