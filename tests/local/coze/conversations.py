"""Conversations as Coze keeps them: apart by app, bot, channel and session_name."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.local.coze.account import Account
from tests.local.coze.bots import check_reach
from tests.local.coze.call import Answer, Call
from tests.local.coze.errors import bad_request, not_found
from tests.local.coze.records import TokenRecord

API_CHANNEL, CHAT_SDK_CHANNEL = "1024", "999"
MAX_NAME = 100
MAX_PAGE_SIZE = 50


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Where a conversation is kept; nobody reads another shelf than their token's."""

    client_id: str
    session_name: str | None
    bot_id: str
    connector_id: str


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """One conversation, and where it is kept."""

    id: str
    shelf: Shelf
    fields: Mapping[str, Any]


class Conversations:
    """The conversation endpoints, as far as the real SDKs' create and list need them."""

    def __init__(self, *, new_id: Callable[[], str], account: Account) -> None:
        self._new_id = new_id
        self._account = account
        self._lock = threading.Lock()
        self._shelves: dict[Shelf, list[Conversation]] = {}
        self._all: dict[str, Conversation] = {}

    def create(self, call: Call) -> Mapping[str, Any]:
        """POST /v1/conversation/create: the new conversation."""
        body = call.body()
        self._check_channel(body.get("bot_id"), body.get("connector_id"))
        return self._open(call, body).fields

    def rename(self, call: Call) -> Answer:
        """PUT /v1/conversations/{conversation_id}: the conversation under its new name."""
        found = self.own(call, call.request.path.rpartition("/")[2])
        name = call.body().get("name")
        if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
            raise bad_request("name has 1 to 100 characters")
        renamed = replace(found, fields={**found.fields, "name": name})
        with self._lock:
            self._all[found.id] = renamed
            shelf = self._shelves[found.shelf]
            shelf[[each.id for each in shelf].index(found.id)] = renamed
        return {"data": renamed.fields}

    def list_page(self, call: Call) -> Answer:
        """GET /v1/conversations: one page of the caller's own conversations, newest first."""
        args = call.request.args
        self._check_channel(args.get("bot_id"), args.get("connector_id"))
        shelf = _shelf(
            call.token, bot_id=call.argument("bot_id"), connector_id=args.get("connector_id")
        )
        with self._lock:
            own = [conversation.fields for conversation in self._shelves.get(shelf, [])]
        if args.get("sort_order") != "ASC":
            own.reverse()
        number = _positive(args.get("page_num", "1"))
        size = min(_positive(args.get("page_size", str(MAX_PAGE_SIZE))), MAX_PAGE_SIZE)
        page = {
            "conversations": own[(number - 1) * size : number * size],
            "has_more": len(own) > number * size,
        }
        return {"data": page}

    def own(self, call: Call, conversation_id: str) -> Conversation:
        """A conversation of the caller's; one of anybody else's is not there. Raises ApiRefusal."""
        with self._lock:
            found = self._all.get(conversation_id)
        whose = (call.token.client_id, call.token.session_name)
        if found is None or (found.shelf.client_id, found.shelf.session_name) != whose:
            raise not_found()
        check_reach(call.token, found.shelf.bot_id)
        return found

    def for_chat(self, call: Call, body: Mapping[str, Any]) -> Conversation:
        """Where a chat takes place: in the conversation that the query names, or in a new one."""
        conversation_id = call.request.args.get("conversation_id")
        if not conversation_id:
            return self._open(call, body)
        check_reach(call.token, body["bot_id"])
        found = self.own(call, conversation_id)
        if found.shelf.bot_id not in ("", body["bot_id"]):
            raise not_found()
        return found

    def _check_channel(self, bot_id: Any, connector_id: Any) -> None:
        """No document says it of 999: it is what Coze says of a bot that is not published."""
        if bot_id and connector_id == CHAT_SDK_CHANNEL:
            self._account.check_chat_sdk_channel()

    def _open(self, call: Call, body: Mapping[str, Any]) -> Conversation:
        shelf = _shelf(call.token, bot_id=body.get("bot_id"), connector_id=body.get("connector_id"))
        conversation_id, now = self._new_id(), int(call.now)
        fields = {
            "id": conversation_id,
            "name": body.get("name") or "",
            "meta_data": body.get("meta_data") or {},
            "created_at": now,
            "updated_at": now,
            "creator_id": call.token.client_id,
            "connector_id": shelf.connector_id,
            "last_section_id": self._new_id(),
        }
        conversation = Conversation(id=conversation_id, shelf=shelf, fields=fields)
        with self._lock:
            self._shelves.setdefault(shelf, []).append(conversation)
            self._all[conversation_id] = conversation
        return conversation


def _shelf(token: TokenRecord, *, bot_id: Any, connector_id: Any) -> Shelf:
    check_reach(token, bot_id)
    return Shelf(
        client_id=token.client_id,
        session_name=token.session_name,
        bot_id=str(bot_id or ""),
        connector_id=str(connector_id or API_CHANNEL),
    )


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise bad_request("page_num and page_size are positive numbers")
    return int(text)
