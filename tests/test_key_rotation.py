"""The four steps of a rotation, on moto's Secrets Manager and with a real exchange."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from coze_sts.coze.app_key import CozeApp, parse_app
from coze_sts.errors import Misconfigured, UpstreamRejected
from coze_sts.key_rotation import KeyRotation
from moto import mock_aws

STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-west-1")


@pytest.fixture
def config(private_pem: str) -> Callable[..., str]:
    def config(kid: str, client_id: str = "app-1") -> str:
        return json.dumps(
            {
                "client_type": "jwt",
                "client_id": client_id,
                "coze_api_base": "https://api.coze.cn",
                "private_key": private_pem,
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
