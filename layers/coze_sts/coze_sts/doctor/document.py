"""The report as JSON, and as lines for a terminal; the same from a function as from here. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coze_sts.doctor.report import Finding, Language, count, worst
from coze_sts.doctor.words.en import ENGLISH
from coze_sts.doctor.words.zh import CHINESE

LANGUAGES = {"en": ENGLISH, "zh": CHINESE}
INDENT = " " * 4


def document(findings: Sequence[Finding], *, lang: Language) -> dict[str, Any]:
    """What the function returns and `--json` prints."""
    words = LANGUAGES[lang]
    counts = count(findings)
    return {
        "status": worst(findings),
        "counts": counts,
        "summary": words.summary.format(**counts),
        "findings": [_spelled(finding, lang) for finding in findings],
    }


def _spelled(finding: Finding, lang: Language) -> dict[str, Any]:
    words = LANGUAGES[lang]
    message, cure = words.outcomes[finding.key]
    return {
        "check": finding.check,
        "finding": finding.key,
        "status": finding.status,
        "label": words.statuses[finding.status],
        "message": message.format_map(finding.facts),
        "cure": cure.format_map(finding.facts) or None,
        "facts": dict(finding.facts),
    }


def lines(report: Mapping[str, Any]) -> str:
    """What a person reads: a line for each finding, its cure below it, and how many there are."""
    width = max(len(finding["label"]) for finding in report["findings"])
    shown = []
    for finding in report["findings"]:
        label = _padded(finding["label"], width)
        shown.append(f"{label}  {finding['check']}: {finding['message']}")
        if finding["cure"]:
            shown.append(f"{INDENT}→ {finding['cure']}")
    return "\n".join([*shown, "", report["summary"]])


def _padded(label: str, width: int) -> str:
    """A Chinese character is as wide as two others, so a blank of its width fills up."""
    return label.ljust(width, " " if label.isascii() else "\N{IDEOGRAPHIC SPACE}")


def exit_status(report: Mapping[str, Any]) -> int:
    """0 where nothing failed, else 1. What was not looked at is told, and fails nothing."""
    return int(report["status"] == "fail")
