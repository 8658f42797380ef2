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
    adapted,
    guest,
    output,
    page,
    program,
    run,
    signed_in_page,
    strict_stack,
)
from tests.contract.markdown import README
from tests.local.stack import LocalStack

VISIT = """
const { auth } = globalThis.widget;
const again = await auth.onRefreshToken("");
const together = await Promise.all([auth.onRefreshToken(""), auth.onRefreshToken("")]);
for (const name of kept.keys()) kept.set(name, "g1.1.forged.forged");
const forged = await auth.onRefreshToken("");
globalThis.fetch = () => Promise.reject(new Error("offline"));
const offline = await auth.onRefreshToken("");
const seen = { type: auth.type, first: auth.token, again, together, forged, offline };
console.log(JSON.stringify(seen));
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with strict_stack() as stack:
        yield stack


def visit(page: str, stack: LocalStack, folder: Path) -> dict[str, Any]:
    """What the widget gets from the page."""
    script, token = BROWSER + adapted(page, stack) + VISIT, stack.oidc.id_token("alice")
    seen: dict[str, Any] = run(script, folder, SIGN_IN_TOKEN=token)
    return seen


def test_the_page_keeps_a_guest_the_same_and_never_rejects(
    stack: LocalStack, tmp_path: Path
) -> None:
    seen = visit(page(), stack, tmp_path)
    assert seen["type"] == "token"
    assert stack.coze.tokens[seen["first"]].session_name.startswith("guest_")
    assert {seen["again"], *seen["together"]} == {seen["first"]}
    assert seen["forged"] != seen["first"]
    assert seen["offline"] == seen["forged"]


def test_the_page_of_a_signed_in_visitor_gets_their_session(
    stack: LocalStack, tmp_path: Path
) -> None:
    seen = visit(signed_in_page(README.block("js")), stack, tmp_path)
    assert stack.coze.tokens[seen["first"]].session_name == "alice"
    assert {seen["again"], seen["offline"]} == {seen["first"]}


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
