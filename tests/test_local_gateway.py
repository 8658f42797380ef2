"""The local gateway builds events, answers and CORS headers as API Gateway does."""

import base64
import json
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
from werkzeug.test import Client

from tests.local import template
from tests.local.gateway import Gateway
from tests.local.server import serve

NOW = 1_795_000_000.25
ORIGIN = "https://www.example.com"
CORS_HEADERS = ("access-control-allow-origin", "access-control-expose-headers", "vary")


class Echo:
    """A function that keeps its events and answers what it is told to."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = {"statusCode": 200} if answer is None else answer
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, function: str, event: dict[str, Any]) -> Any:
        self.calls.append((function, event))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @property
    def event(self) -> dict[str, Any]:
        return self.calls[-1][1]


def app(echo: Echo, parameters: Mapping[str, str] | None = None) -> Gateway:
    resources = template.expand(parameters or {"AllowedOrigins": ORIGIN})
    return Gateway(
        resources=resources, invoke=echo, users=[], region="us-east-1", clock=lambda: NOW
    )


def gateway(echo: Echo, parameters: Mapping[str, str] | None = None) -> Client:
    return Client(app(echo, parameters), use_cookies=False)


def test_an_event_has_the_shape_of_payload_format_2() -> None:
    echo = Echo()
    gateway(echo).post(
        "/guest/token?a=1&b=x%20y&a=2",
        base_url="http://127.0.0.1:3000",
        headers={"Content-Type": "application/json", "User-Agent": "curl/8", "X-Mixed": "V"},
        data='{"guest_ticket": "é"}'.encode(),
        environ_overrides={"REMOTE_ADDR": "10.1.2.3"},
    )
    function, event = echo.calls[0]
    assert function == "TokenFunction"
    context = event.pop("requestContext")
    headers = event.pop("headers")
    assert event == {
        "version": "2.0",
        "routeKey": "POST /guest/token",
        "rawPath": "/guest/token",
        "rawQueryString": "a=1&b=x%20y&a=2",
        "queryStringParameters": {"a": "1,2", "b": "x y"},
        "body": '{"guest_ticket": "é"}',
        "isBase64Encoded": False,
    }
    assert headers.pop("x-amzn-trace-id").startswith("Root=1-")
    assert headers == {
        "host": "127.0.0.1:3000",
        "content-type": "application/json",
        "content-length": "22",
        "user-agent": "curl/8",
        "x-mixed": "V",
        "x-forwarded-for": "10.1.2.3",
        "x-forwarded-port": "3000",
        "x-forwarded-proto": "http",
    }
    assert context.pop("requestId")
    assert context == {
        "accountId": "123456789012",
        "apiId": "localapi01",
        "domainName": "127.0.0.1:3000",
        "domainPrefix": "127",
        "http": {
            "method": "POST",
            "path": "/guest/token",
            "protocol": "HTTP/1.1",
            "sourceIp": "10.1.2.3",
            "userAgent": "curl/8",
        },
        "routeKey": "POST /guest/token",
        "stage": "$default",
        "time": "18/Nov/2026:11:06:40 +0000",
        "timeEpoch": 1_795_000_000_250,
    }


def test_what_a_request_does_not_have_is_not_in_its_event() -> None:
    echo = Echo()
    gateway(echo).get("/health")
    assert not echo.event.keys() & {"body", "cookies", "queryStringParameters", "pathParameters"}
    assert "authorizer" not in echo.event["requestContext"]


def test_the_answer_carries_the_request_id_of_the_event() -> None:
    echo = Echo()
    answer = gateway(echo).get("/health")
    assert answer.headers["apigw-requestid"] == echo.event["requestContext"]["requestId"]


def test_cookies_leave_the_headers() -> None:
    echo = Echo()
    gateway(echo).get("/health", headers={"Cookie": "a=1; b=2"})
    assert echo.event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in echo.event["headers"]


def test_headers_of_one_name_are_joined_by_commas() -> None:
    echo = Echo()
    with serve(app(echo)) as server, closing(HTTPConnection("127.0.0.1", server.port)) as wire:
        wire.putrequest("GET", "/health")
        wire.putheader("X-Many", "1")
        wire.putheader("x-many", "2")
        wire.endheaders()
        assert wire.getresponse().status == 200
    assert echo.event["headers"]["x-many"] == "1,2"


def test_a_forwarded_address_is_kept_before_the_callers() -> None:
    echo = Echo()
    gateway(echo).get(
        "/health",
        headers={"X-Forwarded-For": "203.0.113.9"},
        environ_overrides={"REMOTE_ADDR": "10.1.2.3"},
    )
    assert echo.event["headers"]["x-forwarded-for"] == "203.0.113.9, 10.1.2.3"


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "application/octet-stream", "application/cbor", None],
)
def test_a_body_that_is_no_text_comes_in_base64(content_type: str | None) -> None:
    echo = Echo()
    headers = {"Content-Type": content_type} if content_type else {}
    gateway(echo).post("/guest/token", data=b"{}", headers=headers)
    assert echo.event["isBase64Encoded"] is True
    assert base64.b64decode(echo.event["body"]) == b"{}"


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "text/plain", "application/xml"]
)
def test_a_body_of_text_comes_as_it_is(content_type: str) -> None:
    echo = Echo()
    gateway(echo).post("/guest/token", data=b"{}", headers={"Content-Type": content_type})
    assert (echo.event["body"], echo.event["isBase64Encoded"]) == ("{}", False)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/token"), ("POST", "/health"), ("POST", "/guest/token/"), ("GET", "/")],
)
def test_an_unknown_route_is_not_found(method: str, path: str) -> None:
    echo = Echo()
    answer = gateway(echo).open(path, method=method)
    assert (answer.status_code, answer.json) == (404, {"message": "Not Found"})
    assert not echo.calls


def test_without_an_issuer_there_is_no_token_route() -> None:
    assert gateway(Echo()).post("/token").status_code == 404


def test_every_route_of_the_template_is_served() -> None:
    resources = template.expand({"OidcIssuer": "https://issuer.test", "OidcAudience": "site"})
    declared = {
        r["Properties"]["RouteKey"]: r["Properties"]["AuthorizationType"]
        for r in resources.values()
        if r["Type"] == "AWS::ApiGatewayV2::Route"
    }
    served = Gateway(resources=resources, invoke=Echo(), users=[], region="us-east-1").routes
    assert {key: route.authorization for key, route in served.items()} == declared
    assert served["POST /backend/assertion"].function == "AssertionFunction"


def test_a_body_of_more_than_ten_megabytes_is_too_large() -> None:
    echo = Echo()
    answer = gateway(echo).post("/guest/token", data=b"x" * (10 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json) == (413, {"message": "Request Entity Too Large"})
    assert not echo.calls


def test_an_answer_is_passed_on() -> None:
    answer = gateway(
        Echo(
            {
                "statusCode": 201,
                "headers": {"Content-Type": "application/json", "X-Number": 7, "X-Yes": True},
                "cookies": ["a=1; Secure", "b=2"],
                "body": '{"é": 1}',
            }
        )
    ).get("/health")
    assert (answer.status_code, answer.json) == (201, {"é": 1})
    assert (answer.headers["X-Number"], answer.headers["X-Yes"]) == ("7", "true")
    assert answer.headers.getlist("Set-Cookie") == ["a=1; Secure", "b=2"]


def test_a_binary_answer_is_decoded() -> None:
    body = base64.b64encode(b"\x00\xff").decode()
    answer = gateway(Echo({"statusCode": 200, "body": body, "isBase64Encoded": True})).get(
        "/health"
    )
    assert answer.data == b"\x00\xff"


def test_an_answer_without_a_status_is_the_json_body() -> None:
    answer = gateway(Echo({"status": "ok"})).get("/health")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "returned",
    [
        ValueError("boom"),
        {"statusCode": "teapot"},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "body": "%", "isBase64Encoded": True},
    ],
)
def test_a_function_that_fails_is_an_internal_server_error(
    returned: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = gateway(Echo(returned)).get("/health")
    assert (answer.status_code, answer.json) == (500, {"message": "Internal Server Error"})
    assert ("boom" in capsys.readouterr().err) == isinstance(returned, Exception)


def preflight(client: Client, origin: str, path: str = "/guest/token") -> Any:
    return client.options(path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})


@pytest.mark.parametrize("path", ["/guest/token", "/nowhere"])
def test_the_gateway_answers_a_preflight_itself(path: str) -> None:
    echo = Echo()
    answer = preflight(gateway(echo), ORIGIN, path)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-methods"] == "POST,DELETE"
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
    assert answer.headers["access-control-max-age"] == "3600"
    assert not echo.calls


def test_a_foreign_origin_gets_no_cors_header() -> None:
    client = gateway(Echo())
    answers = [
        preflight(client, "https://elsewhere.example"),
        client.post("/guest/token", headers={"Origin": "https://elsewhere.example"}),
    ]
    assert [answer.status_code for answer in answers] == [204, 200]
    for answer in answers:
        assert not [name for name, _ in answer.headers if name.startswith("access-control")]


def test_the_functions_own_cors_headers_are_dropped() -> None:
    echo = Echo({"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}})
    client = gateway(echo)
    assert "access-control-allow-origin" not in client.get("/health").headers
    answer = client.post("/guest/token", headers={"Origin": ORIGIN})
    assert [answer.headers[name] for name in CORS_HEADERS] == [ORIGIN, "retry-after", "Origin"]


def test_a_refusal_of_the_gateway_can_be_read_by_a_page() -> None:
    answer = gateway(Echo()).post("/backend/token", headers={"Origin": ORIGIN})
    assert answer.status_code == 403
    assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_options_without_a_preflight_is_a_route_like_others() -> None:
    assert gateway(Echo()).options("/guest/token").status_code == 404


def test_without_allowed_origins_the_gateway_says_nothing_of_cors() -> None:
    echo = Echo({"statusCode": 200, "headers": {"access-control-allow-origin": "*"}})
    client = gateway(echo, {"GuestSessions": "on"})
    assert preflight(client, ORIGIN).status_code == 404
    answer = client.post("/guest/token", headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == "*"


def test_events_are_json() -> None:
    echo = Echo()
    gateway(echo).get("/health?x=%ff", headers={"X-Odd": "\xe9"})
    assert json.loads(json.dumps(echo.event)) == echo.event
