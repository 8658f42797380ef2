"""The four steps of a rotation, on moto's Secrets Manager and with a real exchange."""

import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import boto3
import pytest
from coze_sts.coze.app_key import CozeApp, parse_app
from coze_sts.errors import Misconfigured, UpstreamRejected, UpstreamUnavailable
from coze_sts.key_rotation import KeyRotation
from moto import mock_aws

ARN = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-west-1")


@pytest.fixture
def config(private_pem: str) -> Callable[..., str]:
    def config(kid: str, client_id: str = "app-1", pem: str = private_pem) -> str:
        return json.dumps(
            {
                "client_type": "jwt",
                "client_id": client_id,
                "coze_api_base": "https://api.coze.cn",
                # Words before the frame: the same key is another text, as another key would be.
                "private_key": f"{kid}\n{pem}",
                "public_key_id": kid,
            }
        )

    return config


@pytest.fixture
def secret_id(secrets: Any, config: Callable[..., str]) -> str:
    return secrets.create_secret(Name="coze", SecretString=config("old"))["ARN"]


def stage(secrets: Any, secret_id: str, text: str) -> None:
    secrets.put_secret_value(SecretId=secret_id, SecretString=text, VersionStages=["STAGED"])


def begin(secrets: Any, secret_id: str, probe: Callable[[CozeApp], None]) -> KeyRotation:
    version = str(uuid.uuid4())
    return KeyRotation(
        client=secrets, secret_id=secret_id, version_id=version, parse=parse_app, probe=probe
    )


def current_kid(secrets: Any, secret_id: str) -> str:
    text = secrets.get_secret_value(SecretId=secret_id, VersionStage="AWSCURRENT")["SecretString"]
    return json.loads(text)["public_key_id"]


def test_the_staged_key_becomes_current_only_at_the_last_step(
    secrets: Any, secret_id: str, config: Callable[..., str]
) -> None:
    stage(secrets, secret_id, config("new"))
    probed: list[str] = []
    rotation = begin(secrets, secret_id, lambda app: probed.append(app.kid))
    for step in STEPS[:3]:
        rotation.run(step)
        assert current_kid(secrets, secret_id) == "old"
    assert probed == ["new"]
    rotation.run(STEPS[3])
    assert current_kid(secrets, secret_id) == "new"
    previous = secrets.get_secret_value(SecretId=secret_id, VersionStage="AWSPREVIOUS")
    assert json.loads(previous["SecretString"])["public_key_id"] == "old"


def test_each_step_twice_ends_the_same(
    secrets: Any, secret_id: str, config: Callable[..., str]
) -> None:
    stage(secrets, secret_id, config("new"))
    rotation = begin(secrets, secret_id, lambda _app: None)
    for step in STEPS:
        rotation.run(step)
        stages = secrets.describe_secret(SecretId=secret_id)["VersionIdsToStages"]
        rotation.run(step.replace("S", "_s"))
        assert secrets.describe_secret(SecretId=secret_id)["VersionIdsToStages"] == stages


@pytest.mark.parametrize(
    ("staged", "says"),
    [
        (None, "No key is staged"),
        (("old",), "is the current one"),
        (("new", "another-app"), "another OAuth app"),
        (("new", "app-1", "no key"), "not a PEM private key"),
    ],
)
def test_a_key_that_cannot_take_the_place_is_refused_before_anything_changes(
    secrets: Any,
    secret_id: str,
    config: Callable[..., str],
    staged: tuple[str, ...] | None,
    says: str,
) -> None:
    if staged:
        stage(secrets, secret_id, config(*staged))
    before = secrets.describe_secret(SecretId=secret_id)["VersionIdsToStages"]
    with pytest.raises(Misconfigured, match=says):
        begin(secrets, secret_id, lambda _app: None).run("createSecret")
    assert secrets.describe_secret(SecretId=secret_id)["VersionIdsToStages"] == before


def test_two_ids_for_one_private_key_are_refused(
    secrets: Any, secret_id: str, config: Callable[..., str]
) -> None:
    stage(
        secrets,
        secret_id,
        config("old").replace('"public_key_id": "old"', '"public_key_id": "new"'),
    )
    with pytest.raises(Misconfigured, match="is the current one"):
        begin(secrets, secret_id, lambda _app: None).run("createSecret")


def test_a_current_key_that_cannot_sign_is_rotated_away(
    secrets: Any, secret_id: str, config: Callable[..., str]
) -> None:
    secrets.put_secret_value(SecretId=secret_id, SecretString=config("old", pem="no key"))
    stage(secrets, secret_id, config("new"))
    rotation = begin(secrets, secret_id, lambda _app: None)
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        rotation.run(step)
    assert current_kid(secrets, secret_id) == "new"


def test_two_ids_for_one_key_of_kms_are_refused(
    secrets: Any, secret_id: str, config: Callable[..., str]
) -> None:
    """As where the staged file lacks signing_key_arn, so that SIGNING_KEY_ARN still signs."""

    def in_kms(kid: str) -> str:
        return json.dumps({k: v for k, v in json.loads(config(kid)).items() if k != "private_key"})

    secrets.put_secret_value(SecretId=secret_id, SecretString=in_kms("old"))
    stage(secrets, secret_id, in_kms("new"))
    parse = partial(parse_app, signing_key_arn=ARN, kms=pytest.fail)
    rotation = replace(begin(secrets, secret_id, lambda _app: None), parse=parse)
    with pytest.raises(Misconfigured, match="is the current one"):
        rotation.run("createSecret")


