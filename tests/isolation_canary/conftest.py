"""A stack with a canary in it, and runs of that canary."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.isolation_canary.checks import BOT
from tests.local.ports import Ports
from tests.local.stack import LocalStack

SCHEDULE = {"CanarySchedule": "rate(15 minutes)"}
COUNTED = ("CanaryPassed", "CanaryFailed", "IsolationBroken", "Status5xx")


class Stack(LocalStack):
    """Where Coze is stands in a parameter, since the canary reads no secret."""

    def __init__(self, **parameters: str) -> None:
        ports = Ports.take()
        coze = {"CanaryBotId": BOT, "CozeApiBase": ports.coze.url}
        super().__init__(ports=ports, parameters={**SCHEDULE, **coze, **parameters})


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one run said: to its caller, in its log, and in metrics."""

    verdict: str
    checks: dict[str, str]
    lines: list[logging.LogRecord]
    metrics: Counter[str]

    def having(self, outcome: str) -> set[str]:
        """The checks with this outcome."""
        return {check for check, found in self.checks.items() if found == outcome}


RunCanary = Callable[[LocalStack], Run]


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "route", "") == "canary":
            self.records.append(record)


@pytest.fixture
def stack() -> Iterator[Stack]:
    with Stack() as stack:
        yield stack


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> RunCanary:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")

    def run(stack: LocalStack) -> Run:
        logger, lines = logging.getLogger("coze-sts"), _Lines()
        logger.addHandler(lines)
        try:
            returned = stack.functions["CanaryFunction"].invoke_beside({"id": "event-1"})
        finally:
            logger.removeHandler(lines)
        return Run(**returned, lines=lines.records, metrics=_metrics(capsys.readouterr().out))

    return run


def _metrics(printed: str) -> Counter[str]:
    records: list[dict[str, Any]] = [
        json.loads(line) for line in printed.splitlines() if line.startswith('{"_aws"')
    ]
    counted = Counter[str]()
    for record in records:
        counted.update({name: int(record[name][0]) for name in COUNTED if name in record})
    return counted
