"""What a check found, and what all of them say together. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from coze_sts.telemetry import Level


class Outcome(Enum):
    """`UNKNOWN` is for what could not be told, `NOT_TRIED` for what is not set up."""

    PASSED = "passed"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    NOT_TRIED = "not tried"


class Verdict(Enum):
    """What a whole run says; the value is its metric."""

    PASSED = "CanaryPassed"
    FAILED = "CanaryFailed"
    BROKEN = "IsolationBroken"


LEVELS: dict[Outcome, Level] = {
    Outcome.PASSED: "info",
    Outcome.NOT_TRIED: "info",
    Outcome.UNKNOWN: "warning",
    Outcome.BROKEN: "critical",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check. `reason` is statuses, codes and our own words: it goes into the log."""

    check: str
    outcome: Outcome
    reason: str

    @property
    def line(self) -> str:
        """The message of its log line."""
        loud = f"{Verdict.BROKEN.value}: " if self.outcome is Outcome.BROKEN else ""
        return f"{loud}{self.check}: {self.reason}"


def verdict(findings: Iterable[Finding]) -> Verdict:
    """One broken check outweighs everything; what could not be told is never passed."""
    outcomes = {finding.outcome for finding in findings}
    if Outcome.BROKEN in outcomes:
        return Verdict.BROKEN
    if Outcome.UNKNOWN in outcomes or Outcome.PASSED not in outcomes:
        return Verdict.FAILED
    return Verdict.PASSED
