"""Lets a test answer in place of the service, slow it down, and read what a page sent."""

import io
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from werkzeug import Request, Response
from werkzeug.datastructures import Headers

from tests.local.server import WsgiApp

WATCHED = ("/token", "/guest/token")
MAX_BODY_BYTES = 65_536
# A stack that runs for days forgets the oldest.
MAX_SEEN = 1000


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An answer to give in place of the service's."""

    status: int
    body: bytes | Mapping[str, Any] = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer itself; a mapping is sent as JSON."""
        raw = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {"Cache-Control": "no-store", **self.headers}
        response = Response(raw, status=self.status, headers=headers)
        if "Content-Type" not in self.headers and not isinstance(self.body, bytes):
            response.mimetype = "application/json"
        return response


class HangUp:
    """Close the connection without an answer, as a service that is down does."""


HANG_UP = HangUp()
Plan = Planned | HangUp
Plans = list[Plan] | Callable[[], Plan | None]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request as it came; ``body`` is None where it was too long to be kept."""

    method: str
    path: str
    headers: Headers = field(repr=False)
    body: bytes | None = field(repr=False)


class Faults:
    """A WSGI app in front of another; it does nothing until it is told to.

    ``next`` has plans by path: a list is used up from its front, a callable is asked each time,
    and None leaves the request to the service. Token requests wait ``delay_seconds`` and are
    remembered in ``seen``, preflights too.
    """

    def __init__(self, app: WsgiApp, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self._app = app
        self._sleep = sleep
        self._lock = threading.Lock()
        self.next: dict[str, Plans] = {}
        self.delay_seconds = 0.0
        self.seen: deque[Seen] = deque(maxlen=MAX_SEEN)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI."""
        path = str(environ.get("PATH_INFO", ""))
        if path in WATCHED or path.startswith("/token/"):
            self.seen.append(_seen(environ, path))
            if self.delay_seconds:
                self._sleep(self.delay_seconds)
        plan = self._plan(path)
        if isinstance(plan, HangUp):
            _hang_up(environ)
        if isinstance(plan, Planned):
            return plan.response()(environ, start_response)
        return self._app(environ, start_response)

    def _plan(self, path: str) -> Plan | None:
        plans = self.next.get(path)
        if callable(plans):
            return plans()
        with self._lock:
            return plans.pop(0) if plans else None


def _seen(environ: dict[str, Any], path: str) -> Seen:
    request = Request(environ)
    return Seen(
        method=request.method, path=path, headers=Headers(request.headers), body=_body(environ)
    )


def _body(environ: dict[str, Any]) -> bytes | None:
    """The body, which the service can read again."""
    length = str(environ.get("CONTENT_LENGTH") or "")
    if environ.get("wsgi.input_terminated"):
        return None
    if not length:
        return b""
    if not length.isascii() or not length.isdecimal() or int(length) > MAX_BODY_BYTES:
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _hang_up(environ: Mapping[str, Any]) -> None:
    connection = environ.get("werkzeug.socket")
    if connection:
        with suppress(OSError):  # the client may be gone by itself
            connection.shutdown(socket.SHUT_RDWR)
    # The server takes this for a client that is gone, and says nothing.
    raise ConnectionResetError("The connection is closed on purpose.")
