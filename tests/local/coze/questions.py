"""Reads what a chat is asked with."""

from collections.abc import Mapping
from typing import Any

from tests.local.coze.errors import bad_request

MAX_QUESTIONS = 100


def questions(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The messages that the caller sends along, the visitor's own words last."""
    for name in ("bot_id", "user_id"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise bad_request(f"{name} is required")
    sent = body.get("additional_messages")
    if not isinstance(sent, list) or not 1 <= len(sent) <= MAX_QUESTIONS:
        raise bad_request("additional_messages holds 1 to 100 messages")
    return [_question(message) for message in sent]


def _question(message: object) -> Mapping[str, Any]:
    if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
        raise bad_request("role is user or assistant")
    content, content_type = message.get("content"), message.get("content_type", "text")
    if not isinstance(content, str) or content_type not in ("text", "object_string"):
        raise bad_request("content is a string, and content_type text or object_string")
    kind = "question" if message["role"] == "user" else "answer"
    return {
        "role": message["role"],
        "type": message.get("type") or kind,
        "content": content,
        "content_type": content_type,
        "meta_data": message.get("meta_data") or {},
    }
