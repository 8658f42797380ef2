"""What Coze's answer to an exchange means. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from coze_sts.errors import (
    RateLimited,
    StsError,
    UnknownKey,
    UpstreamRejected,
    UpstreamUnavailable,
)
from coze_sts.web import MAX_BODY_BYTES, WebAnswer

EARLIEST_ABSOLUTE = 10**9
"""Coze's `expires_in` is a UNIX time; a value below this one is a duration after all."""

MAX_RETRY_AFTER_SECONDS = 300

_RETRYABLE_STATUSES = frozenset({408, 500, 502, 503, 504})
_RETRYABLE_CODES = frozenset({"internal_error", "temporarily_unavailable"})
_UNKNOWN_KID = re.compile(r"kid.*regist", re.IGNORECASE | re.DOTALL)
_SECRETS = re.compile(
    r"ey[\w-]+\.[\w.-]+|(czs|pat|sat|cztei)_[\w.~+/=-]+|-----BEGIN.*"
    r"|[\w.~+/=-]{24,}"  # half an assertion, or a name in hex or base64
    r"|\S*(%[0-9A-Fa-f]|\\[ux])[0-9A-Fa-f]\S*",  # a name in escapes
    re.DOTALL | re.ASCII,
)
MAX_SEARCHED = 1000
"""Characters."""

MIN_TOLD, PIECE = 3, 5
"""Characters: a shorter name stands in other words by chance, a shorter piece of it too."""

_REMOVED = "[removed]"

_TOKEN = re.compile(r"[!-~]+")
"""VSCHAR of RFC 6749 appendix A.12, without the space."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What Coze granted; `expires_at` in UNIX seconds."""

    access_token: str = field(repr=False)
    expires_at: int
    log_id: str | None


def read_grant(
    answer: WebAnswer, *, host: str, sent_at: float, names: tuple[str, ...] = ()
) -> Grant:
    """Reads a success; raises UpstreamRejected or UpstreamUnavailable for all else.

    Coze's own words are in what is raised, but none of the `names`.
    """
    if len(answer.body) > MAX_BODY_BYTES and answer.status == 200:
        raise UpstreamRejected(f"{host} answered {MAX_BODY_BYTES} bytes and more. {_trace(answer)}")
    body = answer.json_object()
    if answer.status != 200 or body is None or "access_token" not in body:
        raise _failure(answer, body or {}, host=host, names=names)
    token, expires_in = body["access_token"], _whole_number(body.get("expires_in"))
    if not _is_token(token) or expires_in is None or expires_in <= 0:
        raise UpstreamRejected(f"{host} answered 200 without a usable token. {_trace(answer)}")
    expires_at = expires_in if expires_in >= EARLIEST_ABSOLUTE else int(sent_at) + expires_in
    return Grant(access_token=token, expires_at=expires_at, log_id=log_id(answer))


def _failure(
    answer: WebAnswer, body: dict[str, Any], *, host: str, names: tuple[str, ...]
) -> StsError:
    """Coze's error shapes: {error_code, error_message, error} and {code, msg}."""
    code = str(body.get("error_code") or body.get("error") or body.get("code") or "no code")
    message = str(body.get("error_message") or body.get("msg") or body.get("error") or "")
    words = f"({_safe(code, names, most=40)}): {_safe(message, names)}"
    said = f"{host} answered {answer.status} {words} {_trace(answer)}"
    if answer.status == 429 or code == "slow_down":
        return RateLimited(said, asked_seconds=_retry_after(answer))
    if answer.status in _RETRYABLE_STATUSES or code in _RETRYABLE_CODES:
        return UpstreamUnavailable(said, asked_seconds=_retry_after(answer))
    # A refusal of another kind may quote a visitor's name, and the name may say anything.
    unauthorized = code == "invalid_client" or answer.status == 401
    if unauthorized and _UNKNOWN_KID.search(message[:MAX_SEARCHED]):
        return UnknownKey(
            f"{said} Coze's host {host} does not know this key. Usually the key belongs to the "
            "other region: coze_api_base must be https://api.coze.cn for an app of coze.cn and "
            "https://api.coze.com for one of coze.com. Else compare public_key_id with the "
            "fingerprint in the OAuth app's settings; a new key needs some seconds to apply.",
            unauthorized=True,
        )
    return UpstreamRejected(f"{said} {_CURES.get(code, _OTHER_CURE)}", unauthorized=unauthorized)


_CURES = {
    "invalid_client": "Check client_id, public_key_id and that the key that signs belongs to them.",
    "invalid_request": "Check TOKEN_DURATION_SECONDS, CONNECTOR_ID and the session name.",
    "access_deny": "Check the OAuth app's permissions, and that it is installed in the workspace.",
    "unsupported_grant_type": "The OAuth app must be of the type JWT.",
}
_OTHER_CURE = "Check the OAuth app at Coze; its support asks for the log id."


def _is_token(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def _whole_number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 16:
        return int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**53:
        return int(value)
    return None


def _retry_after(answer: WebAnswer) -> int:
    """Coze's own wish in whole seconds, within bounds; 0 where it names none."""
    value = answer.headers.get("retry-after", "")
    seconds = int(value) if value.isascii() and value.isdecimal() and len(value) < 9 else 0
    return min(seconds, MAX_RETRY_AFTER_SECONDS)


def _safe(message: str, names: tuple[str, ...], *, most: int = 200) -> str:
    """Coze's words for the log: one short line, without a name or what looks like a secret."""
    # Cut before the search as well: it takes the square of the length in time.
    words = message[:MAX_SEARCHED]
    if any(_tells(words, name) for name in names):
        return _REMOVED
    return _SECRETS.sub(_REMOVED, " ".join(words.split()))[:most]


def _tells(words: str, name: str) -> bool:
    """Whether some of the name is in the words, in capitals, escapes or cut short as it may be."""
    told, name = words.casefold(), name.casefold()
    pieces = (name[start : start + PIECE] for start in range(max(1, len(name) - PIECE + 1)))
    return len(name) >= MIN_TOLD and any(piece in told for piece in pieces)


def _trace(answer: WebAnswer) -> str:
    return f"x-tt-logid {log_id(answer) or 'absent'}."


def log_id(answer: WebAnswer) -> str | None:
    """The id that Coze's support asks for."""
    value = answer.headers.get("x-tt-logid")
    return re.sub(r"[^\w-]", "", value)[:64] if value else None
