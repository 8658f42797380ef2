"""Answers that repeat what Coze, WeChat and Cloudflare were sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

from werkzeug import Response

from tests.canaries.recorder import Quote


def said(body: object, *, status: int = 400, **headers: str) -> Response:
    text = body if isinstance(body, str) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(text, status=status, headers=named, mimetype="application/json")


def message(text: str, *, code: str = "invalid_request", status: int = 400) -> Response:
    """A refusal in Coze's own shape."""
    return said({"error_code": code, "error_message": text, "error": code}, status=status)


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


def _one_by_one(write: Callable[[str], str]) -> Quote:
    return lambda sent: message(", ".join(write(name) for name in sent.names))


QUOTES: dict[str, Quote] = {
    "no JSON": lambda sent: said(f"<html>{sent.everything}</html>", status=500),
    "no JSON, as a success": lambda sent: said(sent.everything, status=200),
    "JSON of another shape": lambda sent: said([sent.everything], status=200),
    "a message with the names": _one_by_one(str),
    "a message with the names, to be tried again": lambda sent: message(
        f"bad: {sent.names}", code="internal_error", status=500
    ),
    "a message that is cut within a name": lambda sent: message(f"{'x ' * 92}{sent.names[0]}"),
    "a message with the name in capitals": _one_by_one(str.upper),
    "a message with escaped names": _one_by_one(_escaped),
    "a message with names in a URL": _one_by_one(lambda name: quote(name, safe="")),
    "a message with names in hex": _one_by_one(lambda name: name.encode().hex()),
    "a message with the claims": lambda sent: message(json.dumps(sent.claims)),
    "a message with the header": lambda sent: message(sent.authorization, code="invalid_client"),
    "a message with the payload": lambda sent: message(f"payload {sent.segments[1]}"),
    "a message with the signature": lambda sent: message(f"signature {sent.segments[2]} is bad"),
    "a message about an unknown kid": lambda sent: message(
        f"kid not registered: {sent.authorization}", code="invalid_client", status=401
    ),
    "a code with the name": lambda sent: said({"error_code": sent.names[0]}),
    "a code with the assertion": lambda sent: said({"error_code": ".".join(sent.segments)}),
    "an error that is an object": lambda sent: said({"error": {"claims": sent.claims}}),
    "an API's error": lambda sent: said({"code": 4000, "msg": sent.everything}),
    "a Retry-After": lambda sent: said({}, status=429, retry_after=quote(sent.everything)),
    "a redirect": lambda sent: said("", status=302, location=quote(sent.everything)),
}
"""Answers of Coze's that repeat what it was sent."""

THIRD_PARTY_QUOTES: dict[str, Quote] = {
    "no JSON": lambda sent: said(sent.everything, status=502),
    "no JSON, as a success": lambda sent: said(sent.everything, status=200),
    "errcode and errmsg": lambda sent: said(
        {"errcode": 40125, "errmsg": f"invalid appsecret {sent.everything}"}, status=200
    ),
    "an errcode that is a text": lambda sent: said({"errcode": sent.everything}, status=200),
    "an unknown errcode": lambda sent: said({"errcode": 47999, "errmsg": sent.everything}),
    "an openid": lambda sent: said({"openid": sent.everything}, status=200),
    "error codes": lambda sent: said(
        {"success": False, "error-codes": list(sent.parameters.values())}, status=200
    ),
    "a known error code too": lambda sent: said(
        {"error-codes": ["timeout-or-duplicate", *sent.parameters.values()]}, status=200
    ),
    "an invalid secret": lambda sent: said(
        {"error-codes": ["invalid-input-secret", *sent.parameters.values()]}, status=200
    ),
    "a redirect": lambda sent: said("", status=302, location=quote(sent.everything)),
    **{
        f"{name} as the hostname": lambda sent, name=name: said(
            {"success": True, "hostname": sent.parameters.get(name, "")}, status=200
        )
        for name in ("secret", "response", "remoteip")
    },
}
"""Answers of WeChat's and Cloudflare's that repeat what they were sent."""
