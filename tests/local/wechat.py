"""A stand-in for WeChat's jscode2session, strict where WeChat's documents and answers are."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug import Request, Response

PATH = "/sns/jscode2session"
LIFETIME_SECONDS = 300
MESSAGES = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40013: "invalid appid",
    40029: "invalid code",
    40125: "invalid appsecret",
    40163: "code been used",
    40226: "code blocked",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
}


class Refusal(Exception):
    """The answer is no; ``errcode`` says why."""

    def __init__(self, errcode: int) -> None:
        super().__init__(errcode)
        self.errcode = errcode


@dataclass(frozen=True, kw_only=True)
class Login:
    """What a call of wx.login left behind, at a time in UNIX seconds."""

    appid: str
    user: str
    at: float


class WechatStandIn:
    """A WSGI app. ``requests`` are the parameters of each call it got.

    ``clock`` gives UNIX seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.requests: list[Mapping[str, str]] = []
        self._clock = clock
        self._secrets: dict[str, str] = {}  # by appid
        self._logins: dict[str, Login] = {}  # by code
        self._used: set[str] = set()
        self._faults: deque[tuple[int, bytes]] = deque()
        self._lock = threading.Lock()

    def register_app(self, *, appid: str, secret: str) -> None:
        """Make a mini-program known, as its owner does in WeChat's console."""
        self._secrets[appid] = secret

    def log_in(self, *, appid: str, user: str) -> str:
        """The code that wx.login gives a user in a mini-program."""
        code = "0" + secrets.token_hex(16)[1:]
        self._logins[code] = Login(appid=appid, user=user, at=self._clock())
        return code

    def openid(self, *, appid: str, user: str) -> str:
        """What WeChat calls a user in a mini-program: always the same, and elsewhere another."""
        digest = hashlib.sha256(json.dumps([appid, user]).encode()).digest()
        return "o" + base64.urlsafe_b64encode(digest).decode()[:27]

    def fail_next(
        self, errcode: int = -1, *, status: int = 200, body: bytes | None = None, times: int = 1
    ) -> None:
        """Answer the next ``times`` requests so; their codes are used all the same."""
        raw = json.dumps(_refused(errcode)).encode() if body is None else body
        self._faults.extend([(status, raw)] * times)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI. Real answers are JSON that calls itself text/plain."""
        request = Request(environ)
        if (request.method, request.path) != ("GET", PATH):
            return Response(status=404)(environ, start_response)
        body = json.dumps(self._answer(request.args.to_dict()))
        status, raw = self._faults.popleft() if self._faults else (200, body.encode())
        return Response(raw, status=status, mimetype="text/plain")(environ, start_response)

    def _answer(self, asked: Mapping[str, str]) -> dict[str, Any]:
        self.requests.append(asked)
        try:
            with self._lock:
                login = self._use(asked)
        except Refusal as refusal:
            return _refused(refusal.errcode)
        return {
            "session_key": base64.b64encode(secrets.token_bytes(16)).decode(),
            "openid": self.openid(appid=login.appid, user=login.user),
            "unionid": self.openid(appid="", user=login.user),
        }

    def _use(self, asked: Mapping[str, str]) -> Login:
        for name, missing in (("appid", 41002), ("secret", 41004), ("js_code", 41008)):
            if not asked.get(name):
                raise Refusal(missing)
        if asked.get("grant_type") != "authorization_code":
            raise Refusal(40002)
        if asked["appid"] not in self._secrets:
            raise Refusal(40013)
        if asked["secret"] != self._secrets[asked["appid"]]:
            raise Refusal(40125)
        login = self._logins.get(asked["js_code"])
        if login is None or login.appid != asked["appid"]:
            raise Refusal(40029)
        if asked["js_code"] in self._used:
            raise Refusal(40163)
        if self._clock() >= login.at + LIFETIME_SECONDS:
            raise Refusal(40029)
        self._used.add(asked["js_code"])
        return login


def _refused(errcode: int) -> dict[str, Any]:
    rid = "-".join(secrets.token_hex(4) for _ in range(3))
    message = MESSAGES.get(errcode, "an error of which nobody knows")
    return {"errcode": errcode, "errmsg": f"{message}, rid: {rid}"}
