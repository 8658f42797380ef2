"""What may go wrong between a function and whom it calls, as WSGI apps around the one called."""

import json
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from werkzeug import Request, Response

from tests.local.server import WsgiApp

Environ = dict[str, Any]
Answer = Iterable[bytes]
Fault = Callable[[WsgiApp, Environ, Callable[..., Any]], Answer]
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
BATCH_OF_READS = "DynamoDB_20120810.BatchGetItem"


def slow(seconds: float) -> Fault:
    """It is done, so much later."""

    def act(app: WsgiApp, environ: Environ, start: Callable[..., Any]) -> Answer:
        time.sleep(seconds)
        return app(environ, start)

    return act


def late(seconds: float) -> Fault:
    """It is done at once, and told so much later."""

    def act(app: WsgiApp, environ: Environ, start: Callable[..., Any]) -> Answer:
        answer = Response.from_app(app, environ, buffered=True)
        time.sleep(seconds)
        return answer(environ, start)

    return act


def says(
    status: int, body: bytes | Mapping[str, Any], headers: Mapping[str, str] = NO_HEADERS
) -> Fault:
    """It is not done, and this is the answer."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()

    def act(_app: WsgiApp, environ: Environ, start: Callable[..., Any]) -> Answer:
        Request(environ).get_data()  # what is left unread would reset the connection
        return Response(text, status=status, headers=dict(headers))(environ, start)

    return act


def reset(_app: WsgiApp, environ: Environ, _start: Callable[..., Any]) -> Answer:
    """The connection is reset before anything is done."""
    raise _reset(environ)


def lost(app: WsgiApp, environ: Environ, _start: Callable[..., Any]) -> Answer:
    """It is done, and the connection is reset before the answer."""
    Response.from_app(app, environ, buffered=True)
    raise _reset(environ)


def cut(app: WsgiApp, environ: Environ, start: Callable[..., Any]) -> Answer:
    """It is done, and half of the answer comes."""
    answer = Response.from_app(app, environ, buffered=True)
    whole = answer.get_data()
    answer.set_data(whole[: len(whole) // 2])
    return answer(environ, start)


def unprocessed(app: WsgiApp, environ: Environ, start: Callable[..., Any]) -> Answer:
    """DynamoDB's other way to throttle: a batch of reads succeeds with nothing read."""
    if environ.get("HTTP_X_AMZ_TARGET") != BATCH_OF_READS:
        return app(environ, start)
    asked = json.loads(Request(environ).get_data())["RequestItems"]
    body = json.dumps({"Responses": {}, "UnprocessedKeys": asked})
    return Response(body, status=200)(environ, start)


def aws_error(status: int, code: str) -> Fault:
    """An error as the JSON protocol of AWS has it."""
    return says(status, {"__type": code, "message": "made up"})


def _reset(environ: Environ) -> ConnectionResetError:
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)  # else the server waits for another request on it
    return ConnectionResetError()
