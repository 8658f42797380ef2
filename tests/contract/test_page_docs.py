"""docs/page.md says of the helper what is so, and what it shows works."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract import test_docs
from tests.contract.browser import (
    BROWSER,
    LEAVE,
    SHOWN_PAGE,
    adapted,
    output,
    page,
    program,
    run,
    strict_stack,
)
from tests.contract.markdown import ROOT, Document
from tests.local.stack import LocalStack

SITE = ROOT / "site"
PAGE, CHAT_SDK, ISSUERS = (Document(f"docs/{name}.md") for name in ("page", "chat-sdk", "issuers"))
DOCUMENTS = [PAGE, CHAT_SDK, ISSUERS]
TYPES = (SITE / "coze-session.d.ts").read_text(encoding="utf-8")
SCRIPT = re.compile(r"<script([^>]*)>\n(.*?)</script>", re.DOTALL)
WIDGETS = """
const widgets = [];
globalThis.CozeWebSDK.WebChatClient = class { constructor(options) { widgets.push(options); } };
"""
SHOW = """
const tokens = [];
for (const { auth } of widgets) tokens.push(await auth.onRefreshToken(""));
console.log(JSON.stringify({ tokens, widgets }));
"""


def declared(interface: str) -> set[str]:
    """The members of an interface of coze-session.d.ts."""
    body = re.sub(r"/\*\*.*?\*/", "", TYPES, flags=re.DOTALL).split(f"interface {interface} ")[1]
    return set(re.findall(r"^  (?:readonly )?(\w+)[?(:]", body.split("\n}")[0], re.MULTILINE))


@pytest.mark.parametrize("document", [PAGE, test_docs.twin(PAGE)], ids=str)
def test_every_option_member_and_field_of_an_error_is_listed(document: Document) -> None:
    members = {name.split("(")[0] for name in document.table("ready")}
    assert document.table("endpoint").keys() == declared("SessionOptions")
    assert members == declared("Session")
    assert document.table("message").keys() == declared("SessionError") | {"message"}


def test_the_browsers_that_are_named_are_those_it_is_built_for() -> None:
    built = re.search(r"target: (\[.*\])", (SITE / "build.mjs").read_text(encoding="utf-8"))
    named = re.search(r"Chrome and Edge (\d+), Firefox (\d+), Safari (\d+)", PAGE.text)
    assert built
    assert named
    names = zip(["chrome", "firefox", "safari"], named.groups(), strict=True)
    assert json.loads(built[1]) == ["".join(name) for name in names]


def scripts(document: Document) -> list[tuple[str, str]]:
    """The scripts that a document shows, each with the ending of a file that may hold it."""
    found = [(".mjs", code) for language, code in document.blocks if language == "js"]
    pages = "".join(code for language, code in document.blocks if language == "html")
    for kind, code in SCRIPT.findall(pages):
        found.append((".mjs" if "module" in kind else ".cjs", code))
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_the_scripts_that_are_shown_can_be_read(document: Document, tmp_path: Path) -> None:
    shown = scripts(document)
    assert len(shown) >= 5
    for number, (ending, code) in enumerate(shown):
        (tmp_path / f"{number}{ending}").write_text(code, encoding="utf-8")
        output(program("node"), "--check", f"{number}{ending}", folder=tmp_path)


def test_every_option_that_is_shown_exists() -> None:
    code = [code for document in DOCUMENTS for _, code in scripts(document)]
    calls = re.findall(r"createSession\(\{\s(.*?)\s\}\);", "\n".join(code), re.DOTALL)
    named = {name for call in calls for name in re.findall(r"(?:^|\n  )(?:  )?(\w+):", call)}
    assert named == {"endpoint", "idToken", "guest", "onError"}
    assert named < declared("SessionOptions")


@pytest.mark.parametrize("name", ["page", "recipes"])
def test_the_session_signs_out_before_the_login_does(name: str) -> None:
    shown = [text for _, text in Document(f"docs/{name}.md").blocks if "session.signOut" in text]
    order = re.findall(r"await (\w.*)\(\);|(location.reload)", "\n".join(shown))
    assert ["".join(call) for call in order] == ["session.signOut", "signOut", "location.reload"]


def installed(name: str) -> str:
    """A program that npm installs for the helper."""
    found = SITE / "node_modules" / ".bin" / name
    return str(found) if found.exists() else pytest.skip("missing: npm ci --prefix site")


def test_the_example_in_typescript_has_the_types_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "coze-session").symlink_to(SITE)
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (tmp_path / "page.ts").write_text(PAGE.block("ts"), encoding="utf-8")
    options = ["--noEmit", "--strict", "--module", "nodenext"]
    output(installed("tsc"), *options, "page.ts", folder=tmp_path)


def test_the_hash_that_the_command_prints_is_the_one_that_browsers_compare() -> None:
    program("openssl")
    said = output("sh", "-c", PAGE.block("sh", "openssl"), folder=SITE)
    digest = hashlib.sha384((SITE / "coze-session.classic.js").read_bytes()).digest()
    assert said == base64.b64encode(digest).decode()


@pytest.mark.parametrize("document", [PAGE, CHAT_SDK], ids=str)
def test_the_first_page_is_that_of_the_readme(document: Document) -> None:
    block = next(code for language, code in document.blocks if language == "html")
    assert SCRIPT.findall(block) == [(' type="module"', page().removeprefix("\n"))]


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with strict_stack() as stack:
        yield stack


def visit(code: str, stack: LocalStack, folder: Path) -> dict[str, Any]:
    """The widgets that a page makes, and the tokens that they get."""
    seen: dict[str, Any] = run(BROWSER + WIDGETS + adapted(code, stack) + SHOW + LEAVE, folder)
    return seen


def test_the_page_without_modules_gives_the_widget_its_token(
    stack: LocalStack, tmp_path: Path
) -> None:
    classic = (SITE / "coze-session.classic.js").read_text(encoding="utf-8")
    shown = scripts(PAGE)[-1][1]
    seen = visit(f"{classic}{shown}await session.ready;\n", stack, tmp_path)
    assert seen["widgets"][0]["auth"] == {"type": "token", "token": ""}
    assert stack.coze.tokens[seen["tokens"][0]].session_name.startswith("guest_")


def test_two_widgets_of_one_page_are_one_visitor_with_one_token(
    stack: LocalStack, tmp_path: Path
) -> None:
    loads = 'import { createSession } from "./coze-session.js";\n'
    seen = visit(loads + PAGE.block("js", "of ["), stack, tmp_path)
    assert len(seen["tokens"]) == 2
    assert len(set(seen["tokens"])) == 1
    assert seen["tokens"][0] in stack.coze.tokens


@pytest.mark.parametrize(
    ("parameters", "sign_in", "row"),
    [
        ({"GuestSessions": "off"}, "", "403 `access_denied`"),
        ({"OidcIssuer": "", "OidcAudience": ""}, "made-up", "404"),
        ({}, "made-up", "401"),
    ],
)
def test_the_developer_sees_why_nothing_shows(
    tmp_path: Path, parameters: dict[str, str], sign_in: str, row: str
) -> None:
    rows = [
        row for page in (PAGE, test_docs.twin(PAGE)) for table in page.subjects for row in table
    ]
    settings = {"AllowedOrigins": SHOWN_PAGE, "AllowNoOrigin": "off", **parameters}
    shown = PAGE.block("js", "console.warn").replace("onError", f"idToken: '{sign_in}', onError")
    shown = 'import { createSession } from "./coze-session.js";\n' + shown
    told = "let told;\nconsole.warn = ({ status, code }) => (told = { status, code });\n"
    tell = "await session.ready;\nconsole.log(JSON.stringify(told));\n"
    with LocalStack(parameters=settings) as stack:
        seen = run(BROWSER + told + adapted(shown, stack) + tell + LEAVE, tmp_path)
    assert rows.count(row) == 2
    assert row == f"{seen['status']} `{seen.get('code')}`".removesuffix(" `None`")
