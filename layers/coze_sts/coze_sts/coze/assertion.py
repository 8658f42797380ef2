"""The assertion: the JWT that we sign and that Coze exchanges (RFC 7523 section 3)."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64encode
from typing import Any

from coze_sts.api_base import audience
from coze_sts.coze.app_key import CozeApp

ASSERTION_SECONDS = 120
JTI_BYTES = 48
"""Random bytes of a `jti`. Coze advises more than 32; each assertion works once."""


def new_jti() -> str:
    """A random id: 64 URL-safe characters."""
    return secrets.token_urlsafe(JTI_BYTES)


def claims(
    *,
    app: CozeApp,
    session_name: str,
    session_context: dict[str, Any] | None,
    now: float,
    jti: str,
) -> dict[str, Any]:
    """The payload, as Coze's OAuth JWT documents have it; times in UNIX seconds."""
    payload: dict[str, Any] = {
        "iss": app.client_id,
        "aud": audience(app.api_base),
        "iat": int(now),
        "exp": int(now) + ASSERTION_SECONDS,
        "jti": jti,
        "session_name": session_name,
    }
    if session_context is not None:
        payload["session_context"] = session_context
    return payload


def sign(payload: dict[str, Any], *, app: CozeApp) -> str:
    """A compact JWS (RFC 7515 section 7.1) whose header holds `alg`, `typ` and `kid`, no more.

    Raises what `app.signer` raises.
    """
    header = {"alg": "RS256", "typ": "JWT", "kid": app.kid}
    message = b".".join(_encoded(_json(part)) for part in (header, payload))
    return b".".join((message, _encoded(app.signer.sign(message)))).decode()


def _json(part: dict[str, Any]) -> bytes:
    return json.dumps(part, separators=(",", ":")).encode()


def _encoded(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")
