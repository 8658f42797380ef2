"""HTTP/1.1 on bare sockets: a server that costs next to nothing beside what it measures."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

BLOCK = 65536
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request; the names of its headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Handle = Callable[[Request], bytes]
"""Gives the whole answer, as `answer` writes it."""


def answer(body: bytes, *, status: str = "200 OK", headers: Mapping[str, str] = NOTHING) -> bytes:
    """Status line, headers and body in one piece."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


def serve(listening: socket.socket, handle: Handle) -> None:
    """Answers every connection in a thread of its own, until the socket is shut down."""

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=_converse, args=[connection, handle], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def _converse(connection: socket.socket, handle: Handle) -> None:
    with suppress(OSError), connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (request := _read(connection)) is not None:
            connection.sendall(handle(request))


def _read(connection: socket.socket) -> Request | None:
    """One request; None where the client hung up."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (block := connection.recv(BLOCK)):
            return None
        data += block
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (s.partition(":") for s in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        if not (block := connection.recv(BLOCK)):
            return None
        body += block
    return Request(method=method, path=path, headers=headers, body=body)
