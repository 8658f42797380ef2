"""Keeps web pages and strangers away from what trusts everybody on this machine."""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug import Request, Response

from tests.local.server import WsgiApp

NAMES = {"localhost", "host.docker.internal", "host.containers.internal"}


class Guard:
    """A WSGI app in front of another.

    It refuses a host name that is not this machine's, since a page could have its own name point
    here. With ``pages=False`` it refuses every page of a browser. With ``access_key`` it admits
    only requests that claim to be signed with that key of AWS.
    """

    def __init__(self, app: WsgiApp, *, pages: bool, access_key: str | None = None) -> None:
        self._app = app
        self._pages = pages
        self._access_key = access_key

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI."""
        if self._admits(Request(environ)):
            return self._app(environ, start_response)
        return Response("Forbidden", status=403)(environ, start_response)

    def _admits(self, request: Request) -> bool:
        if not _is_this_machine(request.host):
            return False
        if not self._pages and "Origin" in request.headers:
            return False
        claimed = f"Credential={self._access_key}/"
        return self._access_key is None or claimed in request.headers.get("Authorization", "")


def _is_this_machine(host: str) -> bool:
    name = host.rsplit(":", 1)[0].strip("[]")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in NAMES
    return True
