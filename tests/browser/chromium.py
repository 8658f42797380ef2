"""Chromium for tests: started once, and visitors that each have a browser profile of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.markdown import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window; skips the test where there is none."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: make engines"
    )
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        browser.close()


BLANK = """<!doctype html>
<meta charset=utf-8>
<link rel=icon href=data:,>
<title>a page</title>
<script type=module src=demo/blank.js></script>
"""
SCRIPT = """
import { createSession } from "/coze-session.js";
Object.assign(globalThis, { createSession });
"""


def blank_site(folder: Path) -> Path:
    """A site with the helper and one page, which offers `createSession` to tests."""
    for name in ("coze-session.js", "coze-session.classic.js"):
        shutil.copy(ROOT / "site" / name, folder)
    (folder / "index.html").write_text(BLANK)
    (folder / "demo").mkdir()
    (folder / "demo" / "blank.js").write_text(SCRIPT)
    return folder


def blank_page(context: BrowserContext, url: str) -> Page:
    """The page of such a site, ready."""
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("() => !!globalThis.createSession")
    return page


def make_session(page: Page, options: str = "") -> None:
    """Makes `session` in the page; `options` are JavaScript, such as `idToken: "eyJ…"`."""
    made = f"createSession({{ endpoint: location.origin, {options} }})"
    page.evaluate(f"() => {{ globalThis.session = {made} }}")


def refresh(page: Page, old: str | None = None) -> Any:
    """What `onRefreshToken` comes to, and `"rejected"` if it breaks its word."""
    argument = [] if old is None else [old]
    return page.evaluate(
        "(old) => session.onRefreshToken(...old).catch(() => 'rejected')", argument
    )
