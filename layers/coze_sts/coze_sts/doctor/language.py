"""What the words of a language are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coze_sts.doctor.outcomes import Status


@dataclass(frozen=True, kw_only=True)
class Words:
    """Labels of the statuses, the last line, and message and cure of each outcome.

    Names in braces are facts of the finding. A cure is empty where there is nothing to mend.
    """

    statuses: Mapping[Status, str]
    summary: str
    outcomes: Mapping[str, tuple[str, str]]
