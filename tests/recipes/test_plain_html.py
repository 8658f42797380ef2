"""The recipes for pages without a build, as they are pasted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.browser import adapted
from tests.local.stack import LocalStack
from tests.recipes.recipe import RECIPES, SDK_URL, copy_helper
from tests.recipes.visitor import session_of, widgets
from tests.recipes.website import Website

if TYPE_CHECKING:
    from tests.recipes.conftest import OpenPage

HEAD = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A page</title>\n'
SIGN_IN = """
export const signInToken = async () => localStorage.getItem("sign-in");
export const signOut = async () => localStorage.removeItem("sign-in");
"""
HTML = [text for language, text in RECIPES.blocks if language == "html" and SDK_URL in text]
MODULE, CLASSIC, BUTTON, SIGNED_IN = HTML


@pytest.fixture
def paste(tmp_path: Path, stack: LocalStack) -> Path:
    """The folder of a site with the helper in it."""
    copy_helper(tmp_path)
    return tmp_path


def page_of(folder: Path, recipe: str, stack: LocalStack) -> Path:
    (folder / "index.html").write_text(HEAD + adapted(recipe, stack), encoding="utf-8")
    return folder


@pytest.mark.parametrize("recipe", [MODULE, CLASSIC], ids=["module", "classic"])
def test_a_guest_has_a_session_and_keeps_it(
    recipe: str, paste: Path, stack: LocalStack, open_page: OpenPage
) -> None:
    page = open_page(page_of(paste, recipe, stack))
    first = session_of(page, stack)
    page.reload()
    assert first.startswith("guest_")
    assert session_of(page, stack) == first


def test_where_there_is_no_token_there_is_no_widget(
    paste: Path, stack: LocalStack, open_page: OpenPage, website: Website
) -> None:
    recipe = CLASSIC.replace("amazonaws.com", "amazonaws.com/nowhere")
    page = open_page(page_of(paste, recipe, stack))
    assert page.evaluate("() => session.ready") == ""
    assert widgets(page) == 0


def test_a_button_opens_and_closes_the_chat_in_place_of_the_ball(
    paste: Path, stack: LocalStack, open_page: OpenPage
) -> None:
    page = open_page(page_of(paste, BUTTON, stack))
    session_of(page, stack)
    seen = []
    for _ in range(3):
        page.click("#chat")
        seen.append(page.evaluate("() => widgets[0].isOpen"))
    assert seen == [True, False, True]
    assert page.evaluate("() => widgets[0].options.ui.asstBtn.isNeed") is False


def test_a_visitor_who_signs_in_has_their_own_session_until_they_sign_out(
    paste: Path, stack: LocalStack, open_page: OpenPage
) -> None:
    (paste / "sign-in.js").write_text(SIGN_IN)
    page = open_page(page_of(paste, SIGNED_IN, stack))
    guest = session_of(page, stack)
    page.evaluate("(token) => localStorage.setItem('sign-in', token)", stack.oidc.id_token("ada"))
    page.reload()
    kept = session_of(page, stack)
    with page.expect_navigation():
        page.click("#sign-out")
    after = session_of(page, stack)
    assert kept == guest  # carried over
    assert after.startswith("guest_")
    assert after != guest


def test_a_visitor_who_was_signed_in_from_the_start_is_named_by_the_sign_in(
    paste: Path, stack: LocalStack, open_page: OpenPage
) -> None:
    (paste / "sign-in.js").write_text(
        SIGN_IN.replace('localStorage.getItem("sign-in")', f'"{stack.oidc.id_token("kate")}"')
    )
    assert session_of(open_page(page_of(paste, SIGNED_IN, stack)), stack) == "kate"


def test_the_policy_lets_the_widget_in(
    paste: Path, stack: LocalStack, open_page: OpenPage, website: Website
) -> None:
    policy = adapted(RECIPES.block("text", "script-src"), stack)
    script = adapted(MODULE, stack).partition('<script type="module">')[2]
    (paste / "chat.js").write_text(script.partition("</script>")[0])
    (paste / "index.html").write_text(
        f'{HEAD}<script src="{SDK_URL}"></script><script type="module" src="chat.js"></script>'
    )
    policy = f"default-src 'none'; {' '.join(policy.split())}"
    website.headers.append(("Content-Security-Policy", policy))
    page = open_page(paste)
    assert session_of(page, stack).startswith("guest_")
    page.route(
        "https://*/**", lambda route: route.fulfill(headers={"access-control-allow-origin": "*"})
    )
    reached = "(url) => fetch(url).then(() => true, () => false)"
    assert page.evaluate(reached, "https://api.coze.cn/v1/bots/7000000000000000001")
    assert not page.evaluate(reached, "https://www.example.com/")
