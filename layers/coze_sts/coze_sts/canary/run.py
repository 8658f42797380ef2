"""A whole run: two tokens, every lie, two sessions at Coze. It leaves nothing new behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from coze_sts.canary import isolation
from coze_sts.canary.coze_api import CozeApi
from coze_sts.canary.finding import Finding, Outcome
from coze_sts.canary.front_door import FrontDoor
from coze_sts.canary.refusals import refused
from coze_sts.settings import Settings
from coze_sts.web import NoAnswer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SESSIONS = ("coze-sts-canary-1", "coze-sts-canary-2")
"""Always the same: their tokens are cached and their conversations used again."""

TOKENS_DIFFER = "the two sessions have tokens of their own"


def run(
    door: FrontDoor, *, settings: Settings, key: RSAPrivateKey, clock: Callable[[], float]
) -> Iterator[Finding]:
    """Makes every check, one after the other; raises nothing that a door or Coze can cause."""
    tokens = []
    for session_name in SESSIONS:
        token, finding = _token(door, session_name)
        tokens.append(token)
        yield finding
    had = [token for token in tokens if token is not None]
    yield _differ(had)
    yield from refused(door, settings=settings, name=SESSIONS[0], key=key, clock=clock)
    yield from _at_coze(door, settings, had)


def _token(door: FrontDoor, session_name: str) -> tuple[str | None, Finding]:
    check = f"{session_name} gets a token"
    try:
        answer = door.as_backend({"session_name": session_name})
    except NoAnswer as failure:
        reason = f"no answer ({failure})"
        return None, Finding(check=check, outcome=Outcome.UNKNOWN, reason=reason)
    token = (answer.json_object() or {}).get("access_token")
    if answer.status == 200 and isinstance(token, str):
        return token, Finding(check=check, outcome=Outcome.PASSED, reason="answered 200")
    reason = f"answered {answer.status} without a token"
    return None, Finding(check=check, outcome=Outcome.UNKNOWN, reason=reason)


def _differ(had: Sequence[str]) -> Finding:
    outcome, reason = Outcome.PASSED, "they differ"
    if len(had) < len(SESSIONS):
        outcome, reason = Outcome.UNKNOWN, "a token is missing"
    elif len(set(had)) < len(had):
        outcome, reason = Outcome.BROKEN, "both got the same token"
    return Finding(check=TOKENS_DIFFER, outcome=outcome, reason=reason)


def _at_coze(door: FrontDoor, settings: Settings, had: Sequence[str]) -> Iterator[Finding]:
    if settings.canary_bot_id is None or settings.coze_api_base is None:
        yield from isolation.not_tried("CANARY_BOT_ID or COZE_API_BASE is not set")
        return
    if len(had) < len(SESSIONS):
        yield from isolation.not_tried("a token is missing", outcome=Outcome.UNKNOWN)
        return
    coze = CozeApi(
        http=door.http,
        api_base=settings.coze_api_base,
        bot_id=settings.canary_bot_id,
        seconds_left=door.seconds_left,
    )
    yield from isolation.kept_apart(coze, had)
