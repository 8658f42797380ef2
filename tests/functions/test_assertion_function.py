"""POST /backend/assertion: an assertion that Coze accepts, once."""

import json
import time
from collections.abc import Callable
from functools import cache, partial
from types import ModuleType
from unittest import mock

import boto3
import pytest
import requests
from coze_sts.errors import UnusableKey
from coze_sts.stored_secret import RETRY_SECONDS

from tests.functions.conftest import IAM, Caller, signed_in
from tests.kms import SIGNERS
from tests.local.coze import CozeStandIn

GRANT = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "duration_seconds": 900}


@pytest.fixture(params=SIGNERS)
def signs(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def sign(load: Callable[[str], ModuleType]) -> Caller:
    start = cache(load)
    return Caller(lambda event, context: start("assertion").lambda_handler(event, context))


def test_the_assertion_is_exchanged_at_its_endpoint_once(sign: Caller, coze: CozeStandIn) -> None:
    status, body, headers = sign(
        "POST /backend/assertion", {"session_name": "u-42", "device_id": "d-1"}, authorizer=IAM
    )
    assert status == 200
    assert set(body) == {"assertion", "token_endpoint", "expires_in"}
    assert headers["cache-control"] == "no-store"
    bearer = {"Authorization": f"Bearer {body['assertion']}"}
    answers = [
        requests.post(body["token_endpoint"], json=GRANT, headers=bearer, timeout=5)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert coze.exchanges[0].session_name == "u-42"
    assert coze.exchanges[0].session_context == {"device_info": {"device_id": "d-1"}}


@pytest.mark.parametrize("signs", ["its own key"], indirect=True)
def test_a_key_that_cannot_sign_is_told_at_once_and_asked_for_anew_after_seconds(
    environment: dict[str, str],
    config: dict[str, str],
    load: Callable[[str], ModuleType],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Even the first that a process reads: it signs at each request."""

    def store(key: str) -> None:
        boto3.client("secretsmanager").put_secret_value(
            SecretId=environment["COZE_SECRET_ID"],
            SecretString=json.dumps(config | {"private_key": key}),
        )

    store("no key")
    app = load("assertion")
    ask = partial(
        Caller(app.lambda_handler),
        "POST /backend/assertion",
        {"session_name": "u"},
        authorizer=IAM,
    )
    assert ask()[0] == 500
    assert '"SecretFailed":[1.0]' in capsys.readouterr().out.replace(" ", "")
    store(config["private_key"])
    app.APP._clock = lambda: time.time() + RETRY_SECONDS
    assert ask()[0] == 200


@pytest.mark.parametrize("naming", ["plain", "pseudonymous"])
def test_it_names_the_same_session_as_the_token_route(
    sign: Caller, call: Caller, coze: CozeStandIn, monkeypatch: pytest.MonkeyPatch, naming: str
) -> None:
    monkeypatch.setenv("SESSION_NAMING", naming)
    monkeypatch.setenv("SESSION_NAMESPACE", "member")
    call("POST /token", authorizer=signed_in("u-42"))
    _, body, _ = sign("POST /backend/assertion", {"session_name": "u-42"}, authorizer=IAM)
    bearer = {"Authorization": f"Bearer {body['assertion']}"}
    requests.post(body["token_endpoint"], json=GRANT, headers=bearer, timeout=5)
    (name,) = {exchange.session_name for exchange in coze.exchanges}
    assert name == "u-42" if naming == "plain" else str(name).startswith("member_")


@pytest.mark.parametrize("authorizer", [None, signed_in("alice")])
def test_only_iam_opens_it(sign: Caller, authorizer: dict[str, object] | None) -> None:
    status, body, _ = sign(
        "POST /backend/assertion", {"session_name": "u-42"}, authorizer=authorizer
    )
    assert (status, body["error"]) == (401, "invalid_token")


@pytest.mark.parametrize("name", ["guest_a", "GUEST_a", "guest_" + "a" * 26])
def test_it_signs_for_no_guest(sign: Caller, name: str) -> None:
    status, body, _ = sign("POST /backend/assertion", {"session_name": name}, authorizer=IAM)
    assert (status, body["error"]) == (400, "invalid_request")


def test_it_asks_for_the_binding_and_for_nothing_else(
    load: Callable[[str], ModuleType], coze: CozeStandIn
) -> None:
    """Its role allows no more; a guest's session is found in tests of the carry-over."""
    app = load("assertion")
    asked: list[str] = []
    app.SESSIONS.client.meta.events.register(
        "before-call.dynamodb", lambda model, **_: asked.append(model.name)
    )
    Caller(app.lambda_handler)("POST /backend/assertion", {"session_name": "u"}, authorizer=IAM)
    assert asked == ["GetItem"]
    assert not coze.requests_seen


def test_it_takes_no_rejected_token(sign: Caller) -> None:
    body = {"session_name": "u-42", "rejected_token": "0" * 64}
    assert sign("POST /backend/assertion", body, authorizer=IAM)[0] == 400


def test_the_assertion_is_never_logged(sign: Caller, capsys: pytest.CaptureFixture[str]) -> None:
    _, body, _ = sign("POST /backend/assertion", {"session_name": "u-42"}, authorizer=IAM)
    assert body["assertion"] not in capsys.readouterr().out


def test_a_key_that_cannot_sign_is_no_assertion_and_is_not_counted_as_one(
    load: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    app, error = load("assertion"), UnusableKey("KMS does not sign.")
    with mock.patch.object(type(app.APP.get().signer), "sign", side_effect=error):
        status, body, _ = Caller(app.lambda_handler)(
            "POST /backend/assertion", {"session_name": "u-42"}, authorizer=IAM
        )
    assert (status, body["error_description"]) == (500, "KMS does not sign.")
    assert '"Signed"' not in capsys.readouterr().out


def test_a_client_of_kms_is_made_only_where_kms_signs(
    load: Callable[[str], ModuleType], signs: str
) -> None:
    app = load("assertion")
    Caller(app.lambda_handler)("POST /backend/assertion", {"session_name": "u"}, authorizer=IAM)
    assert app.KMS.cache_info().currsize == (signs == "KMS")


@pytest.mark.parametrize("function", ["token", "assertion", "key_rotation"])
def test_kms_is_waited_for_no_longer_than_aws_calls_say(
    load: Callable[[str], ModuleType], function: str
) -> None:
    config = load(function).KMS().meta.config
    assert (config.connect_timeout, config.read_timeout) == (1, 1)
    assert config.retries["total_max_attempts"] == 2
