"""The jwt-bearer grant: an assertion to Coze, an access token back (RFC 7523 section 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from coze_sts.coze.answer import Grant, read_grant
from coze_sts.errors import UpstreamUnavailable
from coze_sts.web import NoAnswer, send

if TYPE_CHECKING:
    from urllib3 import PoolManager

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def exchange(
    http: PoolManager,
    *,
    url: str,
    assertion: str,
    duration_seconds: int,
    scope: dict[str, Any] | None,
    sent_at: float,
    seconds: float,
    names: tuple[str, ...] = (),
) -> Grant:
    """Trades a signed assertion for an access token, once, without redirects or retries.

    `sent_at` (UNIX seconds) is what a relative `expires_in` counts from. `seconds` bound the
    whole call; `names` are kept out of what is said of a failure. Raises UpstreamRejected where
    Coze refuses, UpstreamUnavailable where it fails.
    """
    body: dict[str, Any] = {"grant_type": GRANT_TYPE, "duration_seconds": duration_seconds}
    if scope is not None:
        body["scope"] = scope
    host = urlsplit(url).netloc
    headers = {"Authorization": f"Bearer {assertion}"}
    try:
        answer = send(http, method="POST", url=url, json=body, headers=headers, seconds=seconds)
    except NoAnswer as cause:
        raise UpstreamUnavailable(f"{host} did not answer: {cause}.") from None
    return read_grant(answer, host=host, sent_at=sent_at, names=names)
