"""A stand-in that keeps what it is asked and what it says, and may repeat what it was sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import jwt
from werkzeug import Request, Response

from tests.local.server import WsgiApp


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a request carried, in the parts that an answer could quote."""

    authorization: str
    claims: Mapping[str, Any]
    parameters: Mapping[str, str]

    @property
    def everything(self) -> str:
        return json.dumps([self.authorization, self.claims, self.parameters])

    @property
    def segments(self) -> list[str]:
        """The parts of the assertion."""
        return self.authorization.removeprefix("Bearer ").split(".")

    @property
    def names(self) -> list[str]:
        """Whose session it is, and by what their quota is counted."""
        info = self.claims.get("session_context", {}).get("device_info", {})
        return [self.claims.get("session_name", ""), *info.values()]


Quote = Callable[[Sent], Response]


class Recorder:
    """A WSGI app in front of another, in whose place `quote` answers."""

    def __init__(self, app: WsgiApp) -> None:
        self.app = app
        self.asked: list[str] = []
        self.said: list[str] = []
        self.quote: Quote | None = None

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI."""
        request = Request(environ)
        body = request.get_data()
        environ["wsgi.input"] = BytesIO(body)
        self.asked.append(f"{request.method} {request.url}\n{request.headers}\n{body!r}")
        app = self.quote(_sent(request, body)) if self.quote else self.app
        answer = list(app(environ, start_response))
        self.said += map(repr, answer)
        return answer


def _sent(request: Request, body: bytes) -> Sent:
    authorization = request.headers.get("Authorization", "")
    claims = {}
    if authorization:
        unverified = {"verify_signature": False}
        claims = jwt.decode(authorization.removeprefix("Bearer "), options=unverified)
    form = Request.from_values(
        method="POST", input_stream=BytesIO(body), headers=dict(request.headers)
    ).form
    return Sent(
        authorization=authorization,
        claims=claims,
        parameters=request.args.to_dict() | form.to_dict(),
    )
