"""The stand-in chats as Coze does, and tells nobody what another session said."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from tests.local.coze import CozeStandIn, TokenRecord

NOW = 1_795_000_000
BOT = "7000000000000000001"
SCOPE = {
    "account_permission": {"permission_list": ["Connector.botChat"]},
    "attribute_constraint": {"connector_bot_chat_attribute": {"bot_id_list": [BOT]}},
}


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody with a token of their own session."""

    coze: CozeStandIn
    session_name: str | None
    client_id: str = "1234567890123"
    scope: Mapping[str, Any] | None = None
    token: str = field(init=False)

    def __post_init__(self) -> None:
        token = f"czs_{self.client_id}_{self.session_name}"
        object.__setattr__(self, "token", token)
        self.coze.tokens[token] = TokenRecord(
            access_token=token,
            client_id=self.client_id,
            session_name=self.session_name,
            expires_at=NOW + 900,
            duration_seconds=900,
            scope=self.scope,
        )

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"}
        return Client(self.coze).open(path, method=method, headers=headers, **options)

    def open(self, **fields: Any) -> str:
        made = self.call("POST", "/v1/conversation/create", json={"bot_id": BOT, **fields})
        return str(made.json["data"]["id"])

    def ask(self, words: str, *, into: str = "", **fields: Any) -> TestResponse:
        query = f"?conversation_id={into}" if into else ""
        body = {"bot_id": BOT, "user_id": "u", "stream": True, **question(words), **fields}
        return self.call("POST", f"/v3/chat{query}", json=body)

    def read(self, conversation_id: str, **body: Any) -> TestResponse:
        path = f"/v1/conversation/message/list?conversation_id={conversation_id}"
        return self.call("POST", path, json={"order": "asc", **body})

    def contents(self, conversation_id: str, **body: Any) -> list[str]:
        return [message["content"] for message in self.read(conversation_id, **body).json["data"]]


def question(words: str) -> dict[str, Any]:
    return {"additional_messages": [{"role": "user", "content": words, "content_type": "text"}]}


def events(answer: TestResponse) -> list[tuple[str, Any]]:
    """The events of a stream, read as a browser reads them."""
    assert answer.mimetype == "text/event-stream"
    found = []
    for block in answer.text.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event:"), json.loads(data.removeprefix("data:"))))
    return found


def said(answer: TestResponse) -> str:
    """What the bot said, put together from its pieces."""
    return "".join(d["content"] for n, d in events(answer) if n == "conversation.message.delta")


@pytest.fixture
def coze() -> CozeStandIn:
    return CozeStandIn(clock=lambda: NOW)


@pytest.fixture
def alice(coze: CozeStandIn) -> Visitor:
    return Visitor(coze=coze, session_name="alice")


@pytest.fixture
def bob(coze: CozeStandIn) -> Visitor:
    return Visitor(coze=coze, session_name="bob")


def test_a_conversation_has_the_messages_that_it_is_created_with(
    alice: Visitor, bob: Visitor
) -> None:
    opened = alice.open(messages=question("hello")["additional_messages"])
    assert alice.contents(opened) == ["hello"]
    assert alice.contents(alice.open()) == []
    assert bob.read(opened).status_code == 404


