"""Every endpoint but the token's: who calls, and what they get."""

from collections.abc import Callable, Mapping
from typing import Any

from werkzeug import Request

from tests.local.coze.conversations import Conversations
from tests.local.coze.errors import ApiRefusal, envelope
from tests.local.coze.ledger import Ledger
from tests.local.coze.records import TokenRecord


class Api:
    """The API that access tokens open; ``clock`` gives UNIX seconds."""

    def __init__(self, *, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._conversations = Conversations()

    def answer(self, request: Request, *, logid: str) -> tuple[int, Mapping[str, Any]]:
        """Status and body."""
        try:
            data = self._endpoint(request, self._bearer(request))
        except ApiRefusal as refusal:
            return refusal.status, envelope(
                code=refusal.code, message=refusal.message, data=None, logid=logid
            )
        return 200, envelope(code=0, message="", data=data, logid=logid)

    def _endpoint(self, request: Request, token: TokenRecord) -> dict[str, Any]:
        match request.method, request.path:
            case "POST", "/v1/conversation/create":
                return self._conversations.create(request, token=token, now=self._clock())
            case "GET", "/v1/conversations":
                return self._conversations.list_page(request, token=token)
        raise ApiRefusal(status=404, code=4200, message="the requested resource does not exist")

    def _bearer(self, request: Request) -> TokenRecord:
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = self._ledger.live_token(sent, now=self._clock())
        if token is None:
            raise ApiRefusal(status=401, code=4100, message="authentication is invalid")
        return token
