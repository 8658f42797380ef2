"""What the checks ask with: HTTP within the time that is left, and Coze's API with a token."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coze_sts.coze.answer import log_id
from coze_sts.web import NoAnswer, WebAnswer, send

if TYPE_CHECKING:
    from urllib3 import PoolManager

CALL_SECONDS = 3
NO_ANSWER = -1
"""Stands for Coze's code where no answer came, or one that has no code."""


@dataclass(frozen=True, kw_only=True)
class Wire:
    """`ends` is when everything has to be over, in seconds of time.monotonic."""

    http: PoolManager
    ends: float

    def seconds(self, most: float) -> float:
        """What a call may take; 0 or less where no time is left."""
        return min(most, self.ends - time.monotonic())

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> WebAnswer:
        """Makes one request; raises NoAnswer."""
        return send(
            self.http,
            method=method,
            url=url,
            params=params,
            json=json,
            headers=headers,
            seconds=self.seconds(CALL_SECONDS),
        )


@dataclass(frozen=True, kw_only=True)
class ApiAnswer:
    """What Coze's API answered: its `code` (0 is a success), and the id that support asks for."""

    status: int
    code: int
    log_id: str
    data: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class CozeApi:
    """Coze's API, as a page calls it with its visitor's token."""

    wire: Wire
    api_base: str
    access_token: str = field(repr=False)

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> ApiAnswer:
        """Makes one call; a call that is not answered has the code NO_ANSWER."""
        headers = {"Authorization": f"Bearer {self.access_token}"}
        try:
            answer = self.wire.send(
                method, self.api_base + path, params=params, json=json, headers=headers
            )
        except NoAnswer:
            return ApiAnswer(status=0, code=NO_ANSWER, log_id="-", data={})
        return read(answer)


def read(answer: WebAnswer) -> ApiAnswer:
    """Reads `{"code", "msg", "data"}`; what Coze says in words is left out."""
    body = answer.json_object() or {}
    code, data = body.get("code"), body.get("data")
    return ApiAnswer(
        status=answer.status,
        code=code if type(code) is int else NO_ANSWER,
        log_id=log_id(answer) or "-",
        data=data if isinstance(data, dict) else {},
    )
