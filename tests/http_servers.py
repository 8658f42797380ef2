"""HTTP servers that misbehave byte by byte, for what a well-made server cannot do."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Behave = Callable[[socket.socket], None]

DEADLINE_SECONDS = 10
"""No connection outlives this, so that a test that fails still ends."""


@dataclass(frozen=True, kw_only=True)
class RawServer:
    """What a server on 127.0.0.1 has seen: connections, and each request's bytes."""

    port: int
    scheme: str
    connections: list[socket.socket] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


@contextmanager
def raw_server(behave: Behave, *, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Reads each request whole and then lets `behave` answer on its socket."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = RawServer(port=listening.getsockname()[1], scheme="https" if tls else "http")

        def converse(connection: socket.socket) -> None:
            with suppress(OSError), tls_or_plain(connection, tls) as stream:
                stream.settimeout(DEADLINE_SECONDS)
                while request := _read_request(stream):
                    server.requests.append(request)
                    behave(stream)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    server.connections.append(connection)
                    threading.Thread(target=converse, args=[connection], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
        for connection in server.connections:
            connection.close()


def tls_or_plain(connection: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    return tls.wrap_socket(connection, server_side=True) if tls else connection


def _read_request(stream: socket.socket) -> bytes:
    """Head and body of one request; empty where the client hung up."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = stream.recv(65536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.lower().splitlines() if line[:15] == b"content-length:"), 0
    )
    while len(body) < length:
        body += stream.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(body: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole HTTP answer, to be sent at once."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def sends(*parts: bytes, pause: float = 0.0) -> Behave:
    """To answer with these bytes, each followed by a pause in seconds."""

    def behave(stream: socket.socket) -> None:
        for part in parts:
            stream.sendall(part)
            time.sleep(pause)

    return behave
