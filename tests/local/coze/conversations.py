"""Conversations as Coze keeps them: apart by app, bot, channel and session_name."""

import itertools
import json
import threading
from dataclasses import dataclass
from typing import Any

from werkzeug import Request

from tests.local.coze.errors import ApiRefusal
from tests.local.coze.grant import bot_ids
from tests.local.coze.records import TokenRecord

API_CHANNEL = "1024"
MAX_PAGE_SIZE = 50


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Where a conversation is kept; nobody reads another shelf than their token's."""

    client_id: str
    session_name: str | None
    bot_id: str
    connector_id: str


class Conversations:
    """The conversation endpoints, as far as the real SDKs' create and list need them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shelves: dict[Shelf, list[dict[str, Any]]] = {}
        self._ids = itertools.count(7_379_996_104_798_150_000)

    def create(self, request: Request, *, token: TokenRecord, now: float) -> dict[str, Any]:
        """POST /v1/conversation/create: the new conversation."""
        body = _json_object(request)
        shelf = _shelf(token, bot_id=body.get("bot_id"), connector_id=body.get("connector_id"))
        conversation = {
            "id": str(next(self._ids)),
            "name": body.get("name") or "",
            "meta_data": body.get("meta_data") or {},
            "created_at": int(now),
            "updated_at": int(now),
            "creator_id": token.client_id,
            "connector_id": shelf.connector_id,
            "last_section_id": str(next(self._ids)),
        }
        with self._lock:
            self._shelves.setdefault(shelf, []).append(conversation)
        return conversation

    def list_page(self, request: Request, *, token: TokenRecord) -> dict[str, Any]:
        """GET /v1/conversations: one page of the caller's own conversations, newest first."""
        args = request.args
        if not args.get("bot_id"):
            raise _bad_request("bot_id is required")
        shelf = _shelf(token, bot_id=args["bot_id"], connector_id=args.get("connector_id"))
        with self._lock:
            own = list(self._shelves.get(shelf, []))
        if args.get("sort_order") != "ASC":
            own.reverse()
        number = _positive(args.get("page_num", "1"))
        size = min(_positive(args.get("page_size", str(MAX_PAGE_SIZE))), MAX_PAGE_SIZE)
        return {
            "conversations": own[(number - 1) * size : number * size],
            "has_more": len(own) > number * size,
        }


def _shelf(token: TokenRecord, *, bot_id: Any, connector_id: Any) -> Shelf:
    allowed = bot_ids(token.scope)
    if allowed is not None and bot_id not in allowed:
        raise ApiRefusal(status=403, code=4101, message="no permission to access the resource")
    return Shelf(
        client_id=token.client_id,
        session_name=token.session_name,
        bot_id=str(bot_id or ""),
        connector_id=str(connector_id or API_CHANNEL),
    )


def _json_object(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        raise _bad_request("body is not JSON") from None
    if not isinstance(body, dict):
        raise _bad_request("body is not an object")
    return body


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise _bad_request("page_num and page_size are positive numbers")
    return int(text)


def _bad_request(message: str) -> ApiRefusal:
    return ApiRefusal(status=400, code=4000, message=message)
