"""What all token routes have in common: `rejected_token` comes in, RFC 6749 goes out."""

from __future__ import annotations

import re
from typing import Any

from coze_sts.access_token import AccessToken
from coze_sts.errors import InvalidRequest
from coze_sts.http_event import Request

REJECTED = frozenset({"rejected_token"})

_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
_NONE: frozenset[str] = frozenset()


def token_fields(
    request: Request, *, required: frozenset[str] = _NONE, optional: frozenset[str] = _NONE
) -> dict[str, str]:
    """The body's fields, `rejected_token` among them if it is there; raises InvalidRequest."""
    body = request.fields(required=required, optional=optional | REJECTED)
    rejected = body.get("rejected_token")
    if rejected is not None and not _SHA256_HEX.fullmatch(rejected):
        raise InvalidRequest("rejected_token must be the SHA-256 of a token in lower-case hex.")
    return body


def token_answer(token: AccessToken, *, now: float) -> dict[str, Any]:
    """RFC 6749 section 5.1; `token` repeats it because the newer Web SDK reads either."""
    return {
        "access_token": token.value,
        "token": token.value,
        "token_type": "Bearer",
        "expires_in": int(token.expires_at - now),
        "expires_at": token.expires_at,
    }
