"""What a test sees of the widget in a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.local.stack import LocalStack

if TYPE_CHECKING:
    from playwright.sync_api import Page


def session_of(page: Page, stack: LocalStack) -> str:
    """Whose session the widget's token is; waits for the widget, which must be the only one."""
    page.wait_for_function("() => globalThis.widgets?.length")
    (token,) = page.evaluate("() => Promise.all(widgets.map((widget) => widget.token))")
    assert token not in page.content()
    session = stack.coze.tokens[token].session_name
    assert session
    return session


def widgets(page: Page) -> int:
    """How many widgets are there now."""
    count: int = page.evaluate("() => globalThis.widgets?.length ?? 0")
    return count
