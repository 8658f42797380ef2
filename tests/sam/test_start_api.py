"""``sam local start-api`` over HTTP. It plays no authorizer, so the functions must refuse."""

from collections.abc import Iterator

import pytest
import requests

from tests.local.outside import DEMO_MINI_PROGRAM
from tests.local.stack import LocalStack
from tests.sam.conftest import PAGE
from tests.smoke.__main__ import main

UNPROVED = [
    ("POST", "/token"),
    ("DELETE", "/token"),
    ("POST", "/token/2"),
    ("DELETE", "/token/2"),
    ("POST", "/token/3"),
    ("DELETE", "/token/3"),
    ("POST", "/backend/token"),
    ("DELETE", "/backend/token"),
    ("POST", "/backend/assertion"),
]


@pytest.fixture(scope="module")
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def guest(
    http: requests.Session, api: str, stack: LocalStack, body: dict[str, str]
) -> tuple[str, str]:
    """The session that a guest got, and the ticket."""
    answer = http.post(f"{api}/guest/token", json=body, headers={"Origin": PAGE}, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()
    session = stack.coze.tokens[token["access_token"]].session_name
    return session or "", token["guest_ticket"]


def test_health_answers(http: requests.Session, api: str) -> None:
    answer = http.get(f"{api}/health", timeout=60)
    assert (answer.status_code, answer.text) == (200, '{"status":"ok"}')


def test_every_guest_has_a_session_and_the_ticket_brings_it_back(
    http: requests.Session, api: str, stack: LocalStack
) -> None:
    first, ticket = guest(http, api, stack, {})
    other, _ = guest(http, api, stack, {})
    again, _ = guest(http, api, stack, {"guest_ticket": ticket})
    assert first.startswith("guest_")
    assert other != first
    assert again == first


@pytest.mark.parametrize(("method", "path"), UNPROVED)
def test_without_an_authorizer_nobody_gets_anything(
    http: requests.Session, api: str, stack: LocalStack, method: str, path: str
) -> None:
    before = stack.coze.requests_seen
    headers = {"Authorization": "Bearer eyJ.made.up", "Origin": PAGE}
    body = {"session_name": "u-42"}
    answer = http.request(method, api + path, json=body, headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert stack.coze.requests_seen == before


def test_a_user_of_the_mini_program_gets_a_session(
    http: requests.Session, api: str, stack: LocalStack
) -> None:
    code = stack.wechat.log_in(appid=DEMO_MINI_PROGRAM, user="erin")
    answer = http.post(f"{api}/wechat/token", json={"code": code}, timeout=60)
    assert answer.status_code == 200, answer.text
    openid = stack.wechat.openid(appid=DEMO_MINI_PROGRAM, user="erin")
    session = stack.coze.tokens[answer.json()["access_token"]].session_name
    assert session == f"wechat_{openid}"


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {}])
def test_without_an_allowed_origin_no_page_gets_a_token(
    http: requests.Session, api: str, headers: dict[str, str]
) -> None:
    answer = http.post(f"{api}/guest/token", headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")


def test_the_smoke_test_finds_nothing_wrong(
    api: str, stack: LocalStack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([api, "--origin", PAGE]) == 0
    said = capsys.readouterr().out
    assert "WRONG" not in said
    assert said.count("not tried") == 1  # no preflight is answered here