def test_an_answer_streams_in_cozes_events(alice: Visitor) -> None:
    answer = alice.ask("hello")
    streamed = events(answer)
    names = [name for name, _ in streamed]
    deltas = names.count("conversation.message.delta")
    assert deltas > 2
    assert names == [
        "conversation.chat.created",
        "conversation.chat.in_progress",
        *["conversation.message.delta"] * deltas,
        "conversation.message.completed",
        "conversation.message.completed",
        "conversation.chat.completed",
        "done",
    ]
    completed = [data for name, data in streamed if name == "conversation.message.completed"]
    assert [message["type"] for message in completed] == ["answer", "verbose"]
    assert completed[0]["content"] == said(answer)
    assert streamed[0][1]["status"] == "created"
    assert streamed[-2][1]["status"] == "completed"
    assert streamed[-1][1] == "[DONE]"
    assert answer.headers["x-tt-logid"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_bot_repeats_the_visitor_and_counts_in_this_conversation(alice: Visitor) -> None:
    conversation = alice.open()
    first, second = (alice.ask(words, into=conversation) for words in ("one", "two"))
    assert "message 1 " in said(first)
    assert "one" in said(first)
    assert "message 2 " in said(second)
    assert "one" not in said(second)
    assert "message 1 " in said(alice.ask("three", into=alice.open()))


def test_the_bot_answers_chinese_in_chinese(alice: Visitor) -> None:
    assert said(alice.ask("你好")) == "这是本会话中你的第 1 条消息，你说的是：你好"


def test_a_chat_without_a_conversation_opens_one(alice: Visitor) -> None:
    opened = events(alice.ask("hello"))[0][1]["conversation_id"]
    listed = alice.call("GET", f"/v1/conversations?bot_id={BOT}").json["data"]["conversations"]
    assert [each["id"] for each in listed] == [opened]
    assert alice.contents(opened)[0] == "hello"


def test_a_chat_that_does_not_stream_is_asked_for_later(alice: Visitor) -> None:
    started = alice.ask("hello", stream=False).json["data"]
    assert started["status"] == "in_progress"
    query = f"conversation_id={started['conversation_id']}&chat_id={started['id']}"
    for method in ("GET", "POST"):
        chat = alice.call(method, f"/v3/chat/retrieve?{query}").json["data"]
        assert (chat["id"], chat["status"]) == (started["id"], "completed")
    replies = alice.call("GET", f"/v3/chat/message/list?{query}").json["data"]
    assert [reply["type"] for reply in replies] == ["verbose", "answer"]
    assert "hello" in replies[1]["content"]


def test_messages_come_in_pages_of_either_order(alice: Visitor) -> None:
    conversation = alice.open()
    for words in "abc":
        alice.ask(words, into=conversation)
    everything = alice.read(conversation).json
    assert [m["role"] for m in everything["data"]] == ["user", "assistant"] * 3
    assert not everything["has_more"]
    ids = [m["id"] for m in everything["data"]]
    page = alice.read(conversation, limit=4).json
    assert [page["first_id"], page["last_id"], page["has_more"]] == [ids[0], ids[3], True]
    rest = alice.read(conversation, limit=4, after_id=page["last_id"]).json
    assert [[m["id"] for m in rest["data"]], rest["has_more"]] == [ids[4:], False]
    back = alice.read(conversation, limit=3, before_id=ids[4]).json
    assert [[m["id"] for m in back["data"]], back["has_more"]] == [ids[1:4], True]
    newest = alice.read(conversation, order="desc", limit=1).json
    assert [newest["last_id"], newest["has_more"]] == [ids[5], True]
    chat_id = everything["data"][2]["chat_id"]
    assert alice.contents(conversation, chat_id=chat_id)[0] == "b"


def test_a_conversation_without_messages_is_an_empty_page(alice: Visitor) -> None:
    assert alice.read(alice.open()).json["data"] == []


def test_what_is_not_to_be_kept_is_not_kept(alice: Visitor) -> None:
    conversation = alice.open()
    answer = alice.ask("secret", into=conversation, auto_save_history=False)
    assert "secret" in said(answer)
    assert alice.contents(conversation) == []
    query = f"conversation_id={conversation}&chat_id={events(answer)[0][1]['id']}"
    assert alice.call("GET", f"/v3/chat/message/list?{query}").json["code"] == 4200
    assert alice.ask("x", stream=False, auto_save_history=False).json["code"] == 4000


def strangers(coze: CozeStandIn) -> list[Visitor]:
    other_app = Visitor(coze=coze, session_name="alice", client_id="999")
    return [
        Visitor(coze=coze, session_name="bob"),
        Visitor(coze=coze, session_name=None),
        other_app,
    ]


def test_nobody_reads_or_continues_anothers_conversation(coze: CozeStandIn, alice: Visitor) -> None:
    conversation = alice.open()
    chat_id = events(alice.ask("my secret", into=conversation))[0][1]["id"]
    query = f"conversation_id={conversation}&chat_id={chat_id}"
    for stranger in strangers(coze):
        refused = [
            stranger.read(conversation),
            stranger.ask("x", into=conversation),
            stranger.call("GET", f"/v3/chat/retrieve?{query}"),
            stranger.call("GET", f"/v3/chat/message/list?{query}"),
        ]
        assert [(answer.status_code, answer.json["code"]) for answer in refused] == [
            (404, 4200)
        ] * 4
        assert not [answer for answer in refused if "secret" in answer.text]
    assert len(alice.contents(conversation)) == 2


def test_a_strangers_chat_is_not_found_in_an_own_conversation(alice: Visitor, bob: Visitor) -> None:
    chat_id = events(alice.ask("my secret"))[0][1]["id"]
    query = f"conversation_id={bob.open()}&chat_id={chat_id}"
    for path in ("/v3/chat/retrieve", "/v3/chat/message/list"):
        assert bob.call("GET", f"{path}?{query}").json["code"] == 4200


def test_a_conversation_of_another_bot_is_not_continued(alice: Visitor) -> None:
    assert alice.ask("x", into=alice.open(), bot_id="8").json["code"] == 4200


def test_conversations_are_apart_by_channel(alice: Visitor) -> None:
    alice.ask("hello", connector_id="999")
    for connector, number in (("999", 1), ("1024", 0)):
        path = f"/v1/conversations?bot_id={BOT}&connector_id={connector}"
        assert len(alice.call("GET", path).json["data"]["conversations"]) == number


def test_a_token_chats_with_the_bots_of_its_scope_only(coze: CozeStandIn) -> None:
    narrow = Visitor(coze=coze, session_name="alice", scope=SCOPE)
    assert said(narrow.ask("hello"))
    refused = [
        narrow.ask("hello", bot_id="8"),
        narrow.ask("hello", into=narrow.open(), bot_id="8"),
        narrow.call("GET", "/v1/bots/8"),
    ]
    assert [(answer.status_code, answer.json["code"]) for answer in refused] == [(403, 4101)] * 3


def test_many_at_once_lose_no_message_and_no_chat_is_given_twice(
    coze: CozeStandIn, alice: Visitor
) -> None:
    conversation = alice.open()
    coze.chats_left = 30
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: alice.ask(f"n{n}", into=conversation), range(40)))
    chats = [answer for answer in answers if answer.mimetype == "text/event-stream"]
    assert len(chats) == 30
    numbers = sorted(int(said(answer).split()[3]) for answer in chats)
    assert numbers == list(range(1, 31))
    assert alice.read(conversation, order="asc").json["has_more"]


