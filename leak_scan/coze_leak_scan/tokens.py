"""Coze's tokens: personal, of a service, of a workload, of a session."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coze_leak_scan.hit import Hit
from coze_leak_scan.text import (
    begins_word,
    ends_word,
    has_digit,
    looks_random,
    places,
    stands_in,
)

RULE = "coze-token"

USUAL_LENGTH = 64
"""Characters after the prefix of a token whose form is known."""

_LETTERS = re.compile(rb"[A-Za-z0-9]*")
_SESSION = re.compile(rb"[A-Za-z0-9_-]*")
BODIES = {b"pat_": _LETTERS, b"sat_": _LETTERS, b"cztei_": _LETTERS, b"czs_": _SESSION}
"""The form of a session's token is not published, so more characters are taken for one."""

_MIN_BODY = {b"czs_": 32}
_MIN_KNOWN_BODY = 40
_MAX_BODY = 512

_BLOB = re.compile(rb"[A-Za-z0-9_-]*")
_MIN_BLOB = 256
"""A longer run of these characters is data in base64url, which holds any prefix by chance."""


def find_tokens(data: bytes, *, strict: bool = False) -> Iterator[Hit]:
    """The tokens in `data`; `strict`: only those that stand alone, since `data` was pieced."""
    for prefix, letters in BODIES.items():
        for start in places(prefix, data):
            first = start + len(prefix)
            found = letters.match(data, first, first + _MAX_BODY)
            body = found.group() if found else b""
            if _is_token(body, least=_MIN_BODY.get(prefix, _MIN_KNOWN_BODY)) and _stands_free(
                data, start, first + len(body), strict=strict
            ):
                yield Hit(start, RULE, prefix[:4].decode(), len(prefix) + len(body))


def _is_token(body: bytes, *, least: int) -> bool:
    # What runs on after a token of the usual length is not a part of it.
    if len(body) < least or not looks_random(body[:USUAL_LENGTH]):
        return False
    if has_digit(body):
        return True
    return len(body) == USUAL_LENGTH and not stands_in(body)


def _stands_free(data: bytes, start: int, end: int, *, strict: bool) -> bool:
    begins, ends = begins_word(data, start), ends_word(data, end)
    if strict or (begins and ends):
        return begins and ends
    return _run_before(data, start) + _run_after(data, start) < _MIN_BLOB


def _run_before(data: bytes, start: int) -> int:
    run = _BLOB.match(data[max(0, start - _MIN_BLOB) : start][::-1])
    return len(run.group()) if run else 0


def _run_after(data: bytes, start: int) -> int:
    run = _BLOB.match(data, start, start + _MIN_BLOB)
    return len(run.group()) if run else 0
