"""Lambda's own server of credentials, which a function with SnapStart has in place of variables."""

import json
import secrets
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any


class CredentialsStandIn:
    """A WSGI app; `access_key` is what the emulator of AWS lets in."""

    def __init__(self, *, access_key: str) -> None:
        self.authorization = secrets.token_urlsafe(16)
        self.access_key = access_key
        self.secret_key = secrets.token_urlsafe(30)
        self.session_token = secrets.token_urlsafe(60)
        self.asked = 0
        self._lock = threading.Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """The credentials, for whoever has the function's own token."""
        if environ.get("HTTP_AUTHORIZATION") != self.authorization:
            start_response("403 Forbidden", [])
            return []
        with self._lock:
            self.asked += 1
        expires = datetime.now(UTC) + timedelta(hours=6)
        found = {
            "AccessKeyId": self.access_key,
            "SecretAccessKey": self.secret_key,
            "Token": self.session_token,
            "Expiration": expires.isoformat(),
        }
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(found).encode()]

    def environment(self, url: str) -> dict[str, str]:
        """What Lambda tells the function."""
        return {
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/2021-04-23/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self.authorization,
        }
