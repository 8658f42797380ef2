"""The jwt-bearer grant over HTTP: the one place that speaks to Coze (RFC 7523 section 2.1)."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests

from coze_sts.coze.answer import MAX_BODY_BYTES, Answer, Grant, read_grant
from coze_sts.errors import UpstreamUnavailable

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CONNECT_SECONDS = 2
READ_SECONDS = 5


def new_http_session() -> requests.Session:
    """A session that keeps its connections, and nothing else: one visitor's cookies no other sends.

    With `trust_env` on, a .netrc file would replace the assertion in the Authorization header.
    Redirects are not even looked at: requests would read the whole body to follow one.
    """
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]  # noqa: ARG005
    return session


def exchange(
    http: requests.Session,
    *,
    url: str,
    assertion: str,
    duration_seconds: int,
    scope: dict[str, Any] | None,
    sent_at: float,
    seconds: float,
) -> Grant:
    """Trades a signed assertion for an access token, once, without redirects or retries.

    `sent_at` (UNIX seconds) is what a relative `expires_in` counts from. `seconds` bound the
    whole call. Raises UpstreamRejected where Coze refuses, UpstreamUnavailable where it fails.
    """
    body: dict[str, Any] = {"grant_type": GRANT_TYPE, "duration_seconds": duration_seconds}
    if scope is not None:
        body["scope"] = scope
    host = urlsplit(url).netloc
    try:
        answer = _within(
            seconds,
            lambda: _post(http, url=url, assertion=assertion, body=body, seconds=seconds),
        )
    except Exception as error:  # noqa: BLE001 - whatever a hostile answer makes of a library
        # The exception's own text may quote the request: only its class is safe to keep.
        raise UpstreamUnavailable(f"{host} did not answer: {type(error).__name__}.") from None
    return read_grant(answer, host=host, sent_at=sent_at)


def _within(seconds: float, call: Callable[[], Answer]) -> Answer:
    """Runs `call` for so long at most, whatever name servers and slow answers do.

    A call that is given up goes on in its thread, which ends with the process at the latest.
    """
    if seconds <= 0:
        raise requests.Timeout
    result: queue.SimpleQueue[Answer | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            result.put(call())
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            result.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        answer = result.get(timeout=seconds)
    except queue.Empty:
        raise requests.Timeout from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _post(
    http: requests.Session, *, url: str, assertion: str, body: dict[str, Any], seconds: float
) -> Answer:
    deadline = time.monotonic() + seconds
    with http.post(
        url,
        json=body,
        headers={"Authorization": f"Bearer {assertion}", "Accept-Encoding": "identity"},
        timeout=(min(CONNECT_SECONDS, seconds), min(READ_SECONDS, seconds)),
        allow_redirects=False,
        stream=True,
        verify=True,
    ) as response:
        return Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=_read_body(response, deadline=deadline),
        )


def _read_body(response: requests.Response, *, deadline: float) -> bytes:
    """At most one byte more than the limit: enough to see that the limit was passed."""
    received = bytearray()
    while len(received) <= MAX_BODY_BYTES and (chunk := response.raw.read1(4096)):
        received += chunk
        if time.monotonic() > deadline:
            raise requests.ReadTimeout
    return bytes(received[: MAX_BODY_BYTES + 1])
