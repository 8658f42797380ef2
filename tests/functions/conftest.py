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
import pytest
from moto import mock_aws

from tests.local.coze import CozeStandIn, demo_config
from tests.local.server import serve

FUNCTIONS = Path(__file__).parents[2] / "functions"
ORIGIN = "https://www.example.com"


@pytest.fixture
def coze() -> CozeStandIn:
    return CozeStandIn()


@pytest.fixture
def config(coze: CozeStandIn) -> Iterator[dict[str, str]]:
    """The operator's coze_oauth_config.json, for an app that the stand-in knows."""
    with serve(coze) as server:
        config, public_key = demo_config(server.url)
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
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def environment(
    aws: None, config: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """What the stack would have made, and the variables that name it."""
    secrets, table = boto3.client("secretsmanager"), f"tokens-{uuid.uuid4().hex}"
    boto3.client("dynamodb").create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    variables = {
        "COZE_SECRET_ID": secrets.create_secret(Name="coze", SecretString=json.dumps(config))[
            "ARN"
        ],
        "CACHE_KEY_SECRET_ID": secrets.create_secret(
            Name="cache", SecretString=json.dumps({"1": "k" * 64})
        )["ARN"],
        "TOKEN_TABLE": table,
        "GUEST_SESSIONS": "on",
        "ALLOWED_ORIGINS": ORIGIN,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


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
    """Calls a handler as API Gateway would, with the authorizer's block where one is given."""

    def __init__(self, handler: Callable[[dict[str, Any], object], dict[str, Any]]) -> None:
        self._handler = handler

    def __call__(
        self,
        route: str,
        body: object = None,
        *,
        authorizer: dict[str, Any] | None = None,
        origin: str | None = None,
        raw: str | None = None,
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route,
            "headers": {"origin": origin} if origin else {},
            "requestContext": {"requestId": "req-1", "routeKey": route},
            "isBase64Encoded": False,
        }
        if authorizer is not None:
            event["requestContext"]["authorizer"] = authorizer
        if raw is not None or body is not None:
            event["body"] = raw if raw is not None else json.dumps(body)
        response = self._handler(event, Context())
        parsed = json.loads(response["body"]) if "body" in response else {}
        return response["statusCode"], parsed, response["headers"]


IAM = {"iam": {"userArn": "arn:aws:iam::123456789012:user/backend", "accountId": "123456789012"}}


def signed_in(claim: object, *, name: str = "sub") -> dict[str, Any]:
    return {"jwt": {"claims": {name: claim}, "scopes": None}}


@pytest.fixture
def call(load: Callable[[str], ModuleType]) -> Caller:
    """Calls TokenFunction, which starts at the first call."""
    start = cache(load)
    return Caller(lambda event, context: start("token").lambda_handler(event, context))
