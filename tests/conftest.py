"""What many tests share. Keys are slow to make, so there is one of each for the whole run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.signer import LocalSigner
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import settings
from moto import mock_aws

from tests.factories import Clock
from tests.parts import TABLE

# A busy machine makes no example wrong: time is measured where it matters.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def private_pem(rsa_key: rsa.RSAPrivateKey) -> str:
    """PKCS#8, as Coze's console hands it out."""
    return rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="session")
def public_pem(rsa_key: rsa.RSAPrivateKey) -> str:
    form = PublicFormat.SubjectPublicKeyInfo
    return rsa_key.public_key().public_bytes(Encoding.PEM, form).decode()


@pytest.fixture(scope="session")
def make_app(private_pem: str) -> Callable[..., CozeApp]:
    """An OAuth app with the key of this run; `api_base` says where its Coze is."""

    def make(api_base: str = "https://api.coze.cn", *, kid: str = "kid-1") -> CozeApp:
        signer = LocalSigner(pem=private_pem)
        return CozeApp(client_id="1234567890123", kid=kid, api_base=api_base, signer=signer)

    return make


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of moto's, with an empty table."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        yield client


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything is installed, so a test that was skipped there is one that failed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped"):
        reporter.write_line("\nskipped tests count as failed where CI is set", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
