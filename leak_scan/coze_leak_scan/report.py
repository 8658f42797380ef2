"""What is printed: where a secret is, never the secret."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from coze_leak_scan.hit import Finding
from coze_leak_scan.messages import MESSAGES, SNIPPET
from coze_leak_scan.tokens import BODIES

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TOKEN = re.compile(rf"({'|'.join(prefix.decode() for prefix in BODIES)})[\w-]{{12,}}")


@dataclass
class Outcome:
    """What a scan came to."""

    files: int = 0
    findings: list[Finding] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def leaks(self) -> list[Finding]:
        """The findings that no comment allows."""
        return [finding for finding in self.findings if not finding.allowed]

    @property
    def exit_status(self) -> int:
        """0: clean; 1: a leak; 2: not everything could be scanned."""
        if self.leaks:
            return 1
        return 2 if self.faults or not self.files else 0


def printable(text: str) -> str:
    """A name of a file as one line that is no command to a terminal and has no token in it."""
    return _TOKEN.sub(r"\1…", _CONTROL.sub("?", text))


def as_text(outcome: Outcome, *, language: str) -> str:
    """The report for people."""
    say = MESSAGES[language]
    lines = [_line(finding, say) for finding in outcome.findings]
    lines += [say["fault"].format(fault=printable(fault)) for fault in outcome.faults]
    allowed = len(outcome.findings) - len(outcome.leaks)
    counts = {"files": outcome.files, "leaks": len(outcome.leaks), "allowed": allowed}
    summary = {0: "clean", 1: "leaked", 2: "unsure"}[outcome.exit_status]
    lines.append(say[summary].format(**counts))
    if outcome.leaks:
        lines.append(say["cure"] + "\n\n" + SNIPPET)
    return "\n".join(lines)


def as_json(outcome: Outcome, *, language: str) -> str:
    """The report for tools: one JSON object."""
    say = MESSAGES[language]
    findings = [
        {
            "path": printable(finding.path),
            "line": finding.line,
            "column": finding.column,
            "rule": finding.rule,
            "secret": _shown(finding, say),
            "advice": say[finding.rule],
            "allowed": finding.allowed,
        }
        for finding in outcome.findings
    ]
    faults = [printable(fault) for fault in outcome.faults]
    whole = {
        "exit_status": outcome.exit_status,
        "files": outcome.files,
        "findings": findings,
        "faults": faults,
    }
    return json.dumps(whole, ensure_ascii=False, indent=2)


def _line(finding: Finding, say: dict[str, str]) -> str:
    place = f"{printable(finding.path)}:{finding.line}:{finding.column}"
    advice = say["allowed"] if finding.allowed else say[finding.rule]
    return f"{place} {finding.rule} {_shown(finding, say)} — {advice}"


def _shown(finding: Finding, say: dict[str, str]) -> str:
    if not finding.length:
        return finding.head
    return say["length"].format(head=finding.head, length=finding.length)
