"""Ports on this machine, taken before anything that needs them is built."""

import socket
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self


class CannotListen(Exception):
    """The port cannot be had; the sentence says what to do."""


@dataclass(frozen=True, kw_only=True)
class Listening:
    """A socket that listens already: clients that come before the server wait."""

    socket: socket.socket
    host: str
    port: int

    @property
    def url(self) -> str:
        """The base URL for clients on this machine."""
        return f"http://127.0.0.1:{self.port}"


def listen(*, host: str = "127.0.0.1", port: int = 0) -> Listening:
    """Listen on a port, 0 for a free one; raises CannotListen."""
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except (OSError, OverflowError) as fault:
        listening.close()
        reason = getattr(fault, "strerror", None) or fault
        raise CannotListen(
            f"Cannot listen on {host}:{port} ({reason}): stop what listens there, "
            "or choose another port with PORT=."
        ) from None
    return Listening(socket=listening, host=host, port=listening.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The four ports of a stack, listening."""

    gateway: Listening
    coze: Listening
    oidc: Listening
    aws: Listening

    @classmethod
    def take(cls, *, first: int = 0, host: str = "127.0.0.1") -> Self:
        """Four in a row from ``first``, or four free ones for 0; raises CannotListen."""
        with ExitStack() as taken:
            four = []
            for number in range(4):
                four.append(listen(host=host, port=first + number if first else 0))
                taken.callback(four[-1].socket.close)
            taken.pop_all()
        gateway, coze, oidc, aws = four
        return cls(gateway=gateway, coze=coze, oidc=oidc, aws=aws)
