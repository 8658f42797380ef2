"""A file of any size in pieces that overlap, and the line and column of a place in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

CHUNK = 1 << 20
REACH = 1 << 14
"""Bytes around a place that a rule may look at, before and after."""


@dataclass(frozen=True)
class Window:
    """Bytes of a file; what begins from `first` up to `last` is this window's to report."""

    data: bytes
    first: int
    last: int


def windows(file: BinaryIO, *, chunk: int = CHUNK, reach: int = REACH) -> Iterator[Window]:
    """Reads the file to its end; each place of it is some window's to report, and only one's."""
    data, first = file.read(chunk), 0
    while True:
        more = file.read(chunk)
        last = max(first, len(data) - reach) if more else len(data)
        yield Window(data, first, last)
        if not more:
            return
        start = max(0, last - reach)
        data, first = data[start:] + more, last - start


class Lines:
    """Counts lines and characters while windows go by."""

    def __init__(self, beginning: bytes) -> None:
        self._wide = beginning[:2] in (b"\xff\xfe", b"\xfe\xff")
        self._newline = b"\n"
        if self._wide:
            self._newline = b"\n\0" if beginning[:1] == b"\xff" else b"\0\n"
        self._line, self._column = 1, 1

    def position(self, window: Window, place: int) -> tuple[int, int]:
        """Line and column of a place that is this window's to report."""
        return self._after(window.data[window.first : place])

    def pass_by(self, window: Window) -> None:
        """To be called when all of a window's places are asked for."""
        passed = window.data[window.first : window.last]
        self._line, self._column = self._after(passed)

    def _after(self, passed: bytes) -> tuple[int, int]:
        lines = passed.count(self._newline)
        if not lines:
            return self._line, self._column + self._characters(passed)
        rest = passed[passed.rfind(self._newline) + len(self._newline) :]
        return self._line + lines, 1 + self._characters(rest)

    def _characters(self, text: bytes) -> int:
        """UTF-8 has one byte a character that does not continue another."""
        return len(text) // 2 if self._wide else len(text.translate(None, _CONTINUING))


_CONTINUING = bytes(range(0x80, 0xC0))
