"""Secrets in base64: `atob("…")`, a source map inside a script, a key on one line."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import NamedTuple

from coze_leak_scan.hit import Hit
from coze_leak_scan.private_keys import FRAME, find_private_keys
from coze_leak_scan.text import places
from coze_leak_scan.tokens import BODIES, find_tokens

_MAX_ENCODED = 8192
_BACK = 64
"""Base64 characters: the frame of a key begins a little before what is searched."""

_RUN = re.compile(rb"[A-Za-z0-9+/_-]*")
_WRAPPED = re.compile(rb"(?:[A-Za-z0-9+/_-]|\r?\n[ \t]*)*")
_BREAK = re.compile(rb"\r?\n[ \t]*")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class _Sign(NamedTuple):
    """What a literal looks like in base64, and how far into its group of four that begins."""

    text: bytes
    lead: int


def _signs(literal: bytes) -> Iterator[_Sign]:
    for skipped in range(3):
        encoded = base64.b64encode(b"\0" * skipped + literal)
        first, last = (8 * skipped + 5) // 6, 8 * (skipped + len(literal)) // 6
        yield _Sign(encoded[first:last], first)


_SIGNS = [sign for literal in (*BODIES, FRAME) for sign in _signs(literal)]


def find_encoded(data: bytes) -> Iterator[Hit]:
    """The tokens and private keys in `data` that are in base64."""
    for sign in _SIGNS:
        for place in places(sign.text, data):
            yield from _decoded(data, place - sign.lead)


def _decoded(data: bytes, group: int) -> Iterator[Hit]:
    if group < 0:
        return
    run = _RUN.match(data[max(0, group - _BACK) : group][::-1])
    start = group - (len(run.group()) if run else 0) // 4 * 4
    rest = _WRAPPED.match(data, start, start + _MAX_ENCODED)
    if not rest:
        return
    text = _decode(_BREAK.sub(b"", rest.group()))
    sought = (group - start) // 4 * 3
    for hit in (*find_tokens(text), *find_private_keys(text)):
        # What stands further on has a sign of its own, which tells its place better.
        if hit.start <= sought + 2 and sought <= hit.start + 40:
            yield hit._replace(start=start + hit.start // 3 * 4)


def _decode(encoded: bytes) -> bytes:
    whole = encoded[: len(encoded) // 4 * 4]
    rest = encoded[len(whole) :]
    padded = whole + (rest.ljust(4, b"=") if len(rest) > 1 else b"")
    return base64.b64decode(padded.translate(_URL_SAFE))
