"""The three that the functions call outside AWS, each behind a recorder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest import mock

from tests.canaries.planted import (
    APPID,
    CODE,
    OPENID,
    SECRETS,
    TOKEN,
    TURNSTILE_SECRET,
    TURNSTILE_TOKEN,
    WECHAT_SECRET,
)
from tests.canaries.recorder import Recorder
from tests.local.coze import CozeStandIn, token_endpoint
from tests.local.server import serve
from tests.local.turnstile import TurnstileStandIn
from tests.local.wechat import WechatStandIn


class MarkedWechat(WechatStandIn):
    """WeChat, with planted values in all that it answers."""

    def log_in(self, *, appid: str, user: str) -> str:
        plain = super().log_in(appid=appid, user=user)
        self._logins[CODE + plain] = self._logins.pop(plain)
        return CODE + plain

    def openid(self, *, appid: str, user: str) -> str:
        return OPENID

    def _answer(self, asked: Mapping[str, str]) -> dict[str, Any]:
        answer = super()._answer(asked)
        marks = {name: SECRETS[name] for name in ("session_key", "unionid")}
        return answer | marks if "openid" in answer else answer


class MarkedTurnstile(TurnstileStandIn):
    """Cloudflare, with a planted text in each token."""

    def solve(self, *, hostname: str, action: str = "", cdata: str = "") -> str:
        plain = super().solve(hostname=hostname, action=action, cdata=cdata)
        self._solved[TURNSTILE_TOKEN + plain] = self._solved.pop(plain)
        return TURNSTILE_TOKEN + plain


@dataclass(frozen=True, kw_only=True)
class Outsiders:
    """The recorders, and where they are served; behind them stands who `renew` put there."""

    coze: Recorder
    wechat: Recorder
    cloudflare: Recorder
    urls: dict[str, str]

    @property
    def recorders(self) -> dict[str, Recorder]:
        return {"Coze": self.coze, "WeChat": self.wechat, "Cloudflare": self.cloudflare}

    def renew(self) -> tuple[CozeStandIn, MarkedWechat, MarkedTurnstile]:
        """Puts stand-ins there that remember nothing."""
        coze, wechat = CozeStandIn(), MarkedWechat()
        cloudflare = MarkedTurnstile(secret=TURNSTILE_SECRET)
        wechat.register_app(appid=APPID, secret=WECHAT_SECRET)
        for recorder, app in zip(self.recorders.values(), (coze, wechat, cloudflare), strict=True):
            recorder.app, recorder.quote = app, None
        return coze, wechat, cloudflare


@contextmanager
def outsiders() -> Iterator[Outsiders]:
    """Tokens of Coze's have a planted text in them, and differ."""
    numbers = count(1000)
    marked = SimpleNamespace(token_urlsafe=lambda _size: f"{TOKEN}-{next(numbers)}")
    coze, wechat, cloudflare = Recorder(CozeStandIn()), Recorder(MarkedWechat()), Recorder(_nobody)
    with (
        mock.patch.object(token_endpoint, "secrets", marked),
        serve(coze) as at_coze,
        serve(wechat) as at_wechat,
        serve(cloudflare) as at_cloudflare,
    ):
        urls = {"Coze": at_coze.url, "WeChat": at_wechat.url, "Cloudflare": at_cloudflare.url}
        yield Outsiders(coze=coze, wechat=wechat, cloudflare=cloudflare, urls=urls)


def _nobody(*_: object) -> list[bytes]:
    raise AssertionError("nobody is there yet")
