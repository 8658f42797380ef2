"""What a function returns, made into an HTTP response by the rules of payload format 2.0."""

import base64
import binascii
import json
from typing import Any

from werkzeug import Response

from tests.local.gateway.errors import INTERNAL_SERVER_ERROR, GatewayRefusal


def response(returned: Any) -> Response:
    """The response for what the function returned; raises GatewayRefusal where it is unusable."""
    if not isinstance(returned, dict) or "statusCode" not in returned:
        return Response(json.dumps(returned), status=200, mimetype="application/json")
    answer = Response(_body(returned), status=_status(returned))
    answer.headers.clear()
    answer.headers["content-type"] = "text/plain;charset=UTF-8"
    for name, value in (returned.get("headers") or {}).items():
        answer.headers[name.lower()] = _text(value)
    for cookie in returned.get("cookies") or []:
        answer.headers.add("set-cookie", cookie)
    return answer


def _status(returned: dict[str, Any]) -> int:
    try:
        status = int(returned["statusCode"])
    except (TypeError, ValueError):
        raise _unusable() from None
    if not 100 <= status <= 599:
        raise _unusable()
    return status


def _body(returned: dict[str, Any]) -> bytes:
    body = returned.get("body") or ""
    if not isinstance(body, str):
        raise _unusable()
    if not returned.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise _unusable() from None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _unusable() -> GatewayRefusal:
    return GatewayRefusal(
        INTERNAL_SERVER_ERROR, why="the function's answer is not of payload format 2.0"
    )
