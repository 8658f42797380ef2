"""A request as API Gateway hands it to a function: payload format 2.0 of an HTTP API.

docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import secrets
import time
from collections.abc import Mapping
from typing import Any

from werkzeug import Request

ACCOUNT_ID = "123456789012"
API_ID = "localapi01"
# Seen on the real service; everything else, forms and a missing Content-Type too, is binary.
TEXT_TYPES = frozenset({"application/json", "application/javascript", "application/xml"})


def build(
    request: Request,
    *,
    body: bytes,
    route_key: str,
    authorizer: Mapping[str, Any] | None,
    request_id: str,
    now: float,
) -> dict[str, Any]:
    """The event for one request; ``now`` in UNIX seconds. Absent parts are left out, as there."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": request.path,
        "rawQueryString": request.query_string.decode("latin-1"),
        "headers": _headers(request),
        "requestContext": _context(request, route_key=route_key, now=now)
        | {"requestId": request_id}
        | ({"authorizer": dict(authorizer)} if authorizer else {}),
        "isBase64Encoded": False,
    }
    cookies = request.headers.get("Cookie")
    if cookies:
        event["cookies"] = [part.strip() for part in cookies.split(";")]
    if request.args:
        event["queryStringParameters"] = {
            name: ",".join(values) for name, values in request.args.lists()
        }
    if body:
        event.update(_body(request, body))
    return event


def new_request_id() -> str:
    """An ID in the shape of those of HTTP APIs."""
    return base64.urlsafe_b64encode(secrets.token_bytes(11)).decode()


def _headers(request: Request) -> dict[str, str]:
    """Names in lower case, values of one name joined by commas, cookies elsewhere."""
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key = name.lower()
        if key != "cookie":
            headers[key] = f"{headers[key]},{value}" if key in headers else value
    source_ip = request.remote_addr or ""
    before = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{before}, {source_ip}" if before else source_ip
    headers["x-forwarded-port"] = request.environ["SERVER_PORT"]
    headers["x-forwarded-proto"] = request.scheme
    headers.setdefault("x-amzn-trace-id", f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}")
    return headers


def _context(request: Request, *, route_key: str, now: float) -> dict[str, Any]:
    return {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": request.host,
        "domainPrefix": request.host.split(".")[0],
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.environ["SERVER_PROTOCOL"],
            "sourceIp": request.remote_addr or "",
            "userAgent": request.headers.get("User-Agent", ""),
        },
        "routeKey": route_key,
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "timeEpoch": int(now * 1000),
    }


def _body(request: Request, body: bytes) -> dict[str, Any]:
    if request.mimetype.startswith("text/") or request.mimetype in TEXT_TYPES:
        # What is not UTF-8 reaches a function with replacement characters.
        return {"body": body.decode("utf-8", "replace"), "isBase64Encoded": False}
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
