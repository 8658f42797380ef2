"""The chat endpoints: a question in, an answer out, at once or in pieces."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.local.coze import bots, sse
from tests.local.coze.account import Account
from tests.local.coze.call import Answer, Call, EventStream
from tests.local.coze.conversations import Conversation, Conversations
from tests.local.coze.errors import bad_request, not_found
from tests.local.coze.messages import Message, Messages
from tests.local.coze.questions import questions

FINISHED = json.dumps(
    {"msg_type": "generate_answer_finish", "data": "", "from_module": None, "from_unit": None}
)


@dataclass(frozen=True, kw_only=True)
class Chat:
    """A chat that is over, and what the bot said in it."""

    fields: Mapping[str, Any]
    answer: Message
    verbose: Message


class Chats:
    """Chats by ID. Every chat is over when its first answer goes out: nobody has to wait."""

    def __init__(
        self,
        *,
        conversations: Conversations,
        messages: Messages,
        account: Account,
        new_id: Callable[[], str],
    ) -> None:
        self._conversations = conversations
        self._messages = messages
        self._account = account
        self._new_id = new_id
        self._lock = threading.Lock()
        self._kept: dict[str, Chat] = {}

    def create(self, call: Call) -> Answer:
        """POST /v3/chat: a stream, or the first state of a chat that is asked for later."""
        body = call.body()
        asked = questions(body)
        stream, keep = body.get("stream") is True, body.get("auto_save_history", True) is True
        if not stream and not keep:
            raise bad_request("auto_save_history must be true where stream is false")
        conversation = self._conversations.for_chat(call, body)
        self._account.take_chat()
        chat = self._run(call, conversation, body, asked=asked, keep=keep)
        if keep:
            with self._lock:
                self._kept[chat.fields["id"]] = chat
        if stream:
            events = sse.chat_events(chat=chat.fields, answer=chat.answer, verbose=chat.verbose)
            return EventStream(events=events)
        return {"data": {**chat.fields, "status": "in_progress"}}

    def retrieve(self, call: Call) -> Answer:
        """GET or POST /v3/chat/retrieve: the state of a chat."""
        return {"data": self._own(call).fields}

    def replies(self, call: Call) -> Answer:
        """GET /v3/chat/message/list: all messages of a chat but the questions."""
        chat = self._own(call)
        return {"data": [chat.verbose, chat.answer]}

    def cancel(self, call: Call) -> Answer:
        """POST /v3/chat/cancel: too late, since every chat is over."""
        body = call.body()
        return {"data": self._find(call, body.get("conversation_id"), body.get("chat_id")).fields}

    def _own(self, call: Call) -> Chat:
        return self._find(call, call.argument("conversation_id"), call.argument("chat_id"))

    def _find(self, call: Call, conversation_id: Any, chat_id: Any) -> Chat:
        conversation = self._conversations.own(call, conversation_id)
        with self._lock:
            chat = self._kept.get(chat_id)
        if chat is None or chat.fields["conversation_id"] != conversation.id:
            raise not_found()
        return chat

    def _run(
        self,
        call: Call,
        conversation: Conversation,
        body: Mapping[str, Any],
        *,
        asked: list[Mapping[str, Any]],
        keep: bool,
    ) -> Chat:
        chat_id, now = self._new_id(), int(call.now)
        where = {"conversation_id": conversation.id, "bot_id": body["bot_id"]}

        def message(fields: Mapping[str, Any]) -> Message:
            return {
                "id": self._new_id(),
                **where,
                "chat_id": chat_id,
                "section_id": conversation.fields["last_section_id"],
                "created_at": now,
                "updated_at": now,
                **fields,
            }

        def said(number: int) -> Message:
            return message(_said("answer", bots.reply(asked[-1]["content"], number=number)))

        answer = self._messages.exchange(
            conversation.id, [message(each) for each in asked], answer=said, keep=keep
        )
        return Chat(
            fields={
                "id": chat_id,
                **where,
                "created_at": now,
                "completed_at": now,
                "last_error": {"code": 0, "msg": ""},
                "meta_data": body.get("meta_data") or {},
                "status": "completed",
                "usage": {"token_count": 0, "output_count": 0, "input_count": 0},
            },
            answer=answer,
            verbose=message(_said("verbose", FINISHED)),
        )


def _said(kind: str, content: str) -> Mapping[str, Any]:
    """The fields of a message of the bot's."""
    return {
        "role": "assistant",
        "type": kind,
        "content": content,
        "content_type": "text",
        "meta_data": {},
    }
