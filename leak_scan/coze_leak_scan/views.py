"""The same bytes as a browser comes to see them: UTF-16, pieced strings, escapes. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_PIECES = re.compile(
    # "a" + "b", "a".concat("b"), ["a", "b"], `${"a"}b`, `a${"b"}`
    rb"[\"'`]\s{0,80}(?:(?:\+|,|\.concat\()\s{0,80}[\"'`]|\})|\$\{\s{0,80}[\"'`]"
    # Escapes of printable ASCII in scripts, addresses and HTML
    rb"|\\x([2-7][0-9A-Fa-f])|\\u00([2-7][0-9A-Fa-f])|%([2-7][0-9A-Fa-f])"
    rb"|&#x0{0,4}([2-7][0-9A-Fa-f]);|&#0{0,4}(\d{2,3});"
)
_DECIMAL = 5


@dataclass(frozen=True)
class View:
    """Bytes to search; `origin` says where in the file one of them comes from."""

    data: bytes
    origin: Callable[[int], int]
    pieced: bool = False


def views(data: bytes) -> Iterator[View]:
    """All the ways to read these bytes."""
    plain = View(data, lambda place: place)
    yield plain
    yield from _pieced(plain)
    if b"\0" in data:
        narrow = _without_nul(data)
        yield narrow
        yield from _pieced(narrow)


def _without_nul(data: bytes) -> View:
    """UTF-16 of ASCII letters, in either order, is those letters and NUL bytes."""
    origin = _Origin([(found.start(), found.end(), 0) for found in re.finditer(rb"\0+", data)])
    return View(data.replace(b"\0", b""), origin)


def _pieced(view: View) -> Iterator[View]:
    """The view with pieces of strings put together and escapes undone, if there are any."""
    parts, cuts, end = [], [], 0
    for found in _PIECES.finditer(view.data):
        letter = _letter(found)
        parts += [view.data[end : found.start()], letter]
        end = found.end()
        cuts.append((found.start(), end, len(letter)))
    if cuts:
        parts.append(view.data[end:])
        origin = _Origin(cuts)
        yield View(b"".join(parts), lambda place: view.origin(origin(place)), pieced=True)


def _letter(found: re.Match[bytes]) -> bytes:
    if not found.lastindex:
        return b""
    code = int(found.group(found.lastindex), 10 if found.lastindex == _DECIMAL else 16)
    return bytes([code]) if code < 128 else b"?"


class _Origin:
    """Where a place of the shortened bytes was before (start, end, kept) were cut."""

    def __init__(self, cuts: list[tuple[int, int, int]]) -> None:
        self._starts: list[int] = []
        self._shifts: list[int] = []
        shift = 0
        for start, end, kept in cuts:
            self._starts.append(start - shift + kept)
            shift += end - start - kept
            self._shifts.append(shift)

    def __call__(self, place: int) -> int:
        index = bisect_right(self._starts, place)
        return place + (self._shifts[index - 1] if index else 0)
