"""One request to one of the workers, as bytes, and what came back."""

import http.client
import itertools
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.local.aws import REGION
from tests.local.gateway import IamUser

TIMEOUT_SECONDS = 40
"""Longer than any worker is at it, and any number of users before this one."""


class Enough(Exception):
    """As many requests as the run is to have were sent."""


class CutOff(Exception):
    """There was no answer: the worker was killed, say."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request; `signed` is the body that the signature of `signer` is over, if not the one."""

    route: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    signer: IamUser | None = None
    signed: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came; `at` in UNIX seconds, `body` an empty object where there was no JSON object."""

    status: int
    retry_after: float
    body: Mapping[str, Any] = field(repr=False)
    at: float
    worker: int

    @property
    def token(self) -> str | None:
        """The token in it, under whatever name."""
        return next((t for t in map(self.body.get, ("access_token", "token")) if t), None)


class Door:
    """The way to the workers at these ports, for so many requests."""

    def __init__(self, ports: Sequence[int], *, requests: int) -> None:
        self.ports = ports
        self._left = itertools.repeat(None, requests)
        self._turn = threading.Lock()

    def send(self, call: Call, *, worker: int) -> Answer:
        """Raises CutOff, and Enough."""
        with self._turn:
            if next(self._left, self) is self:
                raise Enough
        method, _, path = call.route.partition(" ")
        answer = fetch(
            method,
            f"http://127.0.0.1:{self.ports[worker]}{path}{call.query}",
            headers=self._headers(call, worker),
            body=call.body,
        )
        return Answer(
            status=answer.status,
            retry_after=float(answer.headers.get("Retry-After", 0)),
            body=_object(answer.body),
            at=time.time(),
            worker=worker,
        )

    def _headers(self, call: Call, worker: int) -> dict[str, str]:
        headers = {"Content-Type": "application/json", **call.headers}
        if call.signer is None:
            return headers
        method, _, path = call.route.partition(" ")
        request = AWSRequest(
            method,
            f"http://127.0.0.1:{self.ports[worker]}{path}{call.query}",
            data=call.body if call.signed is None else call.signed,
            headers=headers,
        )
        keys = Credentials(call.signer.access_key, call.signer.secret_key)
        SigV4Auth(keys, "execute-api", REGION).add_auth(request)
        return dict(request.headers)


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """An answer of anybody."""

    status: int
    headers: Message
    body: bytes = field(repr=False)


def fetch(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Fetched:
    """Asks once, on a connection of its own, past any proxy; raises CutOff."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_SECONDS)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body=body, headers=dict(headers or {}))
        answer = connection.getresponse()
        return Fetched(status=answer.status, headers=answer.headers, body=answer.read())
    except (OSError, http.client.HTTPException) as fault:
        raise CutOff(type(fault).__name__) from None
    finally:
        connection.close()


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}
