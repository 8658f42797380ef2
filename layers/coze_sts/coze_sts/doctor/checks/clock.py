"""The clock, against the Date header of Coze's: an assertion names the time it was signed at."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from coze_sts.doctor.report import Finding, found
from coze_sts.doctor.wire import Wire
from coze_sts.web import NoAnswer

WARN_SECONDS = 30


def check(wire: Wire, *, api_base: str, clock: Callable[[], float]) -> Finding:
    """Asks without a token, which is refused and has a date all the same."""
    host, before = urlsplit(api_base).netloc, clock()
    try:
        answer = wire.send("GET", f"{api_base}/v1/bots/0")
    except NoAnswer as cause:
        return found("clock.unknown", host=host, cause=str(cause))
    return verdict(answer.headers.get("date", ""), here=(before + clock()) / 2, host=host)


def verdict(date: str, *, here: float, host: str) -> Finding:
    """Compares an HTTP date with UNIX seconds."""
    try:
        there = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return found("clock.unknown", host=host, cause="Date")
    seconds = round(abs(here - there))
    return found("clock.wrong" if seconds >= WARN_SECONDS else "clock.right", seconds=seconds)
