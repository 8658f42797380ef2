"""The recipes for sites with a build."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.local.stack import LocalStack
from tests.recipes.recipe import HERE, SDK_URL, build, give, write_files
from tests.recipes.visitor import session_of, widgets

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route

    from tests.recipes.conftest import OpenPage

REACT = ["src/coze-chat.ts", "src/CozeChat.tsx"]
VUE = ["src/coze-chat.ts", "src/CozeChat.vue", "src/App.vue"]
NEXT = [*REACT, "next.config.ts", ".env", "src/app/page.tsx"]


@pytest.fixture(scope="module")
def react(project: Path, stack: LocalStack) -> Path:
    """React in development, where strict mode runs each effect twice."""
    folder = project / "react"
    give(folder, "react")
    write_files(folder, *REACT, "src/App.tsx", endpoint=stack.url)
    build("vite", "build", folder=folder, NODE_ENV="development")
    return folder / "dist"


@pytest.fixture(scope="module")
def vue(project: Path, stack: LocalStack) -> Path:
    folder = project / "vue"
    give(folder, "vue")
    write_files(folder, *VUE, endpoint=stack.url)
    build("vite", "build", folder=folder)
    return folder / "dist"


@pytest.fixture(scope="module")
def next_export(project: Path, stack: LocalStack) -> Path:
    folder = project / "next"
    give(folder, "next")
    write_files(folder, *NEXT, endpoint=stack.url)
    build("next", "build", folder=folder, NEXT_TELEMETRY_DISABLED="1")
    return folder / "out"


def requests_of(context: BrowserContext) -> list[str]:
    """The URLs that this profile loads from now on."""
    urls: list[str] = []
    context.on("request", lambda request: urls.append(request.url))
    return urls


@pytest.mark.parametrize("site", ["react", "vue", "next_export"])
def test_a_guest_has_a_session_and_keeps_it(
    site: str, request: pytest.FixtureRequest, stack: LocalStack, open_page: OpenPage
) -> None:
    page = open_page(request.getfixturevalue(site))
    first = session_of(page, stack)
    page.reload()
    assert first.startswith("guest_")
    assert session_of(page, stack) == first


@pytest.mark.parametrize("site", ["react", "vue"])
def test_the_widget_goes_with_the_component(
    site: str, request: pytest.FixtureRequest, stack: LocalStack, open_page: OpenPage
) -> None:
    page = open_page(request.getfixturevalue(site))
    session_of(page, stack)
    page.evaluate("() => leave()")
    assert widgets(page) == 0


def test_a_component_that_went_before_the_script_came_shows_no_widget(
    react: Path, context: BrowserContext, open_page: OpenPage
) -> None:
    waiting: list[Route] = []
    context.route(SDK_URL, lambda route: hold(waiting, route))
    with context.expect_event("response", lambda answer: answer.url.endswith("/guest/token")):
        page = open_page(react)
    page.evaluate(
        """() => {
          const script = document.querySelector("script[src*=chat-app-sdk]");
          globalThis.settled = new Promise((resolve) =>
            script.addEventListener("load", () => setTimeout(resolve)));
          leave();
        }"""
    )
    waiting[0].fulfill(path=HERE / "widget.js")
    page.evaluate("() => settled")
    assert page.evaluate("() => widgetsMade") == 0


def hold(waiting: list[Route], route: Route) -> None:
    waiting.append(route)


def test_strict_mode_costs_one_script_one_request_and_one_widget(
    react: Path, context: BrowserContext, stack: LocalStack, open_page: OpenPage
) -> None:
    urls = requests_of(context)
    page = open_page(react)
    session_of(page, stack)
    assert page.locator("script[src*=chat-app-sdk]").count() == 1
    assert urls.count(f"{stack.url}/guest/token") == 1
    assert page.evaluate("() => widgetsMade") == 1


@pytest.mark.parametrize("site", ["react", "vue"])
def test_another_visitor_gets_another_widget(
    site: str, request: pytest.FixtureRequest, stack: LocalStack, open_page: OpenPage
) -> None:
    page = open_page(request.getfixturevalue(site))
    guest = session_of(page, stack)
    sessions = []
    for user in (f"hana-{site}", "ivan"):
        sign_in(page, stack, user)
        sessions.append(session_of(page, stack))
    assert sessions == [guest, "ivan"]  # the first keeps what she said as a guest


@pytest.mark.parametrize("site", ["react", "vue"])
def test_the_component_takes_every_option_of_the_helper(
    site: str, request: pytest.FixtureRequest, stack: LocalStack, open_page: OpenPage
) -> None:
    page = open_page(request.getfixturevalue(site))
    guest = session_of(page, stack)
    sign_in(page, stack, f"leo-{site}", carryOver=False)
    assert session_of(page, stack) == f"leo-{site}"
    page.evaluate("(visitor) => signIn(...visitor)", [stack.url, "", {"guest": True}])
    page.wait_for_function("() => widgetsMade === 3")
    assert session_of(page, stack) == guest


def sign_in(page: Page, stack: LocalStack, user: str, **more: bool) -> None:
    """Gives the component the sign-in of this user, and waits for the widget."""
    made: int = page.evaluate("() => widgetsMade")
    visitor = [stack.url, stack.oidc.id_token(user), more]
    page.evaluate("(visitor) => signIn(...visitor)", visitor)
    page.wait_for_function("(made) => widgetsMade > made", arg=made)


def test_a_script_that_did_not_come_is_asked_for_again(
    react: Path, context: BrowserContext, stack: LocalStack, open_page: OpenPage
) -> None:
    left = [1]
    context.route(SDK_URL, lambda route: route.abort() if left and left.pop() else route.fallback())
    with context.expect_event("console", lambda said: "could not be loaded" in said.text):
        page = open_page(react)
    assert widgets(page) == 0
    page.evaluate("(visitor) => signIn(...visitor)", [stack.url, stack.oidc.id_token("judy"), {}])
    assert session_of(page, stack)
