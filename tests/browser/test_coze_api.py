"""Coze's own client runs in a page, with the helper's `getToken` as its token."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import blank_page, make_session
from tests.contract.markdown import ROOT
from tests.local.site import DEMO_BOT
from tests.local.stack import LocalStack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

CLIENT = ROOT / "tests" / "clients" / "node_modules" / "@coze" / "api"
ESBUILD = ROOT / "site" / "node_modules" / ".bin" / "esbuild"
CHAT = """
async ([baseURL, bot_id, words]) => {
  const coze = new CozeAPI({
    baseURL,
    token: session.getToken,
  });
  const conversation = await coze.conversations.create({ bot_id });
  let said = "";
  for await (const { event, data } of coze.chat.stream({
    bot_id,
    user_id: "anybody",
    conversation_id: conversation.id,
    additional_messages: [{ role: "user", content: words, content_type: "text" }],
  })) {
    if (event === "conversation.message.delta") said += data.content;
  }
  const { conversations } = await coze.conversations.list({ bot_id });
  return { said, conversations: conversations.map(({ id }) => id) };
}
"""


@pytest.fixture(scope="module")
def client(site: Path) -> str:
    """The path of `@coze/api` as a script that a page can load."""
    if not (CLIENT.is_dir() and ESBUILD.exists() and shutil.which("node")):
        pytest.skip("@coze/api or esbuild is not installed: make engines")
    entry, built = site / "entry.js", site / "demo" / "client.js"
    entry.write_text('import { CozeAPI } from "@coze/api"; Object.assign(globalThis, { CozeAPI });')
    subprocess.run(
        [
            ESBUILD,
            entry,
            "--bundle",
            "--platform=browser",
            f"--outfile={built}",
            "--log-level=error",
        ],
        env={
            "NODE_PATH": str(CLIENT.parents[1]),
            "PATH": str(Path(shutil.which("node") or "").parent),
        },
        check=True,
    )
    return "/demo/client.js"


def chat(page: Page, stack: LocalStack, client: str, words: str) -> dict[str, Any]:
    page.add_script_tag(url=client)
    result: dict[str, Any] = page.evaluate(CHAT, [stack.coze_url, DEMO_BOT, words])
    return result


def test_two_visitors_chat_through_cozes_client_and_never_meet(
    stack: LocalStack, profile: Callable[..., BrowserContext], client: str
) -> None:
    seen = []
    for words in ("I am the first", "I am the second"):
        page = blank_page(profile(), stack.url)
        make_session(page)
        seen.append(chat(page, stack, client, words))
        assert seen[-1]["said"].endswith(words)
        assert len(seen[-1]["conversations"]) == 1
    assert seen[0]["conversations"] != seen[1]["conversations"]
