"""The real functions in this process, over moto's AWS and the stand-in for Coze."""

import importlib.util
import json
import logging
import sys
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import botocore.session
import pytest
from coze_sts.coze.private_key import load_private_key
from coze_sts.keyring import Keyring
from moto import mock_aws
from mypy_boto3_dynamodb import DynamoDBClient

from tests.aws_session import AwsSession
from tests.contract.openapi import conforms
from tests.kms import digests_signed, import_key
from tests.local.coze import CozeStandIn, demo_config
from tests.local.server import serve
from tests.local.template import STACK_NAME

RING = Keyring(keys={"1": b"k" * 64})
"""The keys of the stack that these fixtures make."""

FUNCTIONS = Path(__file__).parents[2] / "functions"
ORIGIN = "https://www.example.com"
ADDRESS = "203.0.113.7"
OWN_PAGE = "own page"
"""Stands for the header that a page of ORIGIN sends, and what is no page does not."""


@cache
def one_key() -> tuple[dict[str, str], str]:
    """A config and its public key: one for the whole run, because keys are slow to make."""
    return demo_config("")


@pytest.fixture
def coze() -> CozeStandIn:
    return CozeStandIn()


@pytest.fixture
def config(coze: CozeStandIn) -> Iterator[dict[str, str]]:
    """The operator's coze_oauth_config.json, for an app that the stand-in knows."""
    config, public_key = one_key()
    with serve(coze) as server:
        config = config | {"coze_www_base": server.url, "coze_api_base": server.url}
        coze.register_app(
            client_id=config["client_id"], kid=config["public_key_id"], public_key_pem=public_key
        )
        yield config


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "POWERTOOLS_METRICS_DISABLED": "false",
        "POWERTOOLS_SERVICE_NAME": STACK_NAME,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws(), digests_signed():
        monkeypatch.setattr(botocore.session, "Session", AwsSession)
        session = boto3.Session(botocore_session=AwsSession())
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
        yield


@pytest.fixture
def signs() -> str:
    """Who signs; modules whose tests are for both have a fixture of their own."""
    return "its own key"


@pytest.fixture
def stored(aws: None, config: dict[str, str], signs: str) -> tuple[dict[str, str], dict[str, str]]:
    """What is in the secret, and the variable that goes with it: with KMS, no private key."""
    if signs != "KMS":
        return config, {}
    arn = import_key(load_private_key(config["private_key"]))
    without_key = {name: value for name, value in config.items() if name != "private_key"}
    return without_key, {"SIGNING_KEY_ARN": arn}


@pytest.fixture
def environment(
    stored: tuple[dict[str, str], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """What the stack would have made, and the variables that name it."""
    secrets, dynamodb = boto3.client("secretsmanager"), boto3.client("dynamodb")
    secret, signing_key = stored
    variables = {
        **signing_key,
        "COZE_SECRET_ID": secrets.create_secret(Name="coze", SecretString=json.dumps(secret))[
            "ARN"
        ],
        "CACHE_KEY_SECRET_ID": secrets.create_secret(
            Name="cache", SecretString=json.dumps({n: key.decode() for n, key in RING.keys.items()})
        )["ARN"],
        "TOKEN_TABLE": new_table(dynamodb, "tokens"),
        "BINDING_TABLE": new_table(dynamodb, "bindings"),
        "GUEST_SESSIONS": "on",
        "ALLOWED_ORIGINS": ORIGIN,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


def new_table(dynamodb: DynamoDBClient, kind: str) -> str:
    name = f"{kind}-{uuid.uuid4().hex}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return name


@pytest.fixture
def load(environment: dict[str, str]) -> Callable[[str], ModuleType]:
    """Cold-starts a function: each call is a new execution environment."""

    def load(name: str) -> ModuleType:
        # A cold start has no logger yet; here one would keep an earlier test's standard output.
        logging.Logger.manager.loggerDict.pop("coze-sts", None)
        spec = importlib.util.spec_from_file_location(f"{name}_app", FUNCTIONS / name / "app.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module

    return load


class Context:
    """Lambda's second argument, at the start of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        return 20_000


class Caller:
    """Calls a handler as API Gateway would, with the authorizer's block where one is given.

    A route for browsers is called from a page of ORIGIN, unless the test says from where.
    """

    def __init__(self, handler: Callable[[dict[str, Any], object], dict[str, Any]]) -> None:
        self._handler = handler

    def __call__(
        self,
        route: str,
        body: object = None,
        *,
        authorizer: dict[str, Any] | None = None,
        origin: str | None = OWN_PAGE,
        address: str = ADDRESS,
        request_id: str = "req-1",
        raw: str | None = None,
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        if origin == OWN_PAGE:
            origin = ORIGIN if is_for_browsers(route) else None
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route,
            "headers": {} if origin is None else {"origin": origin},
            "requestContext": {
                "requestId": request_id,
                "routeKey": route,
                "http": {"sourceIp": address},
            },
            "isBase64Encoded": False,
        }
        if authorizer is not None:
            event["requestContext"]["authorizer"] = authorizer
        if raw is not None or body is not None:
            event["body"] = raw if raw is not None else json.dumps(body)
        response = self._handler(event, Context())
        conforms(*route.split(), response["statusCode"], response["headers"], response.get("body"))
        parsed = json.loads(response["body"]) if "body" in response else {}
        return response["statusCode"], parsed, response["headers"]


def is_for_browsers(route: str) -> bool:
    return route.split()[1].startswith(("/token", "/guest/"))


IAM = {"iam": {"userArn": "arn:aws:iam::123456789012:user/backend", "accountId": "123456789012"}}


def signed_in(claim: object, *, name: str = "sub") -> dict[str, Any]:
    return {"jwt": {"claims": {name: claim}, "scopes": None}}


@pytest.fixture
def call(load: Callable[[str], ModuleType]) -> Caller:
    """Calls TokenFunction, which starts at the first call."""
    start = cache(load)
    return Caller(lambda event, context: start("token").lambda_handler(event, context))
