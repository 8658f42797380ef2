"""A file of any size is read in a bounded memory, and each byte of it once."""

from __future__ import annotations

import io
import tracemalloc

import pytest
from coze_leak_scan.scan import scan
from coze_leak_scan.windows import CHUNK, windows
from hypothesis import given
from hypothesis import strategies as st

from tests.leak_scan import made_up


class LongFile(io.RawIOBase):
    """A file that is made while it is read: spaces, and a secret at its end."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._end = made_up.token().encode()

    def read(self, size: int = -1) -> bytes:
        count = min(size, self._left)
        self._left -= count
        if count:
            return b" " * count
        end, self._end = self._end, b""
        return end


@given(data=st.binary(max_size=400), chunk=st.integers(1, 99), reach=st.integers(0, 99))
def test_each_byte_is_one_windows_to_report_and_has_its_surroundings(
    data: bytes, chunk: int, reach: int
) -> None:
    reported = b""
    for window in windows(io.BytesIO(data), chunk=chunk, reach=reach):
        start = len(reported) - window.first
        assert window.data == data[start : start + len(window.data)]
        assert window.first >= min(reach, len(reported))
        reported += window.data[window.first : window.last]
        if window.last > window.first:
            assert len(window.data) - window.last >= min(reach, len(data) - len(reported))
    assert reported == data


def test_a_long_file_is_read_in_a_bounded_memory() -> None:
    size = 24 * CHUNK
    tracemalloc.start()
    try:
        (hit,) = scan(LongFile(size), path="a")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (hit.line, hit.column) == (1, size + 1)
    assert peak < 8 * CHUNK


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY-----" + "\\\\n" * 4000 + "X",
        "-----BEGIN PRIVATE KEY-----" + "Proc-Type:" * 900 + "X",
        "czs_" * 20_000,
        "client_secret:" * 5_000,
        "'" + " " * 80_000 + "'",
    ],
)
def test_a_text_that_is_made_to_take_long_does_not(text: str) -> None:
    assert list(scan(io.BytesIO(text.encode()), path="a")) == []
