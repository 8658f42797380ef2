"""Sign and exchange, in one step: a new access token for a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_sts.access_token import AccessToken, from_grant
from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.assertion import claims, new_jti, sign
from coze_sts.coze.grant import exchange
from coze_sts.settings import Settings

if TYPE_CHECKING:
    import requests


def mint(
    http: requests.Session,
    *,
    app: CozeApp,
    settings: Settings,
    session_name: str,
    session_context: dict[str, Any] | None,
    now: float,
    seconds: float,
    names: tuple[str, ...] = (),
) -> tuple[AccessToken, str | None]:
    """The token and Coze's log id; raises UpstreamRejected or UpstreamUnavailable.

    `seconds` bound the exchange; `names` are kept out of what is said of a failure. Every call
    signs a new assertion: each works once.
    """
    payload = claims(
        app=app,
        session_name=session_name,
        session_context=session_context,
        now=now,
        jti=new_jti(),
    )
    grant = exchange(
        http,
        url=app.api_base + settings.token_path,
        assertion=sign(payload, app=app),
        duration_seconds=settings.token_duration_seconds,
        scope=settings.scope,
        sent_at=now,
        seconds=seconds,
        names=names,
    )
    token = from_grant(
        grant.access_token,
        kid=app.kid,
        sent_at=now,
        granted_until=grant.expires_at,
        duration_seconds=settings.token_duration_seconds,
    )
    return token, grant.log_id
