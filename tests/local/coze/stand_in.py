"""The stand-in itself: routes, faults, headers."""

import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from werkzeug import Request, Response

from tests.local.coze import token_endpoint
from tests.local.coze.account import Account, Channel
from tests.local.coze.api import Api
from tests.local.coze.errors import OAuthRefusal
from tests.local.coze.ledger import Ledger
from tests.local.coze.records import AppKind, TokenRecord

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "*, Authorization",
    "Access-Control-Expose-Headers": "x-tt-logid",
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An answer to give in place of the real one."""

    status: int
    body: bytes | Mapping[str, Any]
    headers: Mapping[str, str]


class CozeStandIn:
    """A WSGI app that answers as Coze does, and remembers what it was asked.

    ``clock`` gives UNIX seconds. ``delay_seconds`` is slept before each answer of the token
    endpoint; ``relative_expires_in`` makes it answer a duration instead of an absolute time.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._ledger = Ledger()
        self._account = Account()
        self._api = Api(ledger=self._ledger, account=self._account, clock=clock)
        self._faults: deque[Fault] = deque()
        self._lock = threading.Lock()
        self.exchanges = self._ledger.exchanges
        self.tokens = self._ledger.tokens
        self.chat_requests = self._api.chat_requests
        self.requests_seen = 0
        self.delay_seconds = 0.0
        self.relative_expires_in = False

    def register_app(
        self, *, client_id: str, kid: str, public_key_pem: str, kind: AppKind = "ordinary"
    ) -> None:
        """Make a public key of an app known, as the operator does in Coze's console."""
        self._ledger.register(
            client_id=client_id, kid=kid, public_key_pem=public_key_pem, kind=kind
        )

    def forget_key(self, *, kid: str) -> None:
        """Delete one public key, as the operator does at the end of a rotation."""
        del self._ledger.apps[kid]

    def disable_app(self, *, client_id: str) -> None:
        """Disable an app: no new token, and every old one ends."""
        self._ledger.disabled.add(client_id)

    def refuse_token(self, access_token: str) -> None:
        """End a token before its time: the API answers 4100 with status 401 from now on."""
        self._ledger.refused.add(access_token)

    def withdraw_permission(self, name: str) -> None:
        """Take a permission from every app, by the name that ordinary apps know it by.

        What needs it answers 4101 with status 403, whatever the token.
        """
        self._account.withdrawn.add(name)

    def restore_permission(self, name: str) -> None:
        """Give a permission back."""
        self._account.withdrawn.discard(name)

    def publish(self, channel: Channel) -> None:
        """Publish every bot to a channel, as they are at the start."""
        self._account.channels.add(channel)

    def unpublish(self, channel: Channel) -> None:
        """Take every bot from a channel.

        Without ``api`` its configuration answers 4015 with status 200; chats go on until it is
        on no channel at all.
        """
        self._account.channels.discard(channel)

    @property
    def chats_left(self) -> int | None:
        """How many chats there are until 4028, which has status 200; None: no end."""
        return self._account.chats_left

    @chats_left.setter
    def chats_left(self, number: int | None) -> None:
        self._account.chats_left = number

    def fail_next(
        self,
        *,
        status: int,
        body: bytes | Mapping[str, Any],
        headers: Mapping[str, str] = NO_HEADERS,
        times: int = 1,
    ) -> None:
        """Answer the next ``times`` token requests so; their assertions are spent all the same."""
        self._faults.extend([Fault(status=status, body=body, headers=headers)] * times)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI."""
        request = Request(environ)
        logid = self._new_logid()
        if token_endpoint.PATH.fullmatch(request.path):
            response = self._token(request)
        else:
            response = self._answer_api(request, logid)
        response.headers.setdefault("x-tt-logid", logid)
        return response(environ, start_response)

    def _token(self, request: Request) -> Response:
        body = request.get_data()
        with self._lock:
            self.requests_seen += 1
            fault = self._faults.popleft() if self._faults else None
        time.sleep(self.delay_seconds)
        if fault:
            token_endpoint.waste(request, ledger=self._ledger)
            return _answer(fault.status, fault.body, headers=fault.headers)
        try:
            token = token_endpoint.exchange(request, body, ledger=self._ledger, now=self._clock())
        except OAuthRefusal as refusal:
            return _answer(refusal.status, refusal.body)
        return _answer(200, self._token_body(token))

    def _token_body(self, token: TokenRecord) -> dict[str, Any]:
        relative = self.relative_expires_in
        return {
            "access_token": token.access_token,
            "expires_in": token.duration_seconds if relative else token.expires_at,
            "token_type": "Bearer",
        }

    def _answer_api(self, request: Request, logid: str) -> Response:
        if request.method == "OPTIONS":
            return Response(status=204, headers=CORS)
        response = self._api.answer(request, logid=logid)
        response.headers.update(CORS)
        return response

    def _new_logid(self) -> str:
        stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(self._clock()))
        return stamp + secrets.token_hex(9).upper()


def _answer(
    status: int, body: bytes | Mapping[str, Any], *, headers: Mapping[str, str] = NO_HEADERS
) -> Response:
    if isinstance(body, bytes):
        return Response(body, status=status, headers=dict(headers))
    response = Response(json.dumps(body), status=status, mimetype="application/json")
    response.headers.update(headers)
    return response
