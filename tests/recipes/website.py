"""The web server of a static site."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.middleware.shared_data import SharedDataMiddleware


class Website:
    """A WSGI app that serves the files of `folder`, which may change, with `headers`."""

    def __init__(self) -> None:
        self.folder = Path()
        self.headers: list[tuple[str, str]] = []

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI."""
        if environ["PATH_INFO"].endswith("/"):
            environ["PATH_INFO"] += "index.html"
        files = SharedDataMiddleware(NotFound(), {"/": str(self.folder)}, cache=False)
        return files(
            environ,
            lambda status, headers, *more: start_response(status, headers + self.headers, *more),
        )
