"""One process of a function under the real runtime client: a cold start, then warm requests."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tests.bench import clocks
from tests.bench.build import Package
from tests.bench.process import process
from tests.bench.runtime_api import Reading, Result, RuntimeApi
from tests.bench.throttle import FULL_PROCESSOR_MB
from tests.local.functions import ROOT

EVENT = json.loads((ROOT / "events" / "user-token.json").read_text(encoding="utf-8"))
PATIENCE_SECONDS = 120


class RunFailed(Exception):
    """A function did not start or did not answer; what it said."""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """Warm requests of one kind, each for a session."""

    name: str
    sessions: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one answer: seconds on the wall, seconds of the processor, bytes of log."""

    wall: float
    processor: float
    log_bytes: int


@dataclass(frozen=True, kw_only=True)
class Run:
    """`cold` is from the start of the process to its first answer, `init` to its first question."""

    init: Cost
    cold: Cost
    warm: Mapping[str, Sequence[Cost]]


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How much of a processor there is, and how long nobody asks between two requests."""

    memory_mb: int = FULL_PROCESSOR_MB
    pause_seconds: float = 0


UNHINDERED = Conditions()


def event_for(session: str) -> dict[str, Any]:
    """The HTTP API's event for a visitor who signed in."""
    event: dict[str, Any] = deepcopy(EVENT)
    event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = session
    return event


def run(
    package: Package,
    *,
    variables: Mapping[str, str],
    first: str,
    legs: Sequence[Leg] = (),
    conditions: Conditions = UNHINDERED,
) -> Run:
    """Starts the function anew and asks it for these sessions; raises RunFailed."""
    sessions = [first, *(session for leg in legs for session in leg.sessions)]
    memory_mb = conditions.memory_mb
    api = RuntimeApi(map(event_for, sessions), pause_seconds=conditions.pause_seconds)
    with tempfile.TemporaryFile() as log:
        started = clocks.wall()
        with process(package, api, variables, log=log.fileno(), memory_mb=memory_mb) as running:

            def read() -> Reading:
                return Reading(
                    wall=clocks.wall() - started,
                    processor=clocks.processor(running.pid),
                    log_bytes=os.fstat(log.fileno()).st_size,
                )

            api.serve(read)
            _wait(api, running)
        log.seek(0)
        _check(api, said=log.read().decode(errors="replace"), expected=len(sessions))
    return _costs(api, legs)


def _wait(api: RuntimeApi, running: subprocess.Popen[bytes]) -> None:
    deadline = clocks.wall() + PATIENCE_SECONDS
    while not api.over.wait(0.1):
        if running.poll() is not None or clocks.wall() > deadline:
            return


def _check(api: RuntimeApi, *, said: str, expected: int) -> None:
    bad = [r.body for r in api.results if r.failed or r.body.get("statusCode") != 200]
    if api.init_error or bad or len(api.results) != expected:
        raise RunFailed(f"{api.init_error or bad[:1] or 'no answer'}\n{said[-2000:]}")


def _costs(api: RuntimeApi, legs: Sequence[Leg]) -> Run:
    """A request's processor time ends where the process asks for the next, with all cleaned up."""
    first = api.results[0]
    warm: dict[str, list[Cost]] = {}
    rest = zip(api.results[1:], api.idle[1:], api.idle[2:], strict=True)
    for leg in legs:
        warm[leg.name] = [_cost(*next(rest)) for _ in leg.sessions]
    nothing = Reading(wall=0, processor=0, log_bytes=0)
    return Run(
        init=_between(nothing, api.idle[0]), cold=_between(nothing, first.answered), warm=warm
    )


def _cost(result: Result, before: Reading, after: Reading) -> Cost:
    return Cost(
        wall=result.answered.wall - result.asked.wall,
        processor=after.processor - before.processor,
        log_bytes=after.log_bytes - before.log_bytes,
    )


def _between(one: Reading, other: Reading) -> Cost:
    return Cost(
        wall=other.wall - one.wall,
        processor=other.processor - one.processor,
        log_bytes=other.log_bytes - one.log_bytes,
    )