def test_the_bot_opens_with_a_statement_and_questions(alice: Visitor) -> None:
    bot = alice.call("GET", f"/v1/bots/{BOT}").json["data"]
    assert bot["bot_id"] == BOT
    assert bot["onboarding_info"]["prologue"]
    assert bot["onboarding_info"]["suggested_questions"]


NEEDED = {
    "getMetadata": ("GET", f"/v1/bots/{BOT}"),
    "createConversation": ("POST", "/v1/conversation/create"),
    "listConversation": ("GET", f"/v1/conversations?bot_id={BOT}"),
    "listMessage": ("POST", "/v1/conversation/message/list?conversation_id=1"),
    "chat": ("POST", "/v3/chat"),
    "getChat": ("POST", "/v3/chat/retrieve?conversation_id=1&chat_id=1"),
    "editConversation": ("PUT", "/v1/conversations/1"),
    "cancelChat": ("POST", "/v3/chat/cancel"),
    "uploadFile": ("POST", "/v1/files/upload"),
    "createTranscription": ("POST", "/v1/audio/transcriptions"),
    "createSpeech": ("POST", "/v1/audio/speech"),
}


@pytest.mark.parametrize("permission", NEEDED)
def test_an_endpoint_needs_its_permission(
    coze: CozeStandIn, alice: Visitor, permission: str
) -> None:
    method, path = NEEDED[permission]
    coze.withdraw_permission(permission)
    refused = alice.call(method, path)
    assert (refused.status_code, refused.json["code"]) == (403, 4101)
    coze.restore_permission(permission)
    assert alice.call(method, path).json["code"] != 4101


def test_without_the_api_channel_there_is_no_opening_but_a_chat(
    coze: CozeStandIn, alice: Visitor
) -> None:
    coze.unpublish("api")
    refused = alice.call("GET", f"/v1/bots/{BOT}")
    assert (refused.status_code, refused.json["code"]) == (200, 4015)
    assert said(alice.ask("hello"))
    coze.unpublish("chat_sdk")
    assert alice.ask("hello").json["code"] == 4015
    coze.publish("api")
    assert said(alice.ask("hello"))
    assert alice.call("GET", f"/v1/bots/{BOT}").json["code"] == 0


def test_without_the_chat_sdk_channel_no_conversation_opens_there(
    coze: CozeStandIn, alice: Visitor
) -> None:
    there = {"bot_id": BOT, "connector_id": "999"}
    calls = [("POST", "/v1/conversation/create", {"json": there})]
    calls += [("GET", "/v1/conversations", {"query_string": there})]
    for method, path, options in calls:
        assert alice.call(method, path, **options).json["code"] == 0
    coze.unpublish("chat_sdk")
    for method, path, options in calls:
        refused = alice.call(method, path, **options)
        assert (refused.status_code, refused.json["code"]) == (200, 4015)
    assert alice.call("POST", "/v1/conversation/create", json={"bot_id": BOT}).json["code"] == 0


