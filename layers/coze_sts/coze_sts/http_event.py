"""Events of an HTTP API, payload format 2.0: event in, response out."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from coze_sts.errors import InvalidRequest, InvalidToken, NotFound, StsError
from coze_sts.telemetry import Telemetry

MAX_BODY_BYTES = 4096
_ENCODER = json.JSONEncoder(separators=(",", ":"))

Response = dict[str, Any]


class LambdaContext(Protocol):
    """What is used of Lambda's second argument."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda stops the function."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a route needs of an event.

    `origin` is the header, or None; `seconds_left` says what Lambda still gives it.
    """

    request_id: str
    seconds_left: Callable[[], float] = field(repr=False)
    origin: str | None
    context: Mapping[str, Any] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def source_ip(self) -> str:
        """The address that the request came from, as API Gateway saw it."""
        http = self.context.get("http")
        return str(http.get("sourceIp", "")) if isinstance(http, Mapping) else ""

    def fields(
        self, *, required: frozenset[str] = frozenset(), optional: frozenset[str] = frozenset()
    ) -> dict[str, str]:
        """The body as an object of strings with just these fields; raises InvalidRequest.

        No body at all counts as an empty object.
        """
        body = _json_object(self.body) if self.body.strip() else {}
        known = required | optional
        if body.keys() - known:
            takes = ", ".join(sorted(known)) or "no fields"
            raise InvalidRequest(f"The body has a field that is not known here; it takes: {takes}.")
        if missing := required - body.keys():
            raise InvalidRequest(f"The body lacks {', '.join(sorted(missing))}.")
        for name, value in body.items():
            if not isinstance(value, str):
                raise InvalidRequest(f"{name} must be a string.")
        return body


Route = Callable[[Request], tuple[int, dict[str, Any] | None]]


def dispatch(
    event: Mapping[str, Any],
    lambda_context: LambdaContext,
    *,
    routes: Mapping[str, Route],
    telemetry: Telemetry,
) -> Response:
    """Answers an event by its route key; every failure becomes an error body, none escapes."""
    context = event.get("requestContext") or {}
    request_id = str(context.get("requestId", ""))
    route_key = str(event.get("routeKey", ""))
    telemetry.begin(route=route_key if route_key in routes else "unknown", request_id=request_id)
    try:
        request = Request(
            request_id=request_id,
            seconds_left=lambda: lambda_context.get_remaining_time_in_millis() / 1000,
            origin=_header(event, "origin"),
            context=context,
            body=_body(event),
        )
        status, body = routes.get(route_key, _no_route)(request)
    except StsError as error:
        telemetry.refused(error)
        return _error(error, request_id=request_id, for_operator=route_key.endswith(_OWN_SERVERS))
    except Exception as error:  # noqa: BLE001 - the last resort: a stranger sees no traceback
        telemetry.crashed(error)
        return _error(StsError("Something went wrong here."), request_id=request_id)
    telemetry.answered(status)
    return _response(status, body)


def _no_route(_request: Request) -> NoReturn:
    raise NotFound("There is no such route.")


_OWN_SERVERS = ("/backend/token", "/backend/assertion")


def _header(event: Mapping[str, Any], name: str) -> str | None:
    """A header by its name in lower case: API Gateway writes it so, `sam local` does not.

    One that is there twice is joined as API Gateway joins it, so that neither goes unseen.
    """
    headers: Mapping[str, str] = event.get("headers") or {}
    values = [value for key, value in headers.items() if key.lower() == name]
    return ",".join(values) if values else None


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else None
    except (binascii.Error, ValueError):
        raise InvalidRequest("The body is not readable.") from None
    body = text.encode(errors="surrogatepass") if body is None else body
    if len(body) > MAX_BODY_BYTES:
        raise InvalidRequest(f"The body is longer than {MAX_BODY_BYTES} bytes.")
    return body


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise InvalidRequest("The body must be JSON in UTF-8, each field once.") from None
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _error(error: StsError, *, request_id: str, for_operator: bool = False) -> Response:
    """An error body; the site's own servers also read what the operator must do."""
    description = error.description
    if for_operator and error.operator:
        description = error.operator
    headers = {} if error.retry_after is None else {"retry-after": str(error.retry_after)}
    if isinstance(error, InvalidToken):
        headers["www-authenticate"] = "Bearer"
    body = {"error": error.code, "error_description": description, "request_id": request_id}
    return _response(error.status, body, headers)


def _response(
    status: int, body: dict[str, Any] | None, headers: Mapping[str, str] | None = None
) -> Response:
    response: Response = {
        "statusCode": status,
        # RFC 6749 section 5.1 asks for both.
        "headers": {"cache-control": "no-store", "pragma": "no-cache", **(headers or {})},
    }
    if body is not None:
        response["headers"]["content-type"] = "application/json"
        response["body"] = _ENCODER.encode(body)
    return response
