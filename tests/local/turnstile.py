"""A stand-in for Cloudflare Turnstile's siteverify, strict where Cloudflare's documents are."""

import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from werkzeug import Request, Response

PATH = "/turnstile/v0/siteverify"
LIFETIME_SECONDS = 300
MAX_TOKEN_CHARACTERS = 2048


class Refusal(Exception):
    """The answer is no, for the reason of one error code."""


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """A challenge that a visitor solved, at a time in UNIX seconds."""

    hostname: str
    solved_at: float
    action: str
    cdata: str


class TurnstileStandIn:
    """A WSGI app for one widget. ``requests`` are the parameters of each call it got.

    ``clock`` gives UNIX seconds.
    """

    def __init__(self, *, secret: str, clock: Callable[[], float] = time.time) -> None:
        self.requests: list[Mapping[str, Any]] = []
        self._secret = secret
        self._clock = clock
        self._solved: dict[str, Challenge] = {}
        self._spent: dict[str, str | None] = {}  # token → idempotency_key
        self._faults: deque[tuple[int, bytes]] = deque()
        self._lock = threading.Lock()

    def solve(self, *, hostname: str, action: str = "", cdata: str = "") -> str:
        """The token of a visitor who solves the challenge on a page of this host."""
        token = f"0.{secrets.token_urlsafe(320)}"
        self._solved[token] = Challenge(
            hostname=hostname, solved_at=self._clock(), action=action, cdata=cdata
        )
        return token

    def fail_next(self, *, status: int, body: bytes | Mapping[str, Any], times: int = 1) -> None:
        """Answer the next ``times`` requests so; what they ask for is done all the same."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._faults.extend([(status, raw)] * times)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI."""
        request = Request(environ)
        if (request.method, request.path) != ("POST", PATH):
            return Response(status=404)(environ, start_response)
        body = json.dumps(self._answer(_parameters(request)))
        status, raw = self._faults.popleft() if self._faults else (200, body.encode())
        response = Response(raw, status=status, mimetype="application/json")
        return response(environ, start_response)

    def _answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.requests.append(asked)
        try:
            with self._lock:
                challenge = self._redeem(asked)
        except Refusal as refusal:
            return {"success": False, "error-codes": [str(refusal)], "messages": []}
        return {
            "success": True,
            "error-codes": [],
            "challenge_ts": datetime.fromtimestamp(challenge.solved_at, UTC).isoformat(),
            "hostname": challenge.hostname,
            "action": challenge.action,
            "cdata": challenge.cdata,
        }

    def _redeem(self, asked: Mapping[str, Any]) -> Challenge:
        if not asked.get("secret"):
            raise Refusal("missing-input-secret")
        if asked["secret"] != self._secret:
            raise Refusal("invalid-input-secret")
        token, key = asked.get("response"), asked.get("idempotency_key")
        if not token:
            raise Refusal("missing-input-response")
        if key is not None and not _is_uuid(key):
            raise Refusal("bad-request")
        challenge = self._solved.get(token) if len(token) <= MAX_TOKEN_CHARACTERS else None
        if challenge is None:
            raise Refusal("invalid-input-response")
        if self._clock() >= challenge.solved_at + LIFETIME_SECONDS:
            raise Refusal("timeout-or-duplicate")
        if token in self._spent and (key is None or self._spent[token] != key):
            raise Refusal("timeout-or-duplicate")
        self._spent[token] = key
        return challenge


def _parameters(request: Request) -> Mapping[str, Any]:
    """Those of a form or of a JSON object: Cloudflare takes either."""
    if request.mimetype != "application/json":
        return request.form.to_dict()
    try:
        asked = json.loads(request.get_data())
    except ValueError:
        return {}
    texts = asked if isinstance(asked, dict) else {}
    return {name: value for name, value in texts.items() if isinstance(value, str)}


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
