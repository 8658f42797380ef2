"""Everything outside AWS at one address: Coze, WeChat, and a phone that calls wx.login."""

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug import Request, Response

from tests.local.coze import CozeStandIn
from tests.local.wechat import PATH, WechatStandIn

DEMO_MINI_PROGRAM = "wxdemo0000000000"
LOGIN_PATH = "/demo/wx.login"
CONFIG_PATH = "/demo/coze_oauth_config.json"


class Outside:
    """A WSGI app. ``GET /demo/wx.login?user=…`` answers a code, as the mini-program gets it.

    ``GET /demo/coze_oauth_config.json`` answers ``demo_config``, which is None where the key is
    somebody's own.
    """

    def __init__(
        self, *, coze: CozeStandIn, wechat: WechatStandIn, demo_config: str | None = None
    ) -> None:
        self._coze = coze
        self._wechat = wechat
        self._demo_config = demo_config

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI."""
        request = Request(environ)
        if request.path == PATH:
            return self._wechat(environ, start_response)
        if (request.method, request.path) == ("GET", LOGIN_PATH):
            user = request.args.get("user", "carol")
            code = self._wechat.log_in(appid=DEMO_MINI_PROGRAM, user=user)
            return Response(code, mimetype="text/plain")(environ, start_response)
        if self._demo_config and (request.method, request.path) == ("GET", CONFIG_PATH):
            answer = Response(self._demo_config, mimetype="application/json")
            return answer(environ, start_response)
        return self._coze(environ, start_response)
