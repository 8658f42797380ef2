"""Coze's real SDKs against the stand-in, by their own flow and with tokens of this service.

The first holds the stand-in to what the SDKs send and read; the second shows what the service is
for: each of two users sees their own conversations and messages, and only those.
"""

import json
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
import requests

from tests.local.coze import CozeStandIn, demo_config
from tests.local.server import serve
from tests.local.stack import LocalStack

with warnings.catch_warnings(record=True):  # cozepy imports a module that authlib gave up
    import cozepy

CLIENTS = Path(__file__).parent / "clients"
BOT = "7000000000000000001"
TIMEOUT_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Refused(Exception):
    """What a client makes of an answer that is no token and no list."""

    code: int | None
    log_id: str


class Client(Protocol):
    """The part of an SDK that is tried."""

    def token(self, config: Mapping[str, str], session_name: str) -> tuple[str, int]:
        """The SDK's own JWT flow: access token and ``expires_in`` as the SDK reads it."""

    def conversations(self, url: str, token: str, *, create: list[str]) -> list[str]:
        """Create conversations of these names, then list the names of all."""

    def chat(self, url: str, token: str, words: str, *, stream: bool, into: str = "") -> "Said":
        """Say words to the bot, in this conversation or in a new one."""

    def messages(self, url: str, token: str, conversation_id: str) -> list[str]:
        """What was said in a conversation, oldest first."""

    def opening(self, url: str, token: str) -> str:
        """The bot's opening statement."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the bot said, and in which conversation."""

    conversation_id: str
    words: str


class CozePy:
    def token(self, config: Mapping[str, str], session_name: str) -> tuple[str, int]:
        app = cozepy.JWTOAuthApp(
            config["client_id"],
            config["private_key"],
            config["public_key_id"],
            base_url=config["coze_api_base"],
        )
        with translated():
            token = app.get_access_token(ttl=1800, session_name=session_name)
        return token.access_token, token.expires_in

    def conversations(self, url: str, token: str, *, create: list[str]) -> list[str]:
        coze = cozepy.Coze(cozepy.TokenAuth(token), base_url=url)
        with translated():
            for name in create:
                coze.conversations.create(bot_id=BOT, name=name)
            return [str(each.name) for each in coze.conversations.list(bot_id=BOT)]

    def chat(self, url: str, token: str, words: str, *, stream: bool, into: str = "") -> Said:
        coze = cozepy.Coze(cozepy.TokenAuth(token), base_url=url)
        asked: dict[str, Any] = {
            "bot_id": BOT,
            "user_id": "u",
            "conversation_id": into or None,
            "additional_messages": [cozepy.Message.build_user_question_text(words)],
        }
        with translated():
            return _streamed(coze, asked) if stream else _asked_for(coze, asked)

    def messages(self, url: str, token: str, conversation_id: str) -> list[str]:
        coze = cozepy.Coze(cozepy.TokenAuth(token), base_url=url)
        with translated():
            listed = coze.conversations.messages.list(
                conversation_id=conversation_id, order="asc", limit=1
            )
            return [message.content for message in listed]

    def opening(self, url: str, token: str) -> str:
        coze = cozepy.Coze(cozepy.TokenAuth(token), base_url=url)
        with translated():
            bot = coze.bots.retrieve(bot_id=BOT, use_api_version=2)
            return str(bot.onboarding_info.prologue)


def _streamed(coze: cozepy.Coze, asked: Mapping[str, Any]) -> Said:
    conversation_id, words = "", ""
    for event in coze.chat.stream(**asked):
        if event.event == cozepy.ChatEventType.CONVERSATION_CHAT_CREATED:
            conversation_id = event.chat.conversation_id
        if event.event == cozepy.ChatEventType.CONVERSATION_MESSAGE_DELTA:
            words += event.message.content
    return Said(conversation_id=conversation_id, words=words)


def _asked_for(coze: cozepy.Coze, asked: Mapping[str, Any]) -> Said:
    """What create_and_poll does, without the second that it sleeps."""
    chat = coze.chat.create(**asked)
    assert chat.status == cozepy.ChatStatus.IN_PROGRESS
    where = {"conversation_id": chat.conversation_id, "chat_id": chat.id}
    assert coze.chat.retrieve(**where).status == cozepy.ChatStatus.COMPLETED
    (answer,) = [
        message
        for message in coze.chat.messages.list(**where)
        if message.type == cozepy.MessageType.ANSWER
    ]
    return Said(conversation_id=chat.conversation_id, words=answer.content)


