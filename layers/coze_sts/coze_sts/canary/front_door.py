"""The deployed API, called as its own servers, its pages and strangers call it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from coze_sts.web import WebAnswer, send

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from urllib3 import PoolManager

CALL_SECONDS = 5
"""For one call; what takes longer could not be told."""

BACKEND_TOKEN = "/backend/token"  # noqa: S105 - a path

Body = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class FrontDoor:
    """`endpoint` is the API's base URL, `origin` a page that may call it, where there is one."""

    http: PoolManager
    endpoint: str
    origin: str | None
    credentials: Credentials
    region: str
    seconds_left: Callable[[], float]

    def as_backend(self, body: Body) -> WebAnswer:
        """POST /backend/token, signed; raises NoAnswer."""
        content = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = AWSRequest(
            method="POST", url=self.endpoint + BACKEND_TOKEN, data=content, headers=headers
        )
        frozen = self.credentials.get_frozen_credentials()
        SigV4Auth(frozen, "execute-api", self.region).add_auth(request)
        return self._post(BACKEND_TOKEN, content, dict(request.headers))

    def as_stranger(self, body: Body) -> WebAnswer:
        """POST /backend/token without a signature; raises NoAnswer."""
        return self._post(BACKEND_TOKEN, json.dumps(body).encode(), {})

    def as_page(self, path: str, body: Body, *, bearer: str | None = None) -> WebAnswer:
        """What a page sends, with a sign-in token or without; raises NoAnswer."""
        headers = {"Origin": self.origin} if self.origin else {}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        return self._post(path, json.dumps(body).encode(), headers)

    def _post(self, path: str, content: bytes, headers: Mapping[str, str]) -> WebAnswer:
        return send(
            self.http,
            method="POST",
            url=self.endpoint + path,
            content=content,
            headers={"Content-Type": "application/json", **headers},
            seconds=min(CALL_SECONDS, self.seconds_left()),
        )
