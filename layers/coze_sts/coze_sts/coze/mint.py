"""Sign and exchange, in one step: a new access token for a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from coze_sts.access_token import AccessToken, from_grant
from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.assertion import claims, new_jti, sign
from coze_sts.coze.grant import exchange
from coze_sts.settings import Settings

if TYPE_CHECKING:
    from urllib3 import PoolManager


def mint(
    http: PoolManager,
    *,
    app: CozeApp,
    settings: Settings,
    session_name: str,
    session_context: dict[str, Any] | None,
    clock: Callable[[], float],
    deadline: float,
    names: tuple[str, ...] = (),
) -> tuple[AccessToken, str | None]:
    """The token and Coze's log id; raises UpstreamRejected or UpstreamUnavailable.

    Also what the app's signer raises. The exchange ends at `deadline` (UNIX seconds), so that a
    slow signature leaves it less time. `names` are kept out of what is said of a failure. Every
    call signs a new assertion: each works once.
    """
    payload = claims(
        app=app,
        session_name=session_name,
        session_context=session_context,
        now=clock(),
        jti=new_jti(),
    )
    assertion = sign(payload, app=app)
    sent_at = clock()
    grant = exchange(
        http,
        url=app.api_base + settings.token_path,
        assertion=assertion,
        duration_seconds=settings.token_duration_seconds,
        scope=settings.scope,
        sent_at=sent_at,
        seconds=deadline - sent_at,
        names=names,
    )
    token = from_grant(
        grant.access_token,
        kid=app.kid,
        sent_at=sent_at,
        granted_until=grant.expires_at,
        duration_seconds=settings.token_duration_seconds,
    )
    return token, grant.log_id
