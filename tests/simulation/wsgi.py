"""HTTP to the stand-in for Coze without a socket: what urllib3 is to the service."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import jwt
from werkzeug.test import Client, TestResponse

from tests.local.coze import CozeStandIn


@dataclass(frozen=True, kw_only=True)
class Sent:
    """An assertion that left this machine, and what became of it."""

    jti: str
    kid: str
    status: int


class WsgiResponse:
    """As much of its response as the service reads."""

    def __init__(self, response: TestResponse) -> None:
        self.status = response.status_code
        self.headers = dict(response.headers)
        self.read1 = io.BytesIO(response.data).read1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class WsgiSession:
    """Posts to the stand-in, and remembers every assertion that was sent.

    `outage` is the status that is answered in place of the stand-in's; 0 is no answer at all.
    """

    def __init__(self, coze: CozeStandIn) -> None:
        self._coze = coze
        self._client = Client(coze)
        self.outage: int | None = None
        self.sent: list[Sent] = []

    def request(
        self,
        *,
        method: str,
        url: str,
        json: dict[str, Any],
        headers: dict[str, str],
        **_options: object,
    ) -> WsgiResponse:
        assert method == "POST"
        if self.outage:
            self._coze.fail_next(status=self.outage, body={"error_code": "x"})
        assertion = headers["Authorization"].removeprefix("Bearer ")
        response = self._answer(url, json, headers) if self.outage != 0 else None
        self.sent.append(
            Sent(
                jti=jwt.decode(assertion, options={"verify_signature": False})["jti"],
                kid=jwt.get_unverified_header(assertion)["kid"],
                status=response.status_code if response else 0,
            )
        )
        if response is None:
            raise ConnectionError
        return WsgiResponse(response)

    def _answer(self, url: str, json: dict[str, Any], headers: dict[str, str]) -> TestResponse:
        parts = urlsplit(url)
        base_url = f"{parts.scheme}://{parts.netloc}"
        return self._client.post(parts.path, base_url=base_url, json=json, headers=headers)
