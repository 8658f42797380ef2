"""A key takes another's place, and is deleted at Coze, while visitors and servers ask all along."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
import requests
from coze_sts.coze.assertion import ASSERTION_SECONDS
from coze_sts.coze.private_key import load_private_key
from coze_sts.errors import UnknownKey
from coze_sts.stored_secret import TTL_SECONDS

from tests.kms import digests_signed, import_key
from tests.local.aws import REGION
from tests.local.coze import demo_config
from tests.local.functions import LocalFunction
from tests.local.stack import LocalStack

ASSERTION_EVENT = json.loads(
    (Path(__file__).parents[1] / "events" / "backend-assertion.json").read_text()
)
GRANT = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "duration_seconds": 900}
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
ENVIRONMENTS = 3
WAYS = {
    "from key to key": (False, False),
    "from a key into KMS": (False, True),
    "from KMS to KMS": (True, True),
    "from KMS back to a key": (True, False),
}
"""Whether the old and the new key are in KMS."""

INTO_KMS = pytest.mark.parametrize("place", [(False, True)], ids=["into KMS"], indirect=True)
SECONDS = 30


@dataclass
class MovableClock:
    """The real time, and as much on top as one says."""

    ahead: float = 0.0
    real: Callable[[], float] = time.time

    def __call__(self) -> float:
        return self.real() + self.ahead


class Fleet:
    """Several execution environments of one function, asked in turn; a new one is cold."""

    def __init__(self, function: LocalFunction) -> None:
        self._cold = copy(function)
        self._warm = [copy(function) for _ in range(ENVIRONMENTS)]
        self._turns = itertools.count()

    def invoke(self, event: Any) -> Any:
        return self._warm[next(self._turns) % len(self._warm)].invoke(event)

    def grow(self) -> None:
        """As Lambda does when there are more requests than environments."""
        self._warm.append(copy(self._cold))


class Load:
    """Threads that ask without a pause: new guests for tokens, a server for assertions."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._counted = threading.Condition()
        self._stopped = self._paused = False
        self._running = self._done = 0
        self.failures: list[str] = []
        work = (self._guest, self._guest, self._guest, self._server)
        self._threads = [threading.Thread(target=self._repeat, args=[act]) for act in work]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped = True
        for thread in self._threads:
            thread.join(SECONDS)

    @contextmanager
    def between_requests(self) -> Iterator[None]:
        """While no request runs: minutes pass between requests, never within one."""
        with self._counted:
            self._paused = True
            assert self._counted.wait_for(lambda: self._running == 0, SECONDS)
            yield
            self._paused = False
            self._counted.notify_all()

    def more(self, requests_done: int = 8) -> None:
        """Waits until so many more requests have been answered."""
        with self._counted:
            goal = self._done + requests_done
            assert self._counted.wait_for(lambda: self._done >= goal, SECONDS)

    def _repeat(self, act: Callable[[], requests.Response]) -> None:
        while not self._stopped:
            with self._counted:
                assert self._counted.wait_for(lambda: not self._paused, SECONDS)
                self._running += 1
            try:
                answer = act()
                fault = "" if answer.status_code == 200 else f"{answer.status_code} {answer.text}"
            except Exception as error:  # noqa: BLE001 - a thread's own would be lost
                fault = repr(error)
            with self._counted:
                self.failures += [fault] if fault else []
                self._running -= 1
                self._done += 1
                self._counted.notify_all()

    def _guest(self) -> requests.Response:
        return requests.post(f"{self._stack.url}/guest/token", timeout=SECONDS)

    def _server(self) -> requests.Response:
        response = self._stack.functions["AssertionFunction"].invoke(ASSERTION_EVENT)
        signed = json.loads(response["body"])
        bearer = {"Authorization": f"Bearer {signed['assertion']}"}
        return requests.post(signed["token_endpoint"], json=GRANT, headers=bearer, timeout=SECONDS)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The service under load, its secret, and the two keys by their kid."""

    stack: LocalStack
    load: Load
    fleet: Fleet
    clock: MovableClock
    secret: str
    old: str
    new: str
    staged: str = field(repr=False)

    def stage(self) -> None:
        """What StageKeyCommand does."""
        self.stack.aws.secretsmanager.put_secret_value(
            SecretId=self.secret, SecretString=self.staged, VersionStages=["STAGED"]
        )

    def rotate(self) -> None:
        """What Secrets Manager does after RotateKeyCommand; each step twice, in both spellings."""
        version = str(uuid.uuid4())
        for step in STEPS:
            for spelling in (step, step.replace("S", "_s")):
                event = {"Step": spelling, "SecretId": self.secret, "ClientRequestToken": version}
                self.stack.functions["KeyRotationFunction"].invoke(event)
                self.load.more()
            self.fleet.grow()

    def roll_back(self) -> None:
        """As docs/key-rotation.md has it: AWSCURRENT goes back to the version before."""
        client = self.stack.aws.secretsmanager
        versions = client.describe_secret(SecretId=self.secret)["VersionIdsToStages"]
        by_stage = {stage: version for version, stages in versions.items() for stage in stages}
        client.update_secret_version_stage(
            SecretId=self.secret,
            VersionStage="AWSCURRENT",
            MoveToVersionId=by_stage["AWSPREVIOUS"],
            RemoveFromVersionId=by_stage["AWSCURRENT"],
        )

    def passes(self, seconds: float) -> None:
        """So much time, in which nobody asked."""
        with self.load.between_requests():
            self.clock.ahead += seconds

    def wait(self) -> None:
        """The time that the old key must stay at Coze where Secrets Manager answers."""
        for seconds in (TTL_SECONDS / 2, TTL_SECONDS / 2, ASSERTION_SECONDS):
            self.passes(seconds)
            self.load.more()

    def kids(self) -> set[str]:
        """Which keys Coze saw in the requests from now on."""
        before = len(self.stack.coze.exchanges)
        self.load.more(24)
        return {exchange.kid for exchange in self.stack.coze.exchanges[before:]}


def in_kms(config: dict[str, str]) -> dict[str, str]:
    """The file without its private key, which is in a new KMS key."""
    arn = import_key(load_private_key(config["private_key"]), region=REGION)
    without = {name: value for name, value in config.items() if name != "private_key"}
    return without | {"signing_key_arn": arn}


def arn(config: dict[str, str]) -> str:
    return config.get("signing_key_arn", "")


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A site whose functions are warm; Coze knows both keys, as the operator has added the new."""
    was_in_kms, is_in_kms = request.param
    # A cold start has no logger yet; here one would keep an earlier test's standard output.
    logging.Logger.manager.loggerDict.pop("coze-sts", None)
    clock = MovableClock()
    monkeypatch.setattr(time, "time", clock)
    with ExitStack() as cleanup:
        cleanup.enter_context(digests_signed())
        old, old_public = demo_config("")
        new, new_public = demo_config("")
        first, second = (
            in_kms(config) if moved else config
            for config, moved in ((old, was_in_kms), (new, is_in_kms))
        )
        keys = {
            "SigningKeyArn": arn(first) if is_in_kms else "",
            "NextSigningKeyArn": arn(second) or arn(first),
        }
        stack = cleanup.enter_context(LocalStack(parameters=keys, clock=clock))
        at = {"coze_api_base": stack.coze_url}
        for kid, public in ((old["public_key_id"], old_public), (new["public_key_id"], new_public)):
            stack.coze.register_app(client_id=old["client_id"], kid=kid, public_key_pem=public)
        stack.aws.put_secret("CozeSecret", json.dumps(first | at))
        fleet = Fleet(stack.functions["TokenFunction"])
        stack.functions["TokenFunction"] = fleet  # type: ignore[assignment]
        yield Place(
            stack=stack,
            load=Load(stack),
            fleet=fleet,
            clock=clock,
            secret=stack.aws.resolve("${CozeSecret}"),
            old=old["public_key_id"],
            new=new["public_key_id"],
            staged=json.dumps(second | at),
        )


def test_no_request_fails_while_a_key_replaces_another_and_the_old_one_goes(place: Place) -> None:
    with place.load:
        assert place.kids() == {place.old}
        place.stage()
        assert place.kids() == {place.old}, "a staged key signs nothing"
        place.rotate()
        place.wait()
        assert place.kids() == {place.new}
        place.stack.coze.forget_key(kid=place.old)
        assert place.kids() == {place.new}
    assert place.load.failures == []


@INTO_KMS
def test_no_request_fails_while_a_rotation_is_taken_back(place: Place) -> None:
    with place.load:
        place.stage()
        place.rotate()
        place.passes(TTL_SECONDS)
        assert place.new in place.kids()
        place.roll_back()
        place.wait()
        assert place.kids() == {place.old}
        place.stack.coze.forget_key(kid=place.new)
        assert place.kids() == {place.old}
    assert place.load.failures == []


@INTO_KMS
def test_no_request_fails_where_coze_refuses_the_new_key(place: Place) -> None:
    with place.load:
        place.stack.coze.forget_key(kid=place.new)
        place.stage()
        with pytest.raises(UnknownKey):
            place.rotate()
        assert place.kids() == {place.old}
    assert place.load.failures == []
