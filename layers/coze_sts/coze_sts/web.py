"""The one place that speaks HTTP: one request, within bounds, without redirects or retries."""

from __future__ import annotations

import logging
import queue
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from json import loads
from typing import Any
from urllib.parse import urlencode

import certifi
from urllib3 import BaseHTTPResponse, PoolManager, Timeout

CONNECT_SECONDS = 2
READ_SECONDS = 5
MAX_BODY_BYTES = 64 * 1024


class NoAnswer(Exception):
    """No whole answer came. The text is the class of the cause and no more: URLs hold secrets."""


@dataclass(frozen=True, kw_only=True)
class WebAnswer:
    """An HTTP answer; header names in lower case, at most one byte more than MAX_BODY_BYTES."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json_object(self) -> dict[str, Any] | None:
        """The body, whatever its content type says; None unless it is an object and whole."""
        if len(self.body) > MAX_BODY_BYTES:
            return None
        try:
            value = loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


def new_http_session() -> PoolManager:
    """What keeps connections, and nothing else: one visitor's cookies no other sends.

    Nor does it read the environment, where a proxy or a .netrc file could take over.
    """
    # urllib3 logs whole URLs, one of them in a warning, and WeChat's has a secret in its query.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    # One for all connections: it takes longer to make than an answer to come.
    return PoolManager(ssl_context=ssl.create_default_context(cafile=certifi.where()))


def send(
    http: PoolManager,
    *,
    method: str,
    url: str,
    params: Mapping[str, str] | None = None,
    json: Mapping[str, Any] | None = None,
    form: Mapping[str, str] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float,
) -> WebAnswer:
    """Makes one request; its body is `json`, `form` or `content`. `seconds` bound the whole call.

    Raises NoAnswer.
    """
    sent = {**(headers or {}), "Accept-Encoding": "identity"}
    if form is not None:
        content = urlencode(form).encode()
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    request = {
        "method": method,
        "url": f"{url}?{urlencode(params)}" if params else url,
        "json": json,
        "body": content,
        "headers": sent,
    }
    try:
        return _within(seconds, lambda: _call(http, request, seconds=seconds))
    except Exception as error:  # noqa: BLE001 - whatever a hostile answer makes of a library
        cause = type(error).__name__
    # Out of the clause above, or the error itself would hang on to this one as its context.
    raise NoAnswer(cause)


def _within(seconds: float, call: Callable[[], WebAnswer]) -> WebAnswer:
    """Runs `call` for so long at most, whatever name servers and slow answers do.

    A call that is given up goes on in its thread, which ends with the process at the latest.
    """
    if seconds <= 0:
        raise TimeoutError
    result: queue.SimpleQueue[WebAnswer | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            result.put(call())
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            result.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        answer = result.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _call(http: PoolManager, request: dict[str, Any], *, seconds: float) -> WebAnswer:
    deadline = time.monotonic() + seconds
    with http.request(
        **request,
        timeout=Timeout(connect=min(CONNECT_SECONDS, seconds), read=min(READ_SECONDS, seconds)),
        retries=False,
        redirect=False,
        preload_content=False,
        decode_content=False,
    ) as response:
        return WebAnswer(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=_read_body(response, deadline=deadline),
        )


def _read_body(response: BaseHTTPResponse, *, deadline: float) -> bytes:
    """At most one byte more than the limit: enough to see that the limit was passed.

    A connection whose answer was read to its end serves again; another is closed.
    """
    received = bytearray()
    while len(received) <= MAX_BODY_BYTES and (chunk := response.read1(4096)):
        received += chunk
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(received[: MAX_BODY_BYTES + 1])
