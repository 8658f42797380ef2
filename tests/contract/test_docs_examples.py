"""What docs/ shows works when it is pasted: each example runs against the local stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.contract.browser import (
    BROWSER,
    LEAVE,
    SHOWN_PAGE,
    adapted,
    guest,
    page_with,
    program,
    run,
    strict_stack,
    ticket_name,
)
from tests.contract.markdown import Document
from tests.local.outside import DEMO_MINI_PROGRAM
from tests.local.ports import listen
from tests.local.server import Server
from tests.local.stack import LocalStack
from tests.local.turnstile import TurnstileStandIn

SIGN_IN = """
const token = await session.getToken().catch(() => "");
console.log(JSON.stringify({ token, kept: [...kept] }));
"""
HUMAN = """
const solved = JSON.parse(process.env.SOLVED);
globalThis.turnstile = {
  render(_place, { callback }) { callback(solved.shift()); return "widget"; },
  remove() {},
};
"""
PHONE = """
globalThis.wx = {
  login: ({ success }) => success({ code: process.env.CODE }),
  request: ({ url, method, data, success, fail }) =>
    fetch(url, { method, body: JSON.stringify(data) })
      .then(async (answer) => success({ statusCode: answer.status, data: await answer.json() }))
      .catch(fail),
};
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with strict_stack() as stack:
        yield stack


def sign_in(stack: LocalStack, folder: Path, *, proof: str, ticket: str | None) -> dict[str, Any]:
    """What the page of docs/sign-in.md gets where the browser holds this ticket."""
    script = page_with(Document("docs/sign-in.md").block("js"))
    kept = json.dumps([] if ticket is None else [[ticket_name(stack), ticket]])
    script = BROWSER + adapted(script, stack) + SIGN_IN + LEAVE
    seen: dict[str, Any] = run(script, folder, SIGN_IN_TOKEN=proof, KEPT=kept)
    return seen


def test_a_guest_who_signs_in_keeps_the_session_and_drops_the_ticket(
    stack: LocalStack, tmp_path: Path
) -> None:
    program("curl")
    before, dora = guest(stack, tmp_path), stack.oidc.id_token("dora")
    seen = sign_in(stack, tmp_path, proof=dora, ticket=before["guest_ticket"])
    session = stack.coze.tokens[before["access_token"]].session_name
    assert stack.coze.tokens[seen["token"]].session_name == session
    assert seen["kept"] == []


@pytest.mark.parametrize("ticket", ["spent", "forged", None])
def test_a_ticket_that_is_no_use_keeps_nobody_from_signing_in(
    stack: LocalStack, tmp_path: Path, ticket: str | None
) -> None:
    program("curl")
    if ticket == "spent":
        ticket = guest(stack, tmp_path)["guest_ticket"]
        sign_in(stack, tmp_path, proof=stack.oidc.id_token("emil"), ticket=ticket)
    seen = sign_in(stack, tmp_path, proof=stack.oidc.id_token("frida"), ticket=ticket)
    assert stack.coze.tokens[seen["token"]].session_name == "frida"
    assert seen["kept"] == []


def test_a_ticket_outlives_a_sign_in_that_the_gateway_refuses(
    stack: LocalStack, tmp_path: Path
) -> None:
    seen = sign_in(stack, tmp_path, proof="made-up", ticket="held")
    assert (seen["token"], seen["kept"]) == ("", [[ticket_name(stack), "held"]])


def test_a_mini_program_gets_the_session_of_its_user(stack: LocalStack, tmp_path: Path) -> None:
    example = adapted(Document("docs/wechat.md").block("js"), stack)
    script = PHONE + example + "console.log(JSON.stringify(await cozeToken()));"
    code = stack.wechat.log_in(appid=DEMO_MINI_PROGRAM, user="carol")
    token = run(script, tmp_path, CODE=code)
    openid = stack.wechat.openid(appid=DEMO_MINI_PROGRAM, user="carol")
    assert stack.coze.tokens[token].session_name == f"wechat_{openid}"


def page_with_turnstile() -> str:
    """The page with the additions of docs/limits.md."""
    limits = Document("docs/limits.md")
    return limits.block("js", "render") + page_with(limits.block("js", "createSession"))


@pytest.mark.parametrize("ticket", [None, "forged"])
def test_a_new_guest_is_human_and_one_with_a_ticket_is_not_asked(
    tmp_path: Path, ticket: str | None
) -> None:
    secret = json.loads(Document("docs/limits.md").block("json"))
    turnstile = TurnstileStandIn(secret=secret["secret"])
    solved = [turnstile.solve(hostname=SHOWN_PAGE.removeprefix("https://"))]
    with closing(Server(turnstile, at=listen())) as cloudflare, strict_stack() as stack:
        stack.functions["TokenFunction"].environment |= {
            "TURNSTILE_SECRET_ID": stack.aws.create_secret("Turnstile", json.dumps(secret)),
            "TURNSTILE_API_BASE": cloudflare.url,
        }
        kept = [] if ticket is None else [[ticket_name(stack), ticket]]
        script = BROWSER + HUMAN + adapted(page_with_turnstile(), stack) + SIGN_IN + LEAVE
        seen = run(script, tmp_path, SOLVED=json.dumps(solved), KEPT=json.dumps(kept))
        assert seen["token"] in stack.coze.tokens
    assert len(turnstile.requests) == 1
