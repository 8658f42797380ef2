"""The messages of every conversation, and the pages they are read in."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.local.coze.call import Answer, Call
from tests.local.coze.errors import bad_request

MAX_PAGE_SIZE = 50
Message = Mapping[str, Any]


class Messages:
    """Messages by the ID of their conversation; who may read which is asked elsewhere."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, list[Message]] = {}

    def begin(self, call: Call, *, conversation_id: str, new_id: Callable[[], str]) -> None:
        """Keep the messages that a conversation is created with."""
        sent = call.body().get("messages") or []
        where = {"conversation_id": conversation_id, "chat_id": ""}
        with self._lock:
            self._kept[conversation_id] = [{"id": new_id(), **where, **each} for each in sent]

    def exchange(
        self,
        conversation_id: str,
        questions: Sequence[Message],
        *,
        answer: Callable[[int], Message],
        keep: bool,
    ) -> Message:
        """Answer by the number of the visitor's messages so far; keep all of it or none."""
        with self._lock:
            kept = self._kept.setdefault(conversation_id, [])
            told = [*kept, *questions]
            answered = answer(sum(message["role"] == "user" for message in told))
            if keep:
                kept.extend([*questions, answered])
        return answered

    def page(self, call: Call, *, conversation_id: str) -> Answer:
        """POST /v1/conversation/message/list: a page of one conversation, newest first."""
        body = call.body()
        with self._lock:
            kept = list(self._kept.get(conversation_id, []))
        if body.get("order") != "asc":
            kept.reverse()
        if chat_id := body.get("chat_id"):
            kept = [message for message in kept if message["chat_id"] == chat_id]
        shown, has_more = _cut(kept, body)
        return {
            "data": shown,
            "first_id": shown[0]["id"] if shown else "0",
            "last_id": shown[-1]["id"] if shown else "0",
            "has_more": has_more,
        }


def _cut(listed: list[Message], body: Mapping[str, Any]) -> tuple[list[Message], bool]:
    """The part of a list that is asked for, and whether there is more in that direction."""
    limit = body.get("limit", MAX_PAGE_SIZE)
    if type(limit) is not int or not 1 <= limit <= MAX_PAGE_SIZE:
        raise bad_request("limit is a number from 1 to 50")
    if _given(body.get("before_id")):
        before = listed[: _position(listed, body["before_id"])]
        return before[-limit:], len(before) > limit
    if _given(body.get("after_id")):
        listed = listed[_position(listed, body["after_id"]) + 1 :]
    return listed[:limit], len(listed) > limit


def _given(message_id: object) -> bool:
    return message_id not in (None, "", "0")


def _position(listed: list[Message], message_id: str) -> int:
    for position, message in enumerate(listed):
        if message["id"] == message_id:
            return position
    raise bad_request("there is no such message")
