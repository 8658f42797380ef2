"""Coze's real SDKs against the stand-in, by their own flow and with tokens of this service.

The first holds the stand-in to what the SDKs send and read; the second shows what the service is
for: each of two users sees their own conversations, and only those.
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


def signed_in(stack: LocalStack, user: str) -> str:
    return post(f"{stack.url}/token", {"Authorization": f"Bearer {stack.oidc.id_token(user)}"})


def guest(stack: LocalStack, _name: str) -> str:
    return post(f"{stack.url}/guest/token", {})


def post(url: str, headers: dict[str, str]) -> str:
    answer = requests.post(url, headers=headers, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@pytest.mark.parametrize("way_in", [signed_in, guest])
def test_with_our_tokens_each_of_two_users_sees_only_their_own(
    client: Client, stack: LocalStack, way_in: Callable[[LocalStack, str], str]
) -> None:
    suffix = type(client).__name__  # so that the clients do not meet each other's users
    alice, bob = (way_in(stack, f"{name}-{suffix}") for name in ("alice", "bob"))
    assert alice != bob
    assert client.conversations(stack.coze_url, alice, create=["a1", "a2"]) == ["a2", "a1"]
    assert client.conversations(stack.coze_url, bob, create=["b1"]) == ["b1"]
    assert client.conversations(stack.coze_url, alice, create=[]) == ["a2", "a1"]
