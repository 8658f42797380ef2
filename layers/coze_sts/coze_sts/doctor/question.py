"""What whoever calls the doctor may ask of it: the event of the function, the command's options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from coze_sts.api_base import parse_api_base
from coze_sts.doctor.report import Language
from coze_sts.errors import InvalidRequest
from coze_sts.settings import ID, ORIGIN

_LANGUAGE = re.compile("en|zh")
PATTERNS = {"lang": _LANGUAGE, "bot_id": ID, "origin": ORIGIN}
FIELDS = ("lang", "bot_id", "origin", "endpoint")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What to look at beside the settings: a bot, one origin, the API's own URL."""

    lang: Language = "en"
    bot_id: str | None = None
    origin: str | None = None
    endpoint: str | None = None


def read_question(fields: object) -> Question:
    """Reads an event; null counts as not there. Raises InvalidRequest that names every fault."""
    if not isinstance(fields, Mapping):
        raise InvalidRequest(f"It takes a JSON object: {', '.join(FIELDS)}.")
    given = {name: value for name, value in fields.items() if value is not None}
    faults = ["a field is unknown"] if given.keys() - set(FIELDS) else []
    faults += [
        f"{name} must match {pattern.pattern}"
        for name, pattern in PATTERNS.items()
        if name in given and not pattern.fullmatch(str(given[name]))
    ]
    try:
        endpoint = parse_api_base(str(given["endpoint"])) if "endpoint" in given else None
    except ValueError as fault:
        faults.append(f"endpoint {fault}")
    if faults:
        raise InvalidRequest(f"It takes {', '.join(FIELDS)}: {'; '.join(faults)}.")
    return Question(
        lang="zh" if given.get("lang") == "zh" else "en",
        bot_id=_text(given, "bot_id"),
        origin=_text(given, "origin"),
        endpoint=endpoint,
    )


def _text(given: Mapping[str, object], name: str) -> str | None:
    return str(given[name]) if name in given else None
