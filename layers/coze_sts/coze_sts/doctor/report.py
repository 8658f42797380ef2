"""What was found: an outcome by its key, with the facts that its words are filled with. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from coze_sts.doctor.outcomes import OUTCOMES, Status

CHECKS = tuple(dict.fromkeys(key.partition(".")[0] for key in OUTCOMES))
"""In the order in which they are looked at."""

SEVERITY: tuple[Status, ...] = ("fail", "warn", "skipped", "ok")
"""The worst first. What was not looked at is never fine."""

Language = Literal["en", "zh"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found. `key` is one of OUTCOMES; no fact is a secret."""

    key: str
    facts: Mapping[str, str | int]

    @property
    def check(self) -> str:
        """Which check it was."""
        return self.key.partition(".")[0]

    @property
    def status(self) -> Status:
        """How bad it is."""
        return OUTCOMES[self.key]


def found(key: str, **facts: str | int) -> Finding:
    """A finding; raises KeyError for an outcome that has no words."""
    if key not in OUTCOMES:
        raise KeyError(key)
    return Finding(key=key, facts=facts)


def count(findings: Iterable[Finding]) -> dict[Status, int]:
    """How many there are of each status."""
    counted = Counter(finding.status for finding in findings)
    return {status: counted[status] for status in reversed(SEVERITY)}


def worst(findings: Iterable[Finding]) -> Status:
    """The status of the worst."""
    there = {finding.status for finding in findings}
    return next((status for status in SEVERITY if status in there), "skipped")
