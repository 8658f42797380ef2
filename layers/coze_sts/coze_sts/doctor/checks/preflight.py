"""What API Gateway answers to a browser that asks whether a page may call."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from coze_sts.doctor.report import Finding, found
from coze_sts.doctor.wire import Wire
from coze_sts.web import NoAnswer, WebAnswer

PATH = "/guest/token"
"""Every route has the same answer: a preflight reaches none of them."""

FOREIGN_ORIGIN = "https://coze-sts-doctor.invalid"
"""No page has it: .invalid is nobody's (RFC 2606)."""

NEEDED = {
    "access-control-allow-methods": ("post",),
    "access-control-allow-headers": ("authorization", "content-type"),
}


def check(wire: Wire, *, endpoint: str | None, origins: Sequence[str]) -> list[Finding]:
    """A line for each of the site's origins, and one for an origin that is nobody's."""
    if endpoint is None:
        return [found("preflight.skipped"), found("foreign.skipped")]
    own = [_own(wire, endpoint, origin) for origin in origins]
    return [*(own or [found("preflight.skipped")]), _foreign(wire, endpoint)]


def _own(wire: Wire, endpoint: str, origin: str) -> Finding:
    try:
        answer = _ask(wire, endpoint, origin)
    except NoAnswer as cause:
        return found("preflight.silent", endpoint=endpoint, cause=str(cause))
    if not admits(answer, origin):
        return found("preflight.refused", origin=origin, endpoint=endpoint)
    if lacks := lacking(answer):
        return found("preflight.partly", origin=origin, lacks=", ".join(lacks))
    return found("preflight.allowed", origin=origin)


def _foreign(wire: Wire, endpoint: str) -> Finding:
    host = urlsplit(endpoint).netloc
    try:
        answer = _ask(wire, endpoint, FOREIGN_ORIGIN)
    except NoAnswer:
        return found("foreign.silent", host=host)
    return found("foreign.admitted" if admits(answer, FOREIGN_ORIGIN) else "foreign.refused")


def _ask(wire: Wire, endpoint: str, origin: str) -> WebAnswer:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return wire.send("OPTIONS", endpoint + PATH, headers=headers)


def admits(answer: WebAnswer, origin: str) -> bool:
    """Whether a browser would let a page of this origin read an answer."""
    return answer.headers.get("access-control-allow-origin") in (origin, "*")


def lacking(answer: WebAnswer) -> list[str]:
    """What the helper sends and this answer does not allow."""
    return [
        word
        for header, words in NEEDED.items()
        for word in words
        if word not in _listed(answer.headers.get(header, ""))
    ]


def _listed(value: str) -> set[str]:
    return {item.strip().lower() for item in value.split(",")}
