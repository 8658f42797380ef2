"""The gateway itself: route, authorize, invoke, answer."""

import json
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from werkzeug import Request, Response
from werkzeug.exceptions import RequestEntityTooLarge

from tests.local.gateway import answer, routes, sigv4
from tests.local.gateway.errors import (
    FORBIDDEN,
    HEADERS_TOO_LARGE,
    INTERNAL_SERVER_ERROR,
    NOT_FOUND,
    TOO_LARGE,
    GatewayRefusal,
)
from tests.local.gateway.event import build, new_request_id
from tests.local.gateway.routes import Resources, Route
from tests.local.gateway.sigv4 import IamUser

# docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_HEADER_BYTES = 10_240
# docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_EVENT_BYTES = 6 * 1024 * 1024

Invoke = Callable[[str, dict[str, Any]], Any]


class Gateway:
    """A WSGI app that serves the HTTP API of these resources.

    ``invoke`` calls the function of a logical ID with an event and returns its answer; ``users``
    may call the IAM routes of ``region``; ``clock`` gives UNIX seconds. ``tell`` gets a line for
    every request that the gateway itself refuses: callers are not told why.
    """

    def __init__(
        self,
        *,
        resources: Resources,
        invoke: Invoke,
        users: Iterable[IamUser],
        region: str,
        clock: Callable[[], float] = time.time,
        tell: Callable[[str], object] = lambda _line: None,
    ) -> None:
        self.routes: Mapping[str, Route] = routes.routes(resources)
        self._cors = routes.cors(resources)
        self._invoke = invoke
        self._users = {user.access_key: user for user in users}
        self._region = region
        self._clock = clock
        self._tell = tell

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI."""
        request = Request(environ)
        request.max_content_length = MAX_BODY_BYTES
        request_id = new_request_id()
        response = self._cors.preflight(request) if self._cors else None
        response = response or self._answer(request, request_id)
        response.headers["apigw-requestid"] = request_id
        return response(environ, start_response)

    def _answer(self, request: Request, request_id: str) -> Response:
        try:
            response = self._serve(request, request_id)
        except GatewayRefusal as refusal:
            self._tell(f"{refusal.refusal.status} {request.method} {request.path}: {refusal}")
            response = refusal.response()
        if self._cors:
            self._cors.apply(request, response.headers)
        return response

    def _serve(self, request: Request, request_id: str) -> Response:
        _check_headers(request)
        body = _body(request)
        # Methods differ by case, and werkzeug writes them all in capitals.
        route = self.routes.get(f"{request.environ['REQUEST_METHOD']} {request.path}")
        if route is None:
            raise GatewayRefusal(NOT_FOUND, why="there is no such route")
        now = self._clock()
        authorizer = self._authorize(request, body=body, route=route, now=now)
        event = build(
            request,
            body=body,
            route_key=route.key,
            authorizer=authorizer,
            request_id=request_id,
            now=now,
        )
        if len(json.dumps(event)) > MAX_EVENT_BYTES:
            raise GatewayRefusal(TOO_LARGE, why="the event is longer than Lambda's 6 MB")
        return answer.response(self._call(route.function, event))

    def _authorize(
        self, request: Request, *, body: bytes, route: Route, now: float
    ) -> Mapping[str, Any] | None:
        if route.authorizer:
            return route.authorizer.authorize(request.headers.get("Authorization", ""), now=now)
        if route.authorization == "AWS_IAM":
            user = sigv4.verify(request, body=body, users=self._users, region=self._region, now=now)
            return user.authorizer()
        if route.authorization == "NONE":
            return None
        raise GatewayRefusal(FORBIDDEN, why=f"{route.authorization} is not played")

    def _call(self, function: str, event: dict[str, Any]) -> Any:
        try:
            return self._invoke(function, event)
        except Exception as fault:
            traceback.print_exc(file=sys.stderr)
            raise GatewayRefusal(INTERNAL_SERVER_ERROR, why=f"{function} raised") from fault


def _check_headers(request: Request) -> None:
    """The request line and the values of the headers have one limit together."""
    line = f"{request.method} {request.environ.get('RAW_URI', request.path)} HTTP/1.1"
    if len(line) + sum(len(value) for _, value in request.headers) > MAX_HEADER_BYTES:
        raise GatewayRefusal(HEADERS_TOO_LARGE, why="the headers are longer than 10,240 bytes")


def _body(request: Request) -> bytes:
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise GatewayRefusal(TOO_LARGE, why="the body is longer than 10 MB") from None
