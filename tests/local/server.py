"""A threaded WSGI server for one app, quiet, stopped by leaving the ``with`` block."""

import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from tests.local.ports import Listening, listen

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing: the banner stays readable, and no token reaches a terminal."""


class Server:
    """Serves ``app`` on a port that listens already, from now until ``close``."""

    def __init__(self, app: WsgiApp, *, at: Listening) -> None:
        self.port = at.port
        self.url = at.url
        with at.socket:  # werkzeug goes on with a copy of it
            self._server = ThreadedWSGIServer(
                at.host, at.port, app, handler=_QuietHandler, fd=at.socket.fileno()
            )
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening; requests under way are left to their own threads."""
        self._server.shutdown()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def serve(app: WsgiApp, *, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Start serving ``app``; ``.url`` says where. Raises CannotListen."""
    return Server(app, at=listen(host=host, port=port))
