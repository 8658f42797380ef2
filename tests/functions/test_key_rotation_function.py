"""A step of a rotation, from Secrets Manager's event to what Lambda reports and logs."""

import json
from collections.abc import Callable
from functools import cache, partial
from types import ModuleType
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from coze_sts.errors import Misconfigured, StsError, TemporarilyUnavailable
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.factories import CANARY, everything_told
from tests.kms import SIGNERS, import_key

Step = Callable[[str], None]


@pytest.fixture(params=SIGNERS)
def signs(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def app(load: Callable[[str], ModuleType]) -> Callable[[], ModuleType]:
    """The function, which starts at the first call."""
    return cache(partial(load, "key_rotation"))


@pytest.fixture
def step(
    app: Callable[[], ModuleType],
    environment: dict[str, str],
    signs: str,
    rsa_key: rsa.RSAPrivateKey,
    private_pem: str,
) -> Step:
    secret = environment["COZE_SECRET_ID"]
    in_kms = signs == "KMS"
    another = {"signing_key_arn": import_key(rsa_key)} if in_kms else {"private_key": private_pem}
    boto3.client("secretsmanager").put_secret_value(
        SecretId=secret,
        SecretString=json.dumps(staged(secret) | another),
        VersionStages=["STAGED"],
    )

    def step(name: str) -> None:
        event = {"Step": name, "SecretId": secret, "ClientRequestToken": "v" * 32}
        assert app().lambda_handler(event, None) is None

    return step


def staged(secret: str) -> dict[str, Any]:
    current = boto3.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    return json.loads(current) | {"public_key_id": "new"}


def logged(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if "_aws" not in line]
    return line


def test_a_step_that_is_done_is_logged(step: Step, capsys: pytest.CaptureFixture[str]) -> None:
    step("createSecret")
    line = logged(capsys)
    assert (line["route"], line["status"]) == ("rotation createSecret", 200)


def test_a_step_that_needs_the_operator_fails_and_says_so(
    step: Step, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Misconfigured):
        step("finishSecret")
    assert "only a pending one becomes current" in logged(capsys)["message"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (
            ClientError({"Error": {"Code": "AccessDeniedException", "Message": CANARY}}, "Any"),
            "AccessDeniedException",
        ),
        (EndpointConnectionError(endpoint_url=CANARY), "EndpointConnectionError"),
    ],
)
def test_a_step_that_aws_refuses_fails_by_its_code_alone(
    step: Step,
    app: Callable[[], ModuleType],
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: str,
) -> None:
    with (
        mock.patch.object(app().SECRETS, "put_secret_value", side_effect=error),
        pytest.raises(TemporarilyUnavailable) as failed,
    ):
        step("createSecret")
    line = logged(capsys)
    assert line["message"] == f"Secrets Manager refused createSecret: {code}."
    assert CANARY not in everything_told(failed.value) + str(line)
    assert failed.value.__context__ is None


def test_a_bug_of_ours_fails_the_step_and_tells_only_where_it_is(
    step: Step, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = mock.patch("coze_sts.key_rotation.KeyRotation.run", side_effect=KeyError(CANARY))
    with broken, pytest.raises(StsError) as failed:
        step("createSecret")
    line = logged(capsys)
    assert (line["exception_name"], line["status"]) == ("KeyError", 500)
    assert any("lambda_handler" in place for place in line["places"])
    assert CANARY not in everything_told(failed.value) + str(line)
    assert failed.value.__context__ is None
