"""POST /backend/assertion: an assertion that Coze accepts, once."""

from collections.abc import Callable
from functools import cache
from types import ModuleType

import pytest
import requests

from tests.functions.conftest import IAM, Caller, signed_in
from tests.local.coze import CozeStandIn

GRANT = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "duration_seconds": 900}


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


def test_it_names_the_same_session_as_the_token_route(
    sign: Caller, call: Caller, coze: CozeStandIn
) -> None:
    call("POST /token", authorizer=signed_in("u-42"))
    _, body, _ = sign("POST /backend/assertion", {"session_name": "u-42"}, authorizer=IAM)
    bearer = {"Authorization": f"Bearer {body['assertion']}"}
    requests.post(body["token_endpoint"], json=GRANT, headers=bearer, timeout=5)
    assert len({exchange.session_name for exchange in coze.exchanges}) == 1


@pytest.mark.parametrize("authorizer", [None, signed_in("alice")])
def test_only_iam_opens_it(sign: Caller, authorizer: dict[str, object] | None) -> None:
    status, body, _ = sign(
        "POST /backend/assertion", {"session_name": "u-42"}, authorizer=authorizer
    )
    assert (status, body["error"]) == (401, "invalid_token")


def test_it_takes_no_rejected_token(sign: Caller) -> None:
    body = {"session_name": "u-42", "rejected_token": "0" * 64}
    assert sign("POST /backend/assertion", body, authorizer=IAM)[0] == 400


def test_the_assertion_is_never_logged(sign: Caller, capsys: pytest.CaptureFixture[str]) -> None:
    _, body, _ = sign("POST /backend/assertion", {"session_name": "u-42"}, authorizer=IAM)
    assert body["assertion"] not in capsys.readouterr().out
