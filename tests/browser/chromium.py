"""Chromium for tests: started once, and visitors that each have a browser profile of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

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
<script type=module>
  import { createSession } from "/coze-session.js";
  Object.assign(globalThis, { createSession });
</script>
"""


def blank_page(context: BrowserContext, url: str) -> Page:
    """A page at `url` with nothing on it but the helper's `createSession`."""
    context.route(url, lambda route: route.fulfill(content_type="text/html", body=BLANK))
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
