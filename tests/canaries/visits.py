"""Requests as API Gateway hands them over, with something planted in every part of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from tests.canaries import planted
from tests.canaries.planted import CLAIM, EMAIL, FULL_NAME, IAM, ISSUERS, ORIGIN, PREFIXES, SUB


def claims_of(sub: object, *, issuer: str = ISSUERS[0], **more: object) -> dict[str, object]:
    claims = {"sub": sub, "iss": issuer, "email": EMAIL, "name": FULL_NAME, "custom": CLAIM}
    return claims | {"aud": "web", **more}


SIGN_IN_TOKEN = jwt.encode(claims_of(SUB), planted.SIGNATURE, algorithm="HS256")


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A request. `session` is whose token it should bring, None where a test cannot say."""

    route: str
    body: object = None
    raw: str | None = None
    base64: bool = False
    authorizer: Mapping[str, Any] | None = None
    origin: str | None = None
    address: str = planted.ADDRESSES[0]
    function: str = "token"
    session: str | None = None


def signed_in(sub: object = SUB, *, issuer: str = ISSUERS[0], **more: object) -> dict[str, Any]:
    return {"jwt": {"claims": claims_of(sub, issuer=issuer, **more), "scopes": None}}


def user(
    sub: str = SUB, *, number: int = 1, method: str = "POST", body: Mapping[str, str] | None = None
) -> Visit:
    """Somebody whom the issuer of that number signed in."""
    suffix = "" if number == 1 else f"/{number}"
    return Visit(
        route=f"{method} /token{suffix}",
        body=body,
        authorizer=signed_in(sub, issuer=ISSUERS[number - 1]),
        origin=ORIGIN,
        session=PREFIXES[number - 1] + sub,
    )


def guest(ticket: str | None = None, **body: str) -> Visit:
    """A new guest with a Turnstile token in `body`, or one who has a ticket."""
    named = body | ({"guest_ticket": ticket} if ticket else {})
    return Visit(route="POST /guest/token", body=named, origin=ORIGIN)


def phone(code: str) -> Visit:
    """A user of the mini-program."""
    return Visit(
        route="POST /wechat/token", body={"code": code}, session=f"wechat_{planted.OPENID}"
    )


def server(route: str = "POST /backend/token", **more: str) -> Visit:
    """One of the site's own servers."""
    return Visit(
        route=route,
        body={"session_name": planted.SESSION_NAME, "device_id": planted.DEVICE_ID} | more,
        authorizer={"iam": IAM},
        function="assertion" if route.endswith("/assertion") else "token",
        session=planted.SESSION_NAME,
    )


def event_of(visit: Visit) -> dict[str, Any]:
    """Format 2.0, as API Gateway documents it."""
    method, path = visit.route.split(" ")
    headers = planted.HEADERS | {"authorization": _authorization(visit)}
    context: dict[str, Any] = {
        "accountId": "123456789012",
        "apiId": "abc123",
        "http": {
            "method": method,
            "path": f"{path}/{planted.PATH}",
            "sourceIp": visit.address,
            "userAgent": planted.USER_AGENT,
        },
        "requestId": "req-1",
        "routeKey": visit.route,
    }
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": visit.route,
        "rawPath": f"{path}/{planted.PATH}",
        "rawQueryString": f"q={planted.QUERY}",
        "queryStringParameters": {"q": planted.QUERY},
        "cookies": [planted.HEADERS["cookie"]],
        "headers": headers | ({"origin": visit.origin} if visit.origin else {}),
        "requestContext": context,
        "isBase64Encoded": visit.base64,
    }
    if visit.authorizer is not None:
        context["authorizer"] = visit.authorizer
    if visit.raw is not None or visit.body is not None:
        event["body"] = json.dumps(visit.body) if visit.raw is None else visit.raw
    return event


def _authorization(visit: Visit) -> str:
    """The proof that API Gateway checked; it is none of the function's business."""
    if visit.authorizer and "iam" in visit.authorizer:
        return f"AWS4-HMAC-SHA256 Credential={IAM['accessKey']}, Signature={planted.SIGNATURE}"
    return f"Bearer {SIGN_IN_TOKEN}"