@contextmanager
def translated() -> Iterator[None]:
    """cozepy's error as ours."""
    try:
        yield
    except cozepy.CozeAPIError as fault:
        raise Refused(code=fault.code, log_id=fault.logid or "") from fault


class CozeJs:
    def token(self, config: Mapping[str, str], session_name: str) -> tuple[str, int]:
        url = config["coze_api_base"]
        answer = run(
            "token.mjs",
            baseURL=url,
            appId=config["client_id"],
            aud=url.removeprefix("http://"),
            keyid=config["public_key_id"],
            privateKey=config["private_key"],
            durationSeconds=1800,
            sessionName=session_name,
        )
        return answer["access_token"], answer["expires_in"]

    def conversations(self, url: str, token: str, *, create: list[str]) -> list[str]:
        listed = run("conversations.mjs", baseURL=url, token=token, bot_id=BOT, create=create)
        return [each["name"] for each in listed["conversations"]]

    def chat(self, url: str, token: str, words: str, *, stream: bool, into: str = "") -> Said:
        where = {"conversation_id": into} if into else {}
        asked = {"bot_id": BOT, "words": words, "stream": stream, **where}
        answer = run("chat.mjs", baseURL=url, token=token, **asked)
        return Said(conversation_id=answer["conversation_id"], words=answer["said"])

    def messages(self, url: str, token: str, conversation_id: str) -> list[str]:
        said: list[str] = run(
            "messages.mjs", baseURL=url, token=token, conversation_id=conversation_id
        )
        return said

    def opening(self, url: str, token: str) -> str:
        return str(run("opening.mjs", baseURL=url, token=token, bot_id=BOT))


def run(script: str, **given: Any) -> Any:
    ran = subprocess.run(
        ["node", script],
        cwd=CLIENTS,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_SECONDS,
    )
    said = json.loads(ran.stdout)
    if error := said.get("error"):
        raise Refused(code=error.get("code"), log_id=error.get("logid") or "")
    return said["result"]


NO_NODE = not shutil.which("node") or not (CLIENTS / "node_modules" / "@coze" / "api").is_dir()


@pytest.fixture(
    params=[
        pytest.param(CozePy, id="cozepy"),
        pytest.param(
            CozeJs,
            id="coze-js",
            marks=pytest.mark.skipif(
                NO_NODE, reason="@coze/api is not installed: npm ci --prefix tests/clients"
            ),
        ),
    ]
)
def client(request: pytest.FixtureRequest) -> Client:
    made: Client = request.param()
    return made


@pytest.fixture
def coze() -> Iterator[tuple[CozeStandIn, dict[str, str]]]:
    """A stand-in and the config of its one app."""
    coze = CozeStandIn()
    with serve(coze) as server:
        config, public_pem = demo_config(server.url)
        coze.register_app(
            client_id=config["client_id"],
            kid=config["public_key_id"],
            public_key_pem=public_pem,
        )
        yield coze, config


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack() as stack:
        yield stack


def test_the_sdks_own_flow_gets_a_token(
    client: Client, coze: tuple[CozeStandIn, dict[str, str]]
) -> None:
    stand_in, config = coze
    token, expires_in = client.token(config, "alice")
    (exchange,) = stand_in.exchanges
    assert (exchange.session_name, exchange.duration_seconds) == ("alice", 1800)
    assert stand_in.tokens[token].expires_at == expires_in


def test_the_sdks_own_tokens_keep_sessions_apart(
    client: Client, coze: tuple[CozeStandIn, dict[str, str]]
) -> None:
    _, config = coze
    url = config["coze_api_base"]
    alice, bob = (client.token(config, name)[0] for name in ("alice", "bob"))
    assert client.conversations(url, alice, create=["a1", "a2"]) == ["a2", "a1"]
    assert client.conversations(url, bob, create=[]) == []


def test_the_sdk_understands_a_token_that_is_refused(
    client: Client, coze: tuple[CozeStandIn, dict[str, str]]
) -> None:
    with pytest.raises(Refused) as refused:
        client.conversations(coze[1]["coze_api_base"], "czs_nobody", create=[])
    assert refused.value.code == 4100
    assert refused.value.log_id


