"""``sam local start-api`` over HTTP. It plays no authorizer, so the functions must refuse."""

from collections.abc import Iterator

import pytest
import requests

from tests.local.stack import LocalStack
from tests.sam.conftest import PAGE

UNPROVED = [
    ("POST", "/token"),
    ("DELETE", "/token"),
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
    headers = {"Authorization": "Bearer eyJ.made.up"}
    body = {"session_name": "u-42"}
    answer = http.request(method, api + path, json=body, headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert stack.coze.requests_seen == before


def test_a_foreign_page_gets_no_token(http: requests.Session, api: str) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    answer = http.post(f"{api}/guest/token", headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
