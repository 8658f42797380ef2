"""As much of Coze's API as the canary needs: conversations and their messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coze_sts.canary.front_door import CALL_SECONDS
from coze_sts.coze.answer import log_id
from coze_sts.web import WebAnswer, send

if TYPE_CHECKING:
    from urllib3 import PoolManager

WORDS = "Written by the isolation canary of Coze STS. It is not a visitor's."
PAGE = {"page_num": "1", "page_size": "50"}

_NO_WORD_ON_ACCESS = frozenset({4008, 4009, 4013, 4100, 700012006})
"""Codes for limits, for being busy and for a token that ended: they would meet the owner too."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Coze's answer; `code` is None where it has none."""

    status: int
    code: int | None
    data: Any
    log_id: str | None

    @property
    def granted(self) -> bool:
        """Whether Coze did what it was asked."""
        return self.status == 200 and self.code == 0

    @property
    def tells_nothing(self) -> bool:
        """Whether it says something of Coze's state and nothing of who may read what."""
        unsure = self.status in {401, 408, 429} or self.status >= 500
        return unsure or self.code is None or self.code in _NO_WORD_ON_ACCESS

    def __str__(self) -> str:
        return f"Coze answered {self.status}, code {self.code}, x-tt-logid {self.log_id}"


@dataclass(frozen=True, kw_only=True)
class CozeApi:
    """Each call raises NoAnswer."""

    http: PoolManager
    api_base: str
    bot_id: str
    seconds_left: Callable[[], float]

    def conversations(self, token: str) -> Reply:
        """The newest conversations of the token's session with this bot."""
        params = {"bot_id": self.bot_id, **PAGE}
        return self._call(token, "GET", "/v1/conversations", params=params)

    def create(self, token: str) -> Reply:
        """A conversation with one message in it; Coze keeps it."""
        message = {"role": "user", "content": WORDS, "content_type": "text"}
        body = {"bot_id": self.bot_id, "name": "coze-sts-canary", "messages": [message]}
        return self._call(token, "POST", "/v1/conversation/create", json=body)

    def messages(self, token: str, conversation_id: str) -> Reply:
        """What was said in a conversation, whoever's it is."""
        params = {"conversation_id": conversation_id}
        path = "/v1/conversation/message/list"
        return self._call(token, "POST", path, params=params, json={"limit": 1})

    def _call(
        self,
        token: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> Reply:
        answer = send(
            self.http,
            method=method,
            url=self.api_base + path,
            params=params,
            json=json,
            headers={"Authorization": f"Bearer {token}"},
            seconds=min(CALL_SECONDS, self.seconds_left()),
        )
        return _reply(answer)


def _reply(answer: WebAnswer) -> Reply:
    body = answer.json_object() or {}
    code = body.get("code")
    return Reply(
        status=answer.status,
        code=code if type(code) is int else None,
        data=body.get("data"),
        log_id=log_id(answer),
    )
