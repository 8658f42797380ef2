"""What Turnstile and WeChat have in common: a stored secret, and an API that answers in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from coze_sts.errors import Misconfigured, TemporarilyUnavailable

if TYPE_CHECKING:
    from urllib3 import PoolManager

_TEXT = re.compile(r"[!-~]{1,256}")


def text_fields(secret: str, *, setting: str, names: tuple[str, ...]) -> list[str]:
    """The texts under `names` in a JSON object, without the blanks around them.

    Raises Misconfigured with a sentence that names the setting and the fields, never a value.
    """
    try:
        stored = json.loads(secret.removeprefix("\ufeff"))  # Windows editors put it there
    except (ValueError, RecursionError):
        stored = None
    values = [stored.get(name) for name in names] if isinstance(stored, dict) else []
    texts = [value.strip() for value in values if isinstance(value, str)]
    if len(texts) < len(names) or not all(_TEXT.fullmatch(text) for text in texts):
        shape = ", ".join(f'"{name}": "…"' for name in names)
        raise Misconfigured(
            f"{setting} must hold the JSON object {{{shape}}}, its texts in visible ASCII."
        )
    return texts


def ask(
    http: PoolManager,
    *,
    method: str,
    url: str,
    params: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    seconds: float,
) -> tuple[int, dict[str, Any]]:
    """The status and the JSON object of an answer, asked for once, whatever its content type.

    Raises TemporarilyUnavailable, quoting neither the answer nor what was sent.
    """
    from coze_sts.web import NoAnswer, send  # noqa: PLC0415 - most requests need no HTTP

    host = urlsplit(url).netloc
    try:
        answer = send(http, method=method, url=url, params=params, form=form, seconds=seconds)
    except NoAnswer as cause:
        raise TemporarilyUnavailable(f"{host} did not answer: {cause}.") from None
    body = answer.json_object()
    if body is None or answer.status == 429 or answer.status >= 500:
        raise TemporarilyUnavailable(f"{host} answered {answer.status} and nothing of use.")
    return answer.status, body
