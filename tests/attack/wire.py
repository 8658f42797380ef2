"""Requests as an attacker writes them: every byte of the wire is the test's own."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30
Headers = list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back; the names of headers in lower case."""

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


def send(url: str, method: str, path: str, *, headers: Headers, body: bytes = b"") -> Answer:
    """Sends these headers in this order and spelling."""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return exchange(url, "\r\n".join([*lines, "", ""]).encode("latin-1") + body)


def exchange(url: str, request: bytes) -> Answer:
    """Sends these bytes and reads one answer."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=TIMEOUT_SECONDS) as wire:
        # Refused before all of it was read: the answer is there all the same.
        with suppress(BrokenPipeError, ConnectionResetError):
            wire.sendall(request)
        with HTTPResponse(wire) as response:
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(status=response.status, headers=headers, body=response.read())
