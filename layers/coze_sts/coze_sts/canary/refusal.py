"""One lie, and what its answer says of the door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coze_sts.canary.finding import Finding, Outcome
from coze_sts.web import NoAnswer, WebAnswer

GIVEN = frozenset({"access_token", "token", "guest_ticket", "assertion"})
"""Fields of an answer that gives somebody something."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A lie and the statuses that refuse it; `ask` raises NoAnswer."""

    check: str
    ask: Callable[[], WebAnswer]
    statuses: frozenset[int]


def examine(refusal: Refusal) -> Finding:
    """Only a documented refusal has passed; only a door that gave something is broken."""
    try:
        answer = refusal.ask()
    except NoAnswer as failure:
        reason = f"no answer ({failure})"
        return Finding(check=refusal.check, outcome=Outcome.UNKNOWN, reason=reason)
    due = " or ".join(map(str, sorted(refusal.statuses)))
    outcome, reason = Outcome.UNKNOWN, f"answered {answer.status} where {due} was due"
    if GIVEN & (answer.json_object() or {}).keys():
        outcome, reason = Outcome.BROKEN, f"a token was given ({answer.status}) where {due} was due"
    elif answer.status in refusal.statuses:
        outcome, reason = Outcome.PASSED, f"refused with {answer.status}"
    return Finding(check=refusal.check, outcome=outcome, reason=reason)
