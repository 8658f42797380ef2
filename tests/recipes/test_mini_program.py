"""The recipes for mini-programs, with a phone's `wx`: in Node.js, and around Coze's component."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.browser import program
from tests.local.outside import DEMO_MINI_PROGRAM
from tests.local.stack import LocalStack
from tests.recipes.recipe import HERE, build, give, write_files

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    from tests.recipes.conftest import OpenPage

FILES = ["coze-token.js", "pages/chat/chat.js"]
# Of an older route of Coze's, which the component asks.
BOT = {"code": 0, "data": {"bot_id": "7000000000000000001", "name": "A bot of ours"}}
CORS = {"access-control-allow-origin": "*"}
PHONE = (HERE / "phone.js").read_text(encoding="utf-8")
CLOCK = """
let now = Date.now();
Date.now = () => now;
const { cozeToken } = await import("./coze-token.js");
"""


def phone(stack: LocalStack, *, user: str) -> str:
    """The phone of this user."""
    codes = [stack.wechat.log_in(appid=DEMO_MINI_PROGRAM, user=user) for _ in range(5)]
    return f"globalThis.codes = {json.dumps(codes)};\n{PHONE}"


def session_name(stack: LocalStack, *, user: str) -> str:
    return f"wechat_{stack.wechat.openid(appid=DEMO_MINI_PROGRAM, user=user)}"


@pytest.fixture
def run(tmp_path: Path, stack: LocalStack) -> Any:
    """Runs a script on carol's phone; what it prints."""
    write_files(tmp_path, *FILES, endpoint=stack.url, coze=stack.coze_url)
    (tmp_path / "package.json").write_text('{"type": "module"}')

    def run(script: str) -> Any:
        whole = f"{phone(stack, user='carol')}{CLOCK}{script}process.exit();\n"
        (tmp_path / "phone.js").write_text(whole, encoding="utf-8")
        done = subprocess.run(
            [program("node"), "phone.js"],
            cwd=tmp_path,
            env={"NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_the_token_is_the_users_own(run: Any, stack: LocalStack) -> None:
    token = run("console.log(JSON.stringify(await cozeToken()));")
    assert stack.coze.tokens[token].session_name == session_name(stack, user="carol")


def test_a_token_is_asked_for_once_and_again_when_it_ends_or_was_refused(run: Any) -> None:
    logins = run("""
const counts = [];
const [token] = await Promise.all([cozeToken(), cozeToken()]);
counts.push(logins);
await cozeToken("another");
counts.push(logins);
await cozeToken(token);
counts.push(logins);
now += 3570 * 1000;
await cozeToken();
counts.push(logins);
console.log(JSON.stringify(counts));
""")
    assert logins == [1, 1, 2, 3]


def test_no_token_is_no_rejection_and_not_for_ever(run: Any) -> None:
    offline, online = run("""
isOffline = true;
const before = await cozeToken();
isOffline = false;
console.log(JSON.stringify([before, await cozeToken()]));
""")
    assert offline == ""
    assert online.startswith("czs_")


def test_an_answer_that_is_none_is_no_rejection_and_costs_no_token(run: Any) -> None:
    tokens = run("""
const { request } = wx;
wx.request = ({ success }) => success({ statusCode: 200, data: answers.pop() });
const answers = [{ access_token: "czs_1" }, "<html>", null, undefined];
const tokens = [];
while (answers.length) tokens.push(await cozeToken());
wx.request = request;
const token = await cozeToken();
wx.request = ({ success }) => success({ statusCode: 200, data: {} });
now += 3600 * 1000 - 30 * 1000;
console.log(JSON.stringify([...tokens, token === (await cozeToken())]));
""")
    assert tokens == ["", "", "", "", True]


def test_while_a_token_lives_it_is_given_even_if_it_was_refused(run: Any) -> None:
    seen = run("""
const token = await cozeToken();
isOffline = true;
const seen = [await cozeToken(token)];
now += 3600 * 1000 - 30 * 1000;
seen.push(await cozeToken(), await cozeToken(token));
now += 31 * 1000;
seen.push(await cozeToken());
console.log(JSON.stringify(seen.map((given) => given && given === token)));
""")
    assert seen == [True, True, True, ""]


def test_a_storm_of_refusals_costs_one_request_a_minute(run: Any) -> None:
    counts = run("""
let token = await cozeToken();
const counts = [];
for (let i = 0; i < 130; i++) {
  token = await cozeToken(token);
  counts.push(logins);
  now += 1000;
}
console.log(JSON.stringify([counts[0], counts.at(-1), token]));
""")
    assert counts[:2] == [2, 4]
    assert counts[2].startswith("czs_")


def test_the_native_page_has_a_conversation_of_the_user(run: Any) -> None:
    conversation = run("""
const shown = new Promise((resolve) => {
  globalThis.Page = (page) => Object.assign(page, { setData: resolve }).onLoad();
});
await import("./pages/chat/chat.js");
console.log(JSON.stringify((await shown).conversation));
""")
    assert conversation.isdigit()


@pytest.fixture
def taro(project: Path, stack: LocalStack) -> Path:
    """The page for Taro, with what Coze built of its components for browsers."""
    folder = project / "taro"
    give(folder, "taro")
    here = {"endpoint": stack.url, "coze": stack.coze_url}
    write_files(folder, "src/pages/chat/index.tsx", **here)
    write_files(folder / "src", "coze-token.js", **here)
    build("vite", "build", folder=folder)
    return folder / "dist"


def test_cozes_component_chats_with_the_users_own_token(
    taro: Path, context: BrowserContext, stack: LocalStack, open_page: OpenPage
) -> None:
    context.add_init_script(phone(stack, user="dave"))
    context.route("https://*/**", lambda route: route.abort())  # pictures
    context.route("**/v1/bot/get_online_info*", lambda route: route.fulfill(json=BOT, headers=CORS))
    page = open_page(taro)
    page.get_by_text(BOT["data"]["name"]).first.wait_for()
    page.locator("textarea").fill("Hello?")
    page.locator("textarea").press("Enter")
    page.get_by_text("You said: Hello?").wait_for()
    request = stack.coze.chat_requests[-1]
    assert request.session_name == session_name(stack, user="dave")
    assert request.body["additional_messages"][0]["content"] == "Hello?"
