"""Where the bot is published, by what Coze answered when permissions were looked at. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coze_sts.doctor.checks.permissions import verdict_of
from coze_sts.doctor.report import Finding, found
from coze_sts.doctor.wire import NO_ANSWER, ApiAnswer

NOT_PUBLISHED = 4015
NOWHERE = ApiAnswer(status=0, code=NO_ANSWER, log_id="-", data={})


def check(answers: Mapping[str, ApiAnswer], *, bot_id: str | None) -> list[Finding]:
    """API, Chat SDK, opening statement; `answers` by the permission that was asked for."""
    if bot_id is None or not answers:
        return [found(f"{check}.skipped") for check in ("api", "chat_sdk", "opening")]
    bot = answers.get("getMetadata", NOWHERE)
    channel = [answers.get(name, NOWHERE) for name in ("createConversation", "listConversation")]
    return [_api(bot, bot_id), _chat_sdk(channel, bot_id), _opening(bot)]


def _api(bot: ApiAnswer, bot_id: str) -> Finding:
    facts: dict[str, Any] = {"bot_id": bot_id, "code": bot.code, "log_id": bot.log_id}
    if bot.code == NOT_PUBLISHED:
        return found("api.unpublished", **facts)
    if bot.code == 0:
        return found("api.published", **facts)
    return found("api.refused" if verdict_of(bot) == "seems" else "api.unclear", **facts)


def _chat_sdk(answers: list[ApiAnswer], bot_id: str) -> Finding:
    for answer in answers:
        if answer.code == NOT_PUBLISHED:
            return found("chat_sdk.unpublished", bot_id=bot_id, log_id=answer.log_id)
    published = any(answer.code == 0 for answer in answers)
    return found("chat_sdk.published" if published else "chat_sdk.unclear", bot_id=bot_id)


def _opening(bot: ApiAnswer) -> Finding:
    """What the page shows before the first word."""
    if bot.code != 0:
        return found("opening.skipped")
    onboarding = bot.data.get("onboarding_info")
    prologue = onboarding.get("prologue") if isinstance(onboarding, dict) else None
    return found("opening.there" if prologue else "opening.empty")
