"""The events of a chat that streams, as Coze's documents show them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

PIECE_CHARACTERS = 6


def chat_events(
    *, chat: Mapping[str, Any], answer: Mapping[str, Any], verbose: Mapping[str, Any]
) -> Iterator[bytes]:
    """The whole stream of a chat that is answered."""
    yield _event("conversation.chat.created", {**chat, "status": "created"})
    yield _event("conversation.chat.in_progress", {**chat, "status": "in_progress"})
    for piece in _pieces(answer["content"]):
        yield _event("conversation.message.delta", {**answer, "content": piece})
    yield _event("conversation.message.completed", answer)
    yield _event("conversation.message.completed", verbose)
    yield _event("conversation.chat.completed", chat)
    yield _event("done", "[DONE]")


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), PIECE_CHARACTERS):
        yield text[start : start + PIECE_CHARACTERS]


def _event(name: str, data: Any) -> bytes:
    # Without the blank that a parser may meet after a colon: so Coze's documents have it.
    return f"event:{name}\ndata:{json.dumps(data, ensure_ascii=False)}\n\n".encode()