def test_the_sdk_understands_a_key_that_is_refused(
    client: Client, coze: tuple[CozeStandIn, dict[str, str]]
) -> None:
    with pytest.raises(Refused) as refused:
        client.token({**coze[1], "public_key_id": "of another region"}, "alice")
    assert refused.value.log_id


@pytest.mark.parametrize("stream", [True, False])
def test_the_sdk_chats_and_goes_on_where_it_was(
    client: Client, coze: tuple[CozeStandIn, dict[str, str]], stream: bool
) -> None:
    _, config = coze
    url, token = config["coze_api_base"], client.token(config, "alice")[0]
    first = client.chat(url, token, "hello", stream=stream)
    again = client.chat(url, token, "你好", stream=stream, into=first.conversation_id)
    assert again.conversation_id == first.conversation_id
    assert first.words == "This is message 1 from you in this conversation. You said: hello"
    assert again.words == "这是本会话中你的第 2 条消息，你说的是：你好"
    said = client.messages(url, token, first.conversation_id)
    assert said == ["hello", first.words, "你好", again.words]


def test_the_sdk_reads_the_opening_statement(
    client: Client, coze: tuple[CozeStandIn, dict[str, str]]
) -> None:
    stand_in, config = coze
    url, token = config["coze_api_base"], client.token(config, "alice")[0]
    assert client.opening(url, token).startswith("Hello!")
    stand_in.unpublish("api")
    with pytest.raises(Refused) as refused:
        client.opening(url, token)
    assert refused.value.code == 4015


@pytest.mark.parametrize("stream", [True, False])
def test_the_sdk_understands_a_quota_that_is_used_up(
    client: Client, coze: tuple[CozeStandIn, dict[str, str]], stream: bool
) -> None:
    stand_in, config = coze
    token = client.token(config, "alice")[0]
    stand_in.chats_left = 0
    with pytest.raises(Refused) as refused:
        client.chat(config["coze_api_base"], token, "hello", stream=stream)
    assert refused.value.code == 4028


def signed_in(stack: LocalStack, user: str) -> str:
    return post(f"{stack.url}/token", {"Authorization": f"Bearer {stack.oidc.id_token(user)}"})


def guest(stack: LocalStack, _name: str) -> str:
    return post(f"{stack.url}/guest/token", {})


def post(url: str, headers: dict[str, str]) -> str:
    answer = requests.post(url, headers=headers, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def two_users(
    client: Client, stack: LocalStack, way_in: Callable[[LocalStack, str], str], of: str = ""
) -> tuple[str, str]:
    suffix = type(client).__name__ + of  # so that no test meets another's users
    alice, bob = (way_in(stack, f"{name}-{suffix}") for name in ("alice", "bob"))
    assert alice != bob
    return alice, bob


@pytest.mark.parametrize("way_in", [signed_in, guest])
def test_with_our_tokens_each_of_two_users_sees_only_their_own(
    client: Client, stack: LocalStack, way_in: Callable[[LocalStack, str], str]
) -> None:
    alice, bob = two_users(client, stack, way_in)
    assert client.conversations(stack.coze_url, alice, create=["a1", "a2"]) == ["a2", "a1"]
    assert client.conversations(stack.coze_url, bob, create=["b1"]) == ["b1"]
    assert client.conversations(stack.coze_url, alice, create=[]) == ["a2", "a1"]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("way_in", [signed_in, guest])
def test_with_our_tokens_neither_of_two_users_reads_or_continues_the_others_chat(
    client: Client, stack: LocalStack, way_in: Callable[[LocalStack, str], str], stream: bool
) -> None:
    url = stack.coze_url
    alice, bob = two_users(client, stack, way_in, of=f"-{stream}")
    hers = client.chat(url, alice, "my secret", stream=stream)
    his = client.chat(url, bob, "hello", stream=stream)
    assert his.conversation_id != hers.conversation_id
    assert "message 1 " in his.words
    with pytest.raises(Refused) as refused:
        client.messages(url, bob, hers.conversation_id)
    assert refused.value.code == 4200
    with pytest.raises(Refused):  # the code is lost where @coze/api meets a status while it streams
        client.chat(url, bob, "x", stream=stream, into=hers.conversation_id)
    assert len(client.conversations(url, bob, create=[])) == 1
    assert client.messages(url, alice, hers.conversation_id) == ["my secret", hers.words]
