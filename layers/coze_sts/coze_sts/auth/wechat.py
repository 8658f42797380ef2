"""WeChat: which user of the site's mini-program is behind a code of wx.login.

The call is https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session;
codes that it can answer without naming them there are in WeChat's list of general error codes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from coze_sts.auth.third_party import ask, text_fields
from coze_sts.errors import (
    AccessDenied,
    InvalidRequest,
    InvalidToken,
    SlowDown,
    StsError,
    TemporarilyUnavailable,
    UpstreamRejected,
)

if TYPE_CHECKING:
    from urllib3 import PoolManager

SLOW_DOWN_SECONDS = 60
"""WeChat counts by the minute."""

_CODE = re.compile(r"[!-~]{1,128}")
_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")

_BUSY = frozenset({-1})
_CODE_REFUSED = frozenset({40029, 40163, 41008, 42003})
_TOO_OFTEN = frozenset({45009, 45011})
_USER_BLOCKED = frozenset({40226})
_APP_REFUSED = frozenset({40001, 40002, 40013, 40125, 41002, 41004})


@dataclass(frozen=True, kw_only=True)
class WechatApp:
    """The mini-program."""

    appid: str
    secret: str = field(repr=False)


def parse_wechat_app(text: str) -> WechatApp:
    """Reads `{"appid": "…", "secret": "…"}`; raises Misconfigured, never quoting a value."""
    appid, secret = text_fields(text, setting="WECHAT_SECRET_ID", names=("appid", "secret"))
    return WechatApp(appid=appid, secret=secret)


def openid_of(
    http: PoolManager, *, app: WechatApp, api_base: str, code: str, seconds: float
) -> str:
    """The openid of whom wx.login gave `code`, which works once; nothing else is kept.

    Raises InvalidRequest, InvalidToken, AccessDenied or SlowDown for what the visitor did, and
    UpstreamRejected or TemporarilyUnavailable for what the operator or WeChat did.
    """
    if not _CODE.fullmatch(code):
        raise InvalidRequest("code must be what wx.login gave: 1 to 128 visible characters.")
    params = {
        "appid": app.appid,
        "secret": app.secret,
        "js_code": code,
        "grant_type": "authorization_code",
    }
    url = f"{api_base}/sns/jscode2session"
    status, body = ask(http, method="GET", url=url, params=params, seconds=seconds)
    host = urlsplit(url).netloc
    errcode = body.get("errcode", 0)  # a success has none, whatever the documents say
    if errcode != 0:
        raise _failure(errcode, host=host)
    openid = body.get("openid")
    if status != 200 or not isinstance(openid, str) or not _OPENID.fullmatch(openid):
        raise UpstreamRejected(f"{host} answered {status} without a usable openid.")
    return openid


def _failure(errcode: object, *, host: str) -> StsError:
    """Never in WeChat's own words: they may repeat what was sent."""
    code = errcode if isinstance(errcode, int) and abs(errcode) < 10**9 else None
    said = f"{host} answered errcode {code or 'of another kind'}"
    if code in _BUSY:
        return TemporarilyUnavailable(f"{said}: it is busy.")
    if code in _CODE_REFUSED:
        return InvalidToken(
            "code is wrong, used up or too old: call wx.login again.",
            operator=f"{said}. If that is every visitor's, the appid in WECHAT_SECRET_ID is "
            "another mini-program's.",
        )
    if code in _TOO_OFTEN:
        return SlowDown(
            "WeChat takes no more sign-ins for now. Try again after the time in Retry-After.",
            operator=f"{said}: a quota of the mini-program is used up.",
            retry_after=SLOW_DOWN_SECONDS,
        )
    if code in _USER_BLOCKED:
        return AccessDenied(
            "WeChat does not let this user sign in.", operator=f"{said}: a user of high risk."
        )
    if code in _APP_REFUSED:
        return UpstreamRejected(
            f"{said}: store the AppID and the AppSecret of the mini-program in the secret that "
            "WECHAT_SECRET_ID names, as WeChat's console shows them."
        )
    return UpstreamRejected(
        f"{said}: see WeChat's list of general error codes for what is wrong with the mini-program "
        "of WECHAT_SECRET_ID."
    )
