"""docs/chat-sdk.md answers what the demo checks, and what it shows works against the stand-in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract import test_docs
from tests.contract.browser import guest, output, program, run, strict_stack
from tests.contract.markdown import ROOT, Document
from tests.contract.test_page_docs import SCRIPT, installed, visit
from tests.local.site import DEMO_BOT
from tests.local.stack import LocalStack

ENGLISH = Document("docs/chat-sdk.md")
CHINESE = test_docs.twin(ENGLISH)
CLIENTS = ROOT / "tests" / "clients" / "node_modules"
LOADS = 'import { createSession } from "./coze-session.js";\n'
SCREEN = """
globalThis.window = { isSecureContext: true };
let press;
const button = { addEventListener: (_click, pressed) => { press = pressed; } };
globalThis.document = { getElementById: () => button };
"""
PRESS = """
const calls = [];
globalThis.CozeWebSDK.WebChatClient = class {
  constructor({ ui }) { this.chat = ui.chatBot; }
  showChatBot() { calls.push("show"); this.chat.onShow(); }
  hideChatBot() { calls.push("hide"); this.chat.onHide(); }
};
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with strict_stack() as stack:
        yield stack


@pytest.mark.parametrize("document", [ENGLISH, CHINESE], ids=str)
def test_every_check_of_the_demo_has_its_question_with_an_answer_in_code(
    document: Document,
) -> None:
    page = (ROOT / "site" / "index.html").read_text(encoding="utf-8")
    checks = re.findall(r'id="(check-[a-z-]+)"', page)
    questions = document.text.split("\n## ")[1:]
    assert len(checks) == len(questions) == 7
    for check, question in zip(checks, questions, strict=True):
        assert f"http://127.0.0.1:3000/#{check})" in question
        assert re.search(r"^```(html|js|jsx)$", question, re.MULTILINE)
        assert len(re.findall(r"^\*\*", question, re.MULTILINE)) == 3


@pytest.mark.parametrize(
    ("mark", "option"),
    [
        ("nickname", ("userInfo", {"id": "visitor"})),
        ("isNeedAudio", ("ui", {"chatBot": {"isNeedAudio": True}})),
    ],
)
def test_the_widget_gets_a_token_and_the_option_that_is_spoken_of(
    stack: LocalStack, tmp_path: Path, mark: str, option: tuple[str, dict[str, object]]
) -> None:
    seen = visit(SCREEN + LOADS + ENGLISH.block("js", mark), stack, tmp_path)
    ((token,), (widget,)) = seen["tokens"], seen["widgets"]
    assert stack.coze.tokens[token].session_name.startswith("guest_")
    assert widget[option[0]].items() >= option[1].items()


def test_the_button_opens_the_chat_and_closes_it(stack: LocalStack, tmp_path: Path) -> None:
    ((_, shown),) = SCRIPT.findall(ENGLISH.block("html", "asstBtn"))
    pressed = "press(); press(); press();\nconsole.log(JSON.stringify(calls)); process.exit();\n"
    assert visit(SCREEN + PRESS + shown + pressed, stack, tmp_path) == ["show", "hide", "show"]


def test_the_component_of_the_mini_program_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "chat.jsx").write_text(ENGLISH.block("jsx"), encoding="utf-8")
    output(installed("esbuild"), "chat.jsx", "--jsx=preserve", folder=tmp_path)


def coze_url(stack: LocalStack) -> str:
    url: str = json.loads(stack.coze_config)["coze_api_base"]
    return url


@pytest.mark.parametrize(("left", "expected"), [(None, True), (0, False)])
def test_a_server_sees_that_the_quota_is_used_up(
    stack: LocalStack, tmp_path: Path, left: int | None, expected: bool
) -> None:
    if not CLIENTS.is_dir():
        pytest.skip("missing: npm ci --prefix tests/clients")
    (tmp_path / "node_modules").symlink_to(CLIENTS)
    token = guest(stack, tmp_path)["access_token"]
    stack.coze.chats_left = left
    call = f"await quotaIsLeft('{token}', '{DEMO_BOT}', '{coze_url(stack)}')"
    shown = ENGLISH.block("js", "USED_UP")
    assert run(f"{shown}console.log(JSON.stringify({call}));\n", tmp_path) is expected
    stack.coze.chats_left = None


def opening(stack: LocalStack, folder: Path) -> str:
    """What the lines print that read the opening statement with a guest's token."""
    token = guest(stack, folder)["access_token"]
    session = f"const session = {{ getToken: async () => '{token}' }};\n"
    shown = ENGLISH.block("js", "onboarding_info").replace("https://api.coze.cn", coze_url(stack))
    (folder / "page.mjs").write_text(session + shown, encoding="utf-8")
    return output(program("node"), str(folder / "page.mjs"), folder=folder)


def test_the_opening_statement_or_what_is_missing_is_shown(
    stack: LocalStack, tmp_path: Path
) -> None:
    codes = [row[0] for row in ENGLISH.tables[0]][1:]
    stack.coze.unpublish("api")
    unpublished = opening(stack, tmp_path)
    stack.coze.publish("api")
    stack.coze.withdraw_permission("getMetadata")
    unpermitted = opening(stack, tmp_path)
    stack.coze.restore_permission("getMetadata")
    assert [said.split()[0] for said in (unpublished, unpermitted)] == codes
    assert re.match(r"0 .+", opening(stack, tmp_path))
