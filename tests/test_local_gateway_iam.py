"""The IAM routes take a valid Signature Version 4, and nothing else."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug.test import Client, TestResponse

from tests.local import template
from tests.local.gateway import Gateway, IamUser

URL = "http://127.0.0.1:3000/backend/token"
BODY = b'{"session_name": "u-42"}'
USER = IamUser(name="backend", access_key="AKIALOCAL", secret_key="very secret")


class Recorder:
    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def __call__(self, _function: str, event: dict[str, Any]) -> Any:
        self.events.append(event)
        return {"statusCode": 200}


def signed_headers(
    *,
    url: str = URL,
    method: str = "POST",
    body: bytes = BODY,
    key: str = USER.access_key,
    secret: str = USER.secret_key,
    region: str = "us-east-1",
    service: str = "execute-api",
) -> dict[str, str]:
    request = AWSRequest(
        method=method, url=url, data=body, headers={"Content-Type": "application/json"}
    )
    SigV4Auth(Credentials(key, secret), service, region).add_auth(request)
    return dict(request.headers.items())


def send(
    headers: dict[str, str],
    *,
    url: str = URL,
    method: str = "POST",
    body: bytes = BODY,
    minutes_later: float = 0,
    told: list[str] | None = None,
) -> tuple[TestResponse, list[dict[str, Any]]]:
    recorder = Recorder()
    now = datetime.datetime.now(datetime.UTC).timestamp() + minutes_later * 60
    gateway = Gateway(
        resources=template.expand(),
        invoke=recorder,
        users=[USER],
        region="us-east-1",
        clock=lambda: now,
        tell=(told if told is not None else []).append,
    )
    base, _, path = url.partition("/backend")
    answer = Client(gateway).open(
        f"/backend{path}",
        base_url=base,
        method=method,
        headers=headers,
        data=body,
        environ_overrides={"RAW_URI": f"/backend{path}"},
    )
    return answer, recorder.events


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("url", [URL, f"{URL}?b=2&a=%20x%2F&b=1&empty="])
def test_a_signed_request_passes_with_its_signer_in_the_event(method: str, url: str) -> None:
    answer, events = send(signed_headers(method=method, url=url), method=method, url=url)
    assert answer.status_code == 200
    iam = events[0]["requestContext"]["authorizer"]["iam"]
    assert iam["accessKey"] == USER.access_key
    assert iam["accountId"] == "123456789012"
    assert iam["userArn"] == "arn:aws:iam::123456789012:user/backend"
    assert iam["userId"] == iam["callerId"]
    assert iam.keys() == {
        "accessKey",
        "accountId",
        "callerId",
        "cognitoIdentity",
        "principalOrgId",
        "userArn",
        "userId",
    }


def changed(name: str, value: str | None) -> dict[str, str]:
    headers = signed_headers()
    del headers[name]
    return headers if value is None else {**headers, name: value}


DIFFERS = "the signature does not match"
REFUSED: dict[str, tuple[Callable[[], dict[str, str]], str]] = {
    "no signature": (lambda: {"Content-Type": "application/json"}, "no Signature"),
    "a bearer token": (lambda: {"Authorization": "Bearer x"}, "no Signature"),
    "another secret": (lambda: signed_headers(secret="guessed"), DIFFERS),
    "an unknown key": (lambda: signed_headers(key="AKIAOTHER"), "access key is unknown"),
    "another region": (lambda: signed_headers(region="eu-west-1"), "credential scope"),
    "another service": (lambda: signed_headers(service="lambda"), "credential scope"),
    "another method": (lambda: signed_headers(method="DELETE"), DIFFERS),
    "another path": (
        lambda: signed_headers(url="http://127.0.0.1:3000/backend/assertion"),
        DIFFERS,
    ),
    "another query": (lambda: signed_headers(url=f"{URL}?a=1"), DIFFERS),
    "another host": (lambda: signed_headers(url="http://elsewhere.test/backend/token"), DIFFERS),
    "another body": (lambda: signed_headers(body=b'{"session_name": "u-43"}'), DIFFERS),
    "a signed header changed": (lambda: changed("Content-Type", "text/plain"), DIFFERS),
    "a signed header taken out": (lambda: changed("Content-Type", None), "not sent"),
    "no date": (lambda: changed("X-Amz-Date", None), "X-Amz-Date is missing"),
    "another date": (lambda: changed("X-Amz-Date", "20200101T000000Z"), "another time"),
    "a date that is none": (lambda: changed("X-Amz-Date", "yesterday"), "malformed"),
    "a hash that is not the body's": (
        lambda: {**signed_headers(), "X-Amz-Content-Sha256": "0" * 64},
        "not the hash",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_forbidden(name: str) -> None:
    headers, why = REFUSED[name]
    told: list[str] = []
    answer, events = send(headers(), told=told)
    assert (answer.status_code, answer.json) == (403, {"message": "Forbidden"})
    assert not events
    assert why in told[0]


@pytest.mark.parametrize("minutes", [-5.1, 5.1])
def test_a_signature_of_another_time_is_forbidden(minutes: float) -> None:
    answer, _ = send(signed_headers(), minutes_later=minutes)
    assert answer.status_code == 403


@pytest.mark.parametrize("minutes", [-4.5, 4.5])
def test_clocks_may_differ_by_minutes(minutes: float) -> None:
    answer, _ = send(signed_headers(), minutes_later=minutes)
    assert answer.status_code == 200


class Forgetful(SigV4Auth):
    """Signs, but not the host: the request would be good anywhere."""

    def headers_to_sign(self, request: AWSRequest) -> Any:
        headers = super().headers_to_sign(request)
        del headers["host"]
        return headers


def test_host_must_be_among_the_signed_headers() -> None:
    request = AWSRequest(method="POST", url=URL, data=BODY)
    Forgetful(Credentials(USER.access_key, USER.secret_key), "execute-api", "us-east-1").add_auth(
        request
    )
    told: list[str] = []
    assert send(dict(request.headers.items()), told=told)[0].status_code == 403
    assert "host" in told[0]
