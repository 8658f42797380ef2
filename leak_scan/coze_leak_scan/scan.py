"""All rules over all of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from coze_leak_scan.encoded import find_encoded
from coze_leak_scan.hit import Finding, Hit
from coze_leak_scan.oauth_apps import find_oauth_apps
from coze_leak_scan.private_keys import find_private_keys
from coze_leak_scan.public_objects import find_public_objects
from coze_leak_scan.public_variables import find_public_variables
from coze_leak_scan.tokens import find_tokens
from coze_leak_scan.views import View, views
from coze_leak_scan.windows import CHUNK, REACH, Lines, Window, windows

ALLOW = b"coze-leak-scan: allow"
ALLOW_REACH = 200
"""Bytes beside a finding: a comment in a script of one line must not allow all of it."""


def scan(file: BinaryIO, *, path: str, chunk: int = CHUNK, reach: int = REACH) -> Iterator[Finding]:
    """The secrets in a file, in the order in which they stand there."""
    lines = None
    for window in windows(file, chunk=chunk, reach=reach):
        lines = lines or Lines(window.data)
        for hit in hits(window):
            line, column = lines.position(window, hit.start)
            allowed = _is_allowed(window.data, hit)
            yield Finding(path, line, column, hit.rule, hit.head, hit.length, allowed)
        lines.pass_by(window)


def hits(window: Window) -> list[Hit]:
    """What is this window's to report, each place once for a rule."""
    found: dict[tuple[int, str], Hit] = {}
    for view in views(window.data):
        for hit in _hits_of(view):
            start = view.origin(hit.start)
            if window.first <= start < window.last:
                found.setdefault((start, hit.rule), hit._replace(start=start))
    return [found[key] for key in sorted(found)]


def _hits_of(view: View) -> Iterator[Hit]:
    yield from find_tokens(view.data, strict=view.pieced)
    yield from find_private_keys(view.data)
    if not view.pieced:
        yield from find_oauth_apps(view.data)
        yield from find_public_variables(view.data)
        yield from find_public_objects(view.data)
        yield from find_encoded(view.data)


def _is_allowed(data: bytes, hit: Hit) -> bool:
    """Whether a comment on the same line, close by, says that this is meant."""
    end = hit.start + hit.length
    before = data[max(0, hit.start - ALLOW_REACH) : hit.start].rpartition(b"\n")[2]
    after = data[hit.start : end + ALLOW_REACH].partition(b"\n")[0]
    return ALLOW in (before + after).replace(b"\0", b"")