def test_a_conversation_is_renamed_by_its_owner_only(alice: Visitor, bob: Visitor) -> None:
    path = f"/v1/conversations/{alice.open()}"
    assert alice.call("PUT", path, json={"name": "ours"}).json["data"]["name"] == "ours"
    assert bob.call("PUT", path, json={"name": "mine"}).json["code"] == 4200
    assert alice.call("PUT", path, json={"name": ""}).json["code"] == 4000
    listed = alice.call("GET", f"/v1/conversations?bot_id={BOT}").json["data"]["conversations"]
    assert [conversation["name"] for conversation in listed] == ["ours"]


def test_a_chat_of_somebody_elses_cannot_be_cancelled(alice: Visitor, bob: Visitor) -> None:
    conversation_id = alice.open()
    body = {"bot_id": BOT, "user_id": "u", **question("hello")}
    chat = alice.call("POST", f"/v3/chat?conversation_id={conversation_id}", json=body).json["data"]
    ids = {"conversation_id": conversation_id, "chat_id": chat["id"]}
    assert alice.call("POST", "/v3/chat/cancel", json=ids).json["data"]["status"] == "completed"
    assert bob.call("POST", "/v3/chat/cancel", json=ids).json["code"] == 4200


def test_a_quota_ends(coze: CozeStandIn, alice: Visitor) -> None:
    coze.chats_left = 1
    assert said(alice.ask("hello"))
    refused = alice.ask("hello")
    assert (refused.status_code, refused.json["code"]) == (200, 4028)
    assert refused.json["msg"].startswith("Your free quota has been used up")
    coze.chats_left = None
    assert said(alice.ask("hello"))


def test_a_token_can_end_before_its_time(coze: CozeStandIn, alice: Visitor, bob: Visitor) -> None:
    coze.refuse_token(alice.token)
    refused = alice.ask("hello")
    assert (refused.status_code, refused.json["code"]) == (401, 4100)
    assert said(bob.ask("hello"))


def test_every_chat_that_was_asked_for_is_remembered(coze: CozeStandIn, alice: Visitor) -> None:
    conversation = alice.open()
    alice.ask("hello", into=conversation)
    alice.ask("x", into="1")
    coze.refuse_token(alice.token)
    alice.ask("again")
    seen = [(r.session_name, r.conversation_id, r.code) for r in coze.chat_requests]
    assert seen == [("alice", conversation, 0), ("alice", "1", 4200), (None, None, 4100)]
    assert coze.chat_requests[0].body["additional_messages"][0]["content"] == "hello"
    assert coze.chat_requests[0].access_token == alice.token
    assert alice.token not in repr(coze.chat_requests)


BAD_CHATS: dict[str, dict[str, Any]] = {
    "no bot": {"bot_id": ""},
    "no user": {"user_id": None},
    "no question": {"additional_messages": []},
    "too many": {"additional_messages": question("x")["additional_messages"] * 101},
    "not a message": {"additional_messages": ["x"]},
    "a role that is none": {"additional_messages": [{"role": "system", "content": "x"}]},
    "no content": {"additional_messages": [{"role": "user"}]},
    "a card": {"additional_messages": [{"role": "user", "content": "x", "content_type": "card"}]},
}


@pytest.mark.parametrize("name", BAD_CHATS)
def test_a_bad_chat_is_4000_and_costs_nothing(coze: CozeStandIn, alice: Visitor, name: str) -> None:
    coze.chats_left = 1
    refused = alice.ask("x", **BAD_CHATS[name])
    assert (refused.status_code, refused.json["code"]) == (400, 4000)
    assert coze.chats_left == 1


@pytest.mark.parametrize("data", [b"{", b"[]"])
def test_a_body_that_is_no_object_is_4000(alice: Visitor, data: bytes) -> None:
    assert alice.call("POST", "/v3/chat", data=data).json["code"] == 4000


@pytest.mark.parametrize("body", [{"limit": 0}, {"limit": 51}, {"limit": "5"}, {"after_id": "1"}])
def test_a_page_that_is_none_is_4000(alice: Visitor, body: dict[str, Any]) -> None:
    assert alice.read(alice.open(), **body).json["code"] == 4000


def test_a_page_may_send_the_headers_that_the_widget_sends(coze: CozeStandIn) -> None:
    asked = {
        "Origin": "http://127.0.0.1:3000",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-coze-client-user-agent",
    }
    answer = Client(coze).options("/v3/chat", headers=asked)
    assert answer.status_code == 204
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "*"} <= set(allowed)  # the asterisk does not stand for authorization
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "x-tt-logid" in answer.headers["Access-Control-Expose-Headers"]
