"""What is a real secret, and what only stands in for one? Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORD = re.compile(rb"[A-Za-z0-9_-]")
_ESCAPED = re.compile(rb"\\[nrtbfv]\Z|\\x[0-9A-Fa-f]{2}\Z|\\u[0-9A-Fa-f]{4}\Z|%[0-9A-Fa-f]{2}\Z")
"""Ends in a letter or a digit, yet is not part of the word that follows."""

_STANDS_IN = re.compile(
    rb"your|xxx|\*\*|\.\.\.|<|example|placeholder|change_?me|replace|dummy|token_?here|key_?here"
    rb"|insert|todo|" + "…|你的|您的|填写|填入|替换|示例|令牌|密钥".encode(),
    re.IGNORECASE,
)
_MIN_DISTINCT = 12
_MAX_NAME = 100


def places(literal: bytes, data: bytes) -> Iterator[int]:
    """Where the literal stands."""
    found = data.find(literal)
    while found >= 0:
        yield found
        found = data.find(literal, found + 1)


def name_around(place: int, data: bytes, letters: re.Pattern[bytes]) -> tuple[int, bytes]:
    """The name of these letters that this place is in, and where it begins."""
    before = letters.match(data[max(0, place - _MAX_NAME) : place][::-1])
    start = place - (len(before.group()) if before else 0)
    name = letters.match(data, start, place + _MAX_NAME)
    return start, name.group() if name else b""


def begins_word(data: bytes, start: int) -> bool:
    """Whether no word runs into this place from before."""
    before = data[max(0, start - 6) : start]
    return not _WORD.match(before[-1:]) or _ESCAPED.search(before) is not None


def ends_word(data: bytes, end: int) -> bool:
    """Whether no word runs on from this place."""
    return not _WORD.match(data[end : end + 1])


def stands_in(value: bytes) -> bool:
    """Whether the value tells the reader to put theirs there."""
    return _STANDS_IN.search(value) is not None or len(set(value)) < 3


def looks_random(value: bytes) -> bool:
    """Whether the value can come from a generator: letters of both cases, no alphabet in order."""
    in_order = sum(value[place] - value[place - 1] in (0, 1) for place in range(1, len(value)))
    mixed = value != value.lower() and value != value.upper()
    return mixed and len(set(value)) >= _MIN_DISTINCT and in_order * 3 < len(value)


def has_digit(value: bytes) -> bool:
    """Whether a digit is in it."""
    return any(byte in b"0123456789" for byte in value)