def test_a_key_that_coze_refuses_never_becomes_current(
    secrets: Any, secret_id: str, config: Callable[..., str]
) -> None:
    def refuse(_app: CozeApp) -> None:
        raise UpstreamRejected("kid not registered")

    stage(secrets, secret_id, config("new"))
    rotation = begin(secrets, secret_id, refuse)
    rotation.run("createSecret")
    with pytest.raises(UpstreamRejected):
        rotation.run("testSecret")
    assert current_kid(secrets, secret_id) == "old"


def test_an_unknown_step_is_an_error(secrets: Any, secret_id: str) -> None:
    with pytest.raises(Misconfigured):
        begin(secrets, secret_id, lambda _app: None).run("deleteSecret")


# Killed at any point, and run again


class KilledError(Exception):
    """Stands for the end of the process."""


def killing(client: Any, number: int, *, when: str) -> Callable[[], None]:
    """Kills at so many calls of AWS, before one or after it; returns what stops that."""
    calls = itertools.count()

    def kill(**_: object) -> None:
        if next(calls) == number:
            raise KilledError

    client.meta.events.register(f"{when}.secrets-manager", kill)
    return lambda: client.meta.events.unregister(f"{when}.secrets-manager", kill)


def calls_of(client: Any, act: Callable[[], None]) -> int:
    calls: list[str] = []
    note = lambda **more: calls.append(more["model"].name)  # noqa: E731
    client.meta.events.register("before-call.secrets-manager", note)
    act()
    client.meta.events.unregister("before-call.secrets-manager", note)
    return len(calls)


def all_steps(rotation: KeyRotation) -> None:
    for step in STEPS:
        rotation.run(step)


def kids_by_stage(secrets: Any, secret_id: str) -> dict[str, str]:
    versions = secrets.describe_secret(SecretId=secret_id)["VersionIdsToStages"]
    return {
        stage: json.loads(
            secrets.get_secret_value(SecretId=secret_id, VersionId=version)["SecretString"]
        )["public_key_id"]
        for version, stages in versions.items()
        for stage in stages
    }


@pytest.mark.parametrize("when", ["before-call", "after-call"])
@pytest.mark.parametrize("from_the_start", [False, True])
def test_a_rotation_that_is_killed_anywhere_ends_the_same_when_run_again(
    secrets: Any, config: Callable[..., str], when: str, *, from_the_start: bool
) -> None:
    """Secrets Manager calls the step again that failed, or, after a new start, all of them."""
    names, ends = itertools.count(), []

    def fresh() -> tuple[str, KeyRotation]:
        name = f"coze-{next(names)}"
        secret_id = secrets.create_secret(Name=name, SecretString=config("old"))["ARN"]
        stage(secrets, secret_id, config("new"))
        return secret_id, begin(secrets, secret_id, lambda _app: None)

    secret_id, rotation = fresh()
    total = calls_of(secrets, lambda: all_steps(rotation))
    undisturbed = kids_by_stage(secrets, secret_id)
    assert (undisturbed["AWSCURRENT"], undisturbed["AWSPREVIOUS"]) == ("new", "old")
    for number in range(total):
        secret_id, rotation = fresh()
        spare = killing(secrets, number, when=when)
        for step in STEPS:
            try:
                rotation.run(step)
            except KilledError:
                spare()
                assert current_kid(secrets, secret_id) in {"old", "new"}
                if from_the_start:
                    all_steps(rotation)
                else:
                    rotation.run(step)
        spare()
        ends.append(kids_by_stage(secrets, secret_id))
    assert ends == [undisturbed] * total
    assert total > 8


def test_a_probe_that_fails_for_now_can_be_run_again(
    secrets: Any, secret_id: str, config: Callable[..., str]
) -> None:
    answers: list[Exception | None] = [UpstreamUnavailable("busy"), None]

    def probe(_app: CozeApp) -> None:
        if (fault := answers.pop(0)) is not None:
            raise fault

    stage(secrets, secret_id, config("new"))
    rotation = begin(secrets, secret_id, probe)
    rotation.run("createSecret")
    with pytest.raises(UpstreamUnavailable):
        rotation.run("testSecret")
    assert current_kid(secrets, secret_id) == "old"
    rotation.run("testSecret")
    rotation.run("finishSecret")
    assert current_kid(secrets, secret_id) == "new"


def test_a_rotation_that_starts_by_itself_changes_nothing(
    secrets: Any, secret_id: str, config: Callable[..., str]
) -> None:
    """RotateKeyCommand leaves a schedule behind; the staged key is the current one by then."""
    stage(secrets, secret_id, config("new"))
    all_steps(begin(secrets, secret_id, lambda _app: None))
    before = kids_by_stage(secrets, secret_id)
    with pytest.raises(Misconfigured, match="is the current one"):
        begin(secrets, secret_id, lambda _app: None).run("createSecret")
    assert kids_by_stage(secrets, secret_id) == before


def test_what_was_staged_later_does_not_replace_what_was_tried(
    secrets: Any, secret_id: str, config: Callable[..., str]
) -> None:
    stage(secrets, secret_id, config("new"))
    rotation = begin(secrets, secret_id, lambda _app: None)
    rotation.run("createSecret")
    rotation.run("testSecret")
    stage(secrets, secret_id, config("newer"))
    all_steps(rotation)
    assert current_kid(secrets, secret_id) == "new"
