"""What a program leaves behind: what it prints, logs, warns of, writes, raises and answers."""

from __future__ import annotations

import base64
import logging
import os
import re
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TextIO

GIVEN, OWN = "given to the functions", "what answers are for"
"""Two places where a secret may be: they show that what is looked for was there at all."""

EMULATORS = ("moto", "responses", "werkzeug")
"""Loggers of the stand-ins for AWS and of their HTTP: no function has them."""

_BASE64 = re.compile(r"(?:[\w-]{4})+", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Something that was left behind in a scenario; the text is all of it."""

    scenario: str
    place: str
    text: str


@dataclass(kw_only=True)
class Evidence:
    """Everything that was left behind. What is printed is collected at the end of a scenario."""

    stdout: TextIO
    stderr: TextIO
    records: list[logging.LogRecord] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    scenario: str = ""
    watching: bool = True

    def add(self, place: str, text: str) -> None:
        if text:
            self.traces.append(Trace(scenario=self.scenario, place=place, text=text))

    @contextmanager
    def looking_away(self) -> Iterator[None]:
        """Does not see what a scenario logs that arranges something itself."""
        self.watching = False
        try:
            yield
        finally:
            self.watching = True

    def collect(self) -> None:
        """Takes what was printed, logged and warned of since the last time."""
        printed = _drained(self.stdout)
        self.add("stdout", printed)
        self.add("metrics", "\n".join(line for line in printed.splitlines() if '"_aws"' in line))
        self.add("stderr", _drained(self.stderr))
        self.add("log records", "\n".join(map(_everything_in, self.records)))
        self.add("warnings", "\n".join(self.warned))
        self.records.clear()
        self.warned.clear()

    def printed(self) -> list[str]:
        """The lines that one scenario, or all of them, printed."""
        return [
            line
            for trace in self.traces
            if trace.place == "stdout"
            for line in trace.text.splitlines()
        ]


def _drained(stream: TextIO) -> str:
    stream.flush()
    stream.seek(0)
    text = stream.read()
    stream.seek(0)
    stream.truncate()
    return text


def _everything_in(record: logging.LogRecord) -> str:
    words = [record.getMessage(), repr(vars(record))]
    if record.exc_info and record.exc_info[1]:
        words.append(everything_of(record.exc_info[1]))
    return "\n".join(words)


def everything_of(error: BaseException) -> str:
    """All that a runtime or a debugger could print of an exception and of what led to it."""
    words = traceback.format_exception(error)
    chain: BaseException | None = error
    while chain is not None:
        words += [str(chain), repr(chain), repr(vars(chain)), repr(chain.args)]
        chain = chain.__cause__ or chain.__context__
    return "\n".join(words)


def everything_in_row(item: Mapping[str, Mapping[str, Any]]) -> str:
    """A row as it is, and each value that may be base64 as what it stands for."""
    words = [repr(item)]
    for value in (value for typed in item.values() for value in typed.values()):
        raw = bytes(value) if isinstance(value, bytes) else str(value).encode()
        words += [raw.decode("latin-1"), base64.b64encode(raw).decode(), raw.hex()]
        for part in _BASE64.findall(str(value)):
            words.append(base64.urlsafe_b64decode(part).decode("latin-1"))
    return "\n".join(words)


@contextmanager
def everything_watched() -> Iterator[Evidence]:
    """Takes standard output and error down to their file descriptors, log records and warnings."""
    made, shown = logging.getLogRecordFactory(), warnings.showwarning
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        warnings.catch_warnings(),
    ):
        evidence = Evidence(stdout=out, stderr=err)

        def keep(*args: Any, **more: Any) -> logging.LogRecord:
            record = made(*args, **more)
            if evidence.watching and not record.name.startswith(EMULATORS):
                evidence.records.append(record)
            return record

        warnings.simplefilter("always")
        warnings.showwarning = lambda text, *more, **_: evidence.warned.append(f"{text} {more}")
        logging.setLogRecordFactory(keep)
        try:
            with _redirected(out, 1), _redirected(err, 2):
                sys.stdout, sys.stderr, kept = out, err, (sys.stdout, sys.stderr)
                try:
                    yield evidence
                finally:
                    sys.stdout, sys.stderr = kept
        finally:
            logging.setLogRecordFactory(made)
            warnings.showwarning = shown


@contextmanager
def _redirected(stream: TextIO, descriptor: int) -> Iterator[None]:
    """What is written to the descriptor itself ends in the stream's file, too."""
    kept = os.dup(descriptor)
    os.dup2(stream.fileno(), descriptor)
    try:
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)
