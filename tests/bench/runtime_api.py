"""The Lambda Runtime API, version 2018-06-01, for one process of a function.

It hands out its events one after another and notes when, what came back and what it cost. The next
event waits in it already when it is asked for, so that no other thread's wakening is measured.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.bench.wire import Request, answer, serve
from tests.local.ports import listen

BASE = "/2018-06-01/runtime"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:bench"
TIMEOUT_SECONDS = 20
DONE = re.compile(rf"{BASE}/invocation/([^/]+)/(response|error)")
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What there is to read of a process at a moment: both clocks in seconds, bytes of its log."""

    wall: float
    processor: float
    log_bytes: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """One invocation, with readings as it was asked for and as its answer was there."""

    body: Any
    failed: bool
    asked: Reading
    answered: Reading


class RuntimeApi:
    """Serves one process. `over` is set when it asks for more than there is, or cannot start."""

    def __init__(self, events: Iterable[Any], *, pause_seconds: float = 0) -> None:
        self._listening = listen()
        self._waiting = deque(
            (f"00000000-0000-4000-8000-{number:012}", json.dumps(event).encode())
            for number, event in enumerate(events)
        )
        self._pause_seconds = pause_seconds
        self._running: tuple[str, Reading] | None = None
        self.results: list[Result] = []
        self.idle: list[Reading] = []
        self.init_error: Any = None
        self.over = threading.Event()
        self._closed = threading.Event()

    @property
    def address(self) -> str:
        """What AWS_LAMBDA_RUNTIME_API says."""
        return f"{self._listening.host}:{self._listening.port}"

    def serve(self, read: Callable[[], Reading]) -> None:
        """Answers from now on; whoever connected before waited."""
        self._read = read
        serve(self._listening.socket, self._handle)

    def close(self) -> None:
        """Ends all connections."""
        self._closed.set()
        with self._listening.socket as listening, suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)

    def _handle(self, request: Request) -> bytes:
        reading = self._read()
        if (request.method, request.path) == ("GET", f"{BASE}/invocation/next"):
            return self._next(reading)
        if (request.method, request.path) == ("POST", f"{BASE}/init/error"):
            self.init_error = json.loads(request.body)
            self.over.set()
            return _accepted()
        done = DONE.fullmatch(request.path)
        if request.method != "POST" or done is None:
            return _refused("404 Not Found", "NotFound")
        return self._take(done[1], request, failed=done[2] == "error", reading=reading)

    def _next(self, reading: Reading) -> bytes:
        self.idle.append(reading)
        if not self._waiting:
            self.over.set()
            self._closed.wait()  # as a frozen process waits
            raise ConnectionAbortedError
        if self.results:
            time.sleep(self._pause_seconds)
        request_id, event = self._waiting.popleft()
        headers = {
            **JSON,
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + TIMEOUT_SECONDS) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-6afd5b00-000000000000000000000002;Sampled=0",
        }
        self._running = (request_id, self._read())
        return answer(event, headers=headers)

    def _take(self, request_id: str, request: Request, *, failed: bool, reading: Reading) -> bytes:
        if self._running is None or self._running[0] != request_id:
            return _refused("400 Bad Request", "InvalidRequestID")
        self.results.append(
            Result(
                body=json.loads(request.body),
                failed=failed,
                asked=self._running[1],
                answered=reading,
            )
        )
        self._running = None
        return _accepted()


def _accepted() -> bytes:
    return answer(b'{"status":"OK"}\n', status="202 Accepted", headers=JSON)


def _refused(status: str, kind: str) -> bytes:
    body = json.dumps({"errorMessage": kind, "errorType": kind}).encode()
    return answer(body, status=status, headers=JSON)
