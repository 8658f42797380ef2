"""Every endpoint but the token's: who calls, and what they get."""

import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug import Request, Response

from tests.local.coze import bots, files
from tests.local.coze.account import Account
from tests.local.coze.call import Answer, Call, EventStream
from tests.local.coze.chat import Chats
from tests.local.coze.conversations import Conversations
from tests.local.coze.errors import ApiRefusal, envelope, not_found
from tests.local.coze.ledger import Ledger
from tests.local.coze.messages import Messages
from tests.local.coze.records import ChatRequest, TokenRecord

CHAT_PATH = "/v3/chat"
FIRST_ID = 7_379_996_104_798_150_000


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """What answers one method on one path, and the permissions that it asks of the app."""

    route: re.Pattern[str]
    permissions: tuple[str, ...]
    answer: Callable[[Call], Answer]


class Api:
    """The API that access tokens open; ``clock`` gives UNIX seconds.

    ``chat_requests`` are the chats that were asked for, in the order of their answers.
    """

    def __init__(self, *, ledger: Ledger, account: Account, clock: Callable[[], float]) -> None:
        self._ledger = ledger
        self._account = account
        self._clock = clock
        self._endpoints = _endpoints(account)
        self.chat_requests: list[ChatRequest] = []

    def answer(self, request: Request, *, logid: str) -> Response:
        """The whole response."""
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        now = self._clock()
        token = self._ledger.live_token(sent, now=now)
        code, response = 0, None
        try:
            answered = self._endpoint(request, token, now=now)
            response = _response(answered, logid=logid)
        except ApiRefusal as refusal:
            code, response = refusal.code, _refused(refusal, logid=logid)
        if (request.method, request.path) == ("POST", CHAT_PATH):
            self.chat_requests.append(_chat_request(request, sent, token, code=code))
        return response

    def _endpoint(self, request: Request, token: TokenRecord | None, *, now: float) -> Answer:
        if token is None:
            raise ApiRefusal(status=401, code=4100, message="authentication is invalid")
        for endpoint in self._endpoints:
            if endpoint.route.fullmatch(f"{request.method} {request.path}"):
                self._account.check_permissions(endpoint.permissions)
                return endpoint.answer(Call(request=request, token=token, now=now))
        raise not_found()


def _endpoints(account: Account) -> list[Endpoint]:
    """Each endpoint with the permissions that Coze's documents name for it."""
    ids = itertools.count(FIRST_ID)

    def new_id() -> str:
        return str(next(ids))

    conversations, messages = Conversations(new_id=new_id, account=account), Messages()
    chats = Chats(conversations=conversations, messages=messages, account=account, new_id=new_id)

    def create(call: Call) -> Answer:
        created = conversations.create(call)
        messages.begin(call, conversation_id=created["id"], new_id=new_id)
        return {"data": created}

    def message_list(call: Call) -> Answer:
        conversation = conversations.own(call, call.argument("conversation_id"))
        return messages.page(call, conversation_id=conversation.id)

    def bot(call: Call) -> Answer:
        return bots.configuration(call, account=account)

    return [
        Endpoint(route=re.compile(route), permissions=permissions, answer=answer)
        for route, permissions, answer in (
            ("GET /v1/bots/[^/]+", ("getMetadata",), bot),
            ("POST /v1/conversation/create", ("createConversation",), create),
            ("GET /v1/conversations", ("listConversation",), conversations.list_page),
            (
                "PUT /v1/conversations/[^/]+",
                ("editConversation",),
                conversations.rename,
            ),
            ("POST /v1/conversation/message/list", ("chat", "listMessage"), message_list),
            ("POST /v3/chat", ("chat",), chats.create),
            # The documents say GET, the SDKs send POST.
            ("(GET|POST) /v3/chat/retrieve", ("getChat",), chats.retrieve),
            ("GET /v3/chat/message/list", ("chat", "listMessage"), chats.replies),
            ("POST /v3/chat/cancel", ("cancelChat",), chats.cancel),
            ("POST /v1/files/upload", ("uploadFile",), files.without_file),
            ("POST /v1/audio/transcriptions", ("createTranscription",), files.without_file),
            ("POST /v1/audio/speech", ("createSpeech",), files.without_input),
        )
    ]


def _response(answer: Answer, *, logid: str) -> Response:
    if isinstance(answer, EventStream):
        return Response(answer.events, mimetype="text/event-stream")
    return _json(200, envelope(code=0, message="", fields=answer, logid=logid))


def _refused(refusal: ApiRefusal, *, logid: str) -> Response:
    body = envelope(code=refusal.code, message=refusal.message, fields={}, logid=logid)
    return _json(refusal.status, body)


def _json(status: int, body: Mapping[str, Any]) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")


def _chat_request(
    request: Request, sent: str, token: TokenRecord | None, *, code: int
) -> ChatRequest:
    try:
        body = json.loads(request.get_data())
    except ValueError:
        body = {}
    return ChatRequest(
        access_token=sent,
        session_name=token.session_name if token else None,
        conversation_id=request.args.get("conversation_id"),
        body=body if isinstance(body, dict) else {},
        code=code,
    )
