"""What the token may do, found out by calls that change nothing but the doctor's own session.

Each call is one that needs the permission. Those that would cost something or change anything of
the site's are sent empty: Coze refuses them, and whether for want of the permission is what counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from coze_sts.doctor.checks.exchange import SESSION_NAME
from coze_sts.doctor.report import Finding, found
from coze_sts.doctor.wire import NO_ANSWER, ApiAnswer, CozeApi
from coze_sts.settings import ID

CHAT_SDK_CHANNEL = "999"
NO_PERMISSION = 4101
BAD_TOKEN = frozenset({4100, 700012006})
UNKNOWN_ID = "0"
"""Of no bot, chat or conversation."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that needs a permission; of a channel app's, `channel` is the name.

    {bot_id} and {conversation_id} are filled in. `beside` is a permission that Coze asks for too.
    """

    permission: str
    method: str
    path: str
    channel: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, str] | None = None
    beside: str | None = None

    @property
    def needs_bot(self) -> bool:
        """Whether Coze can make nothing of it without a bot."""
        return "{bot_id}" in self.path + "".join(self.params.values())


LIST = {"bot_id": "{bot_id}", "connector_id": CHAT_SDK_CHANNEL, "page_num": "1", "page_size": "1"}
CONVERSATION = {"conversation_id": "{conversation_id}"}
CALLS = (
    Call(permission="chat", channel="botChat", method="POST", path="/v3/chat", json={}),
    Call(permission="getMetadata", method="GET", path="/v1/bots/{bot_id}"),
    Call(
        permission="createConversation",
        method="POST",
        path="/v1/conversation/create",
        json={"connector_id": CHAT_SDK_CHANNEL, "bot_id": "{bot_id}"},
    ),
    Call(permission="listConversation", method="GET", path="/v1/conversations", params=LIST),
    Call(
        permission="editConversation",
        method="PUT",
        path="/v1/conversations/{conversation_id}",
        json={"name": SESSION_NAME},
    ),
    Call(
        permission="listMessage",
        channel="listConversationMessage",
        method="POST",
        path="/v1/conversation/message/list",
        params=CONVERSATION,
        json={},
        beside="chat",
    ),
    Call(
        permission="cancelChat",
        channel="cancelConversationChat",
        method="POST",
        path="/v3/chat/cancel",
        json={"chat_id": UNKNOWN_ID, "conversation_id": UNKNOWN_ID},
    ),
    Call(permission="uploadFile", method="POST", path="/v1/files/upload", json={}),
    Call(permission="createTranscription", method="POST", path="/v1/audio/transcriptions", json={}),
    Call(permission="createSpeech", method="POST", path="/v1/audio/speech", json={}),
)


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """Asks for each in turn; `channel_app` says by which names Coze's console shows them."""

    api: CozeApi
    bot_id: str | None
    channel_app: bool

    def ask(self) -> dict[str, ApiAnswer]:
        """What was answered, by the permission; nothing where a bot's ID is lacking.

        After a call that gets no answer none is made: the others would wait in vain too.
        """
        answers: dict[str, ApiAnswer] = {}
        conversation_id = UNKNOWN_ID
        for call in CALLS:
            if call.needs_bot and self.bot_id is None:
                continue
            answer = answers[call.permission] = self._make(call, conversation_id)
            if call.permission == "createConversation":
                conversation_id = _own_conversation(answer)
            if answer.status == 0:
                break
        return answers

    def findings(self, answers: Mapping[str, ApiAnswer]) -> Iterator[Finding]:
        """A line for each permission."""
        for call in CALLS:
            name = call.channel if self.channel_app and call.channel else call.permission
            answer = answers.get(call.permission)
            if answer is None and call.needs_bot and self.bot_id is None:
                yield found("permission.bot", permission=name)
                continue
            verdict = verdict_of(answer)
            beside = answers.get(call.beside or "")
            if verdict == "lacking" and verdict_of(beside) == "lacking":
                verdict = "together"
            code, log_id = (answer.code, answer.log_id) if answer else (NO_ANSWER, "-")
            yield found(f"permission.{verdict}", permission=name, code=code, log_id=log_id)

    def _make(self, call: Call, conversation_id: str) -> ApiAnswer:
        ids = {"bot_id": self.bot_id or "", "conversation_id": conversation_id}
        return self.api.ask(
            call.method,
            call.path.format(**ids),
            params=_filled(call.params, ids),
            json=None if call.json is None else _filled(call.json, ids),
        )


def _own_conversation(answer: ApiAnswer) -> str:
    """The conversation that was made; UNKNOWN_ID where none was."""
    made = answer.data.get("id")
    return made if isinstance(made, str) and ID.fullmatch(made) else UNKNOWN_ID


def _filled(fields: Mapping[str, str], ids: Mapping[str, str]) -> dict[str, str]:
    """The fields with the IDs in their places, without those that are empty then."""
    filled = {name: value.format(**ids) for name, value in fields.items()}
    return {name: value for name, value in filled.items() if value}


def verdict_of(answer: ApiAnswer | None) -> str:
    """What an answer says of the permission: the second half of a finding's key."""
    if answer is None or answer.code == NO_ANSWER or answer.status >= 500 or answer.status == 429:
        return "unclear"
    if answer.code in BAD_TOKEN:
        return "token"
    if answer.code == NO_PERMISSION:
        return "lacking"
    return "granted" if answer.code == 0 else "seems"
