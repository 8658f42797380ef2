"""An original and its copies, as a test sees them from outside."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from tests.local.functions import LAYER, ROOT

TIMEOUT_SECONDS = 60
WRITABLE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A process after it served: its answers, and what two of them must not share.

    `inherited` is what a copy had left of the original before it served.
    """

    answers: list[dict[str, Any]] = field(default_factory=list)
    inherited: list[str] = field(default_factory=list)
    memories: list[str]
    leases: list[str]
    sockets: list[str]
    drawn: float
    modules: list[str]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The answers' bodies, of requests that were granted."""
        assert {answer["statusCode"] for answer in self.answers} <= {200}, self.answers
        return [json.loads(answer["body"]) for answer in self.answers]


@dataclass(frozen=True, kw_only=True)
class Original:
    """A process that was initialised, and whatever Lambda does with it."""

    name: str
    process: subprocess.Popen[str]
    out: TextIO
    initialised: Seen

    def serve(self, *events: dict[str, Any]) -> Seen:
        """Serves by itself, which on Lambda no process does before its snapshot is taken."""
        return self._order(events, copy=False)

    def copy(self, *events: dict[str, Any]) -> Seen:
        """Is copied; the copy serves."""
        return self._order(events, copy=True)

    def holds(self, needles: Iterable[bytes]) -> set[bytes]:
        """Which of these are in its memory now."""
        wanted, found = set(needles), set[bytes]()
        process = Path("/proc", str(self.process.pid))
        with (process / "mem").open("rb", buffering=0) as memory:
            for begin, end in WRITABLE.findall((process / "maps").read_text()):
                memory.seek(int(begin, 16))
                held = memory.read(int(end, 16) - int(begin, 16))
                found |= {needle for needle in wanted if needle in held}
        return found

    def _order(self, events: tuple[dict[str, Any], ...], *, copy: bool) -> Seen:
        assert self.process.stdin
        print(json.dumps({"copy": copy, "events": events}), file=self.process.stdin, flush=True)
        return Seen(**json.loads(self.out.readline()))


@contextmanager
def original(function: str, environment: Mapping[str, str]) -> Iterator[Original]:
    """Initialises a function in a process of its own, that has this environment and no other."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.snapshot.original", function, str(writing)],
        env={**environment, "PYTHONPATH": f"{ROOT}:{LAYER}"},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        pass_fds=[writing],
        text=True,
    )
    os.close(writing)
    watchdog = threading.Timer(TIMEOUT_SECONDS, process.kill)
    watchdog.start()
    try:
        with os.fdopen(reading) as out:
            initialised = Seen(**json.loads(out.readline()))
            yield Original(name=function, process=process, out=out, initialised=initialised)
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()
