"""What README.md shows works when it is pasted: each example runs against the local stack."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coze_sts.coze.app_key import parse_app

from tests.contract.browser import (
    BROWSER,
    LEAVE,
    adapted,
    guest,
    output,
    page,
    page_with,
    program,
    run,
    strict_stack,
)
from tests.contract.markdown import README
from tests.local.stack import LocalStack

VISIT = """
const { auth } = globalThis.widget;
const first = await auth.onRefreshToken("");
const again = await session.getToken();
globalThis.fetch = () => Promise.reject(new Error("offline"));
const offline = await auth.onRefreshToken(first);
console.log(JSON.stringify({ auth, first, again, offline, kept: [...kept] }));
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with strict_stack() as stack:
        yield stack


def visit(page: str, stack: LocalStack, folder: Path, **variables: str) -> dict[str, Any]:
    """What the widget gets from the page."""
    script = BROWSER + adapted(page, stack) + VISIT + LEAVE
    seen: dict[str, Any] = run(script, folder, **variables)
    return seen


def test_the_page_keeps_a_guest_the_same_and_never_rejects(
    stack: LocalStack, tmp_path: Path
) -> None:
    seen = visit(page(), stack, tmp_path)
    assert seen["auth"] == {"type": "token", "token": ""}
    assert stack.coze.tokens[seen["first"]].session_name.startswith("guest_")
    assert seen["again"] == seen["offline"] == seen["first"]
    (ticket,) = seen["kept"]
    again = visit(page(), stack, tmp_path, KEPT=json.dumps([ticket]))
    names = {stack.coze.tokens[each["first"]].session_name for each in (seen, again)}
    assert len(names) == 1


def test_the_page_of_a_signed_in_visitor_gets_their_session(
    stack: LocalStack, tmp_path: Path
) -> None:
    page = page_with(README.block("js"))
    seen = visit(page, stack, tmp_path, SIGN_IN_TOKEN=stack.oidc.id_token("alice"))
    assert stack.coze.tokens[seen["first"]].session_name == "alice"
    assert seen["again"] == seen["first"]
    assert seen["kept"] == []


def test_a_server_in_python_gets_the_session_it_names(stack: LocalStack, tmp_path: Path) -> None:
    example = adapted(README.block("python"), stack) + 'print(access_token("u-42"))\n'
    token = output(sys.executable, "-c", example, folder=tmp_path).strip()
    assert stack.coze.tokens[token].session_name == "u-42"


def test_a_server_in_a_shell_gets_the_session_it_names_and_the_answer_that_is_shown(
    stack: LocalStack, tmp_path: Path
) -> None:
    program("curl")
    example = adapted(README.block("sh", "--aws-sigv4"), stack)
    body = json.loads(output("sh", "-c", example, folder=tmp_path, AWS_SESSION_TOKEN="session"))
    assert stack.coze.tokens[body["access_token"]].session_name == "u-42"
    assert body.keys() == json.loads(README.block("json", '"access_token"')).keys()


def test_the_first_request_after_deploying_answers(stack: LocalStack, tmp_path: Path) -> None:
    program("curl")
    assert guest(stack, tmp_path)["guest_ticket"]


def test_a_configuration_made_of_a_pem_file_is_taken(tmp_path: Path, private_pem: str) -> None:
    (tmp_path / "private_key.pem").write_text(private_pem, encoding="utf-8")
    output("sh", "-c", README.block("sh", "private_key.pem"), folder=tmp_path)
    app = parse_app((tmp_path / "coze_oauth_config.json").read_text(encoding="utf-8"))
    assert app.api_base == "https://api.coze.cn"
