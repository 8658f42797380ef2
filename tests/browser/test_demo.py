"""The demo page that `make dev` serves, used as a person would use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import MINUTE, Shift
from tests.contract.markdown import ROOT
from tests.local.faults import HANG_UP, Planned
from tests.local.stack import LocalStack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Frame, Page, Route

Profile = Callable[..., "BrowserContext"]
AXE = ROOT / "site" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = ROOT / "tests" / "browser" / "pictures"
CHECKS = ["isolation", "user-info", "web-view", "audio", "ball", "opening"]
PHONE = {"width": 375, "height": 812}


@pytest.fixture(scope="module")
def site() -> Path:
    return ROOT / "site"


@pytest.fixture(autouse=True)
def as_new(stack: LocalStack, shift: Shift) -> Iterator[None]:
    yield
    shift.seconds = 0
    stack.faults.next.clear()
    stack.coze.chats_left = None
    stack.coze.publish("api")
    for permission in ("getMetadata", "chat"):
        stack.coze.restore_permission(permission)


def opened(stack: LocalStack, context: BrowserContext, query: str = "") -> Page:
    page = context.new_page()
    page.goto(f"{stack.url}/{query}")
    page.wait_for_selector("html[data-state=ready]")
    return page


def pane(page: Page, side: str) -> Frame:
    frame = page.query_selector(f"#{side}-frame").content_frame()
    frame.wait_for_selector("html[data-state=ready]")
    return frame


def visit(stack: LocalStack, context: BrowserContext, user: str = "") -> Page:
    """The page of one visitor, alone."""
    page = context.new_page()
    page.goto(f"{stack.url}/demo/chat.html?lang=en&user={user}")
    page.wait_for_selector("html[data-state=ready]")
    return page


def chat(frame: Frame | Page, words: str) -> None:
    """Opens the chat, says this, and waits for the whole answer."""
    if frame.get_attribute("html", "data-chat") != "open":
        frame.click("#chat-toggle")
    frame.fill("textarea", words)
    frame.press("textarea", "Enter")
    frame.wait_for_selector(f".message.assistant .text:has-text({words!r})")
    frame.wait_for_selector("[role=log][aria-busy=false]")


def said(frame: Frame | Page) -> str:
    return str(frame.inner_text("[role=log]"))


def verdict(page: Page, check: str) -> str:
    page.wait_for_selector(f"#check-{check}[data-state]")
    return str(page.get_attribute(f"#check-{check}", "data-state"))


def keep(page: Page, name: str) -> None:
    """A picture for people to look at."""
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def faults_of(page: Page | Frame) -> list[str]:
    """What axe finds wrong."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: make engines")
    page.evaluate(AXE.read_text())
    found: list[Any] = page.evaluate("async () => (await axe.run()).violations")
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found]


def test_two_users_side_by_side_never_meet_and_every_check_is_fine(
    stack: LocalStack, profile: Profile
) -> None:
    page = opened(stack, profile(viewport={"width": 1200, "height": 900}), "?lang=en")
    left, right = pane(page, "left"), pane(page, "right")
    chat(left, "alice was here")
    chat(right, "bob was here")
    assert "bob" not in said(left)
    assert "alice" not in said(right)
    page.click("#run-checks")
    page.wait_for_function("() => /6|7/.test(document.querySelector('#checks-summary').innerText)")
    assert {check: verdict(page, check) for check in CHECKS} == dict.fromkeys(CHECKS, "ok")
    keep(page, "two-users")


def test_what_was_said_is_there_again_after_a_reload(stack: LocalStack, profile: Profile) -> None:
    page = visit(stack, profile())
    chat(page, "remember this")
    page.reload()
    page.wait_for_selector("html[data-state=ready]")
    page.click("#chat-toggle")
    page.wait_for_selector(".message.user:has-text('remember this')")


def test_two_profiles_are_two_guests_who_never_meet(stack: LocalStack, profile: Profile) -> None:
    pages = [visit(stack, profile()) for _ in range(2)]
    for number, page in enumerate(pages):
        chat(page, f"guest number {number}")
    assert "number 1" not in said(pages[0])
    assert "number 0" not in said(pages[1])


def test_a_chat_goes_on_when_its_token_comes_to_its_end(
    stack: LocalStack, profile: Profile, shift: Shift
) -> None:
    page = profile().new_page()
    page.clock.install()
    page.goto(f"{stack.url}/demo/chat.html?user=erin")
    page.wait_for_selector("html[data-state=ready]")
    chat(page, "before")
    shift.seconds += 61 * MINUTE
    page.clock.fast_forward(61 * MINUTE * 1000)
    chat(page, "after")
    assert "before" in said(page)
    dead, alive = stack.coze.chat_requests[-2:]
    assert (dead.code, alive.code, alive.session_name) == (4100, 0, "erin")


def test_a_chat_goes_on_when_coze_refuses_its_token(stack: LocalStack, profile: Profile) -> None:
    page = visit(stack, profile(), "frank")
    chat(page, "before")
    used = stack.coze.chat_requests[-1].access_token
    stack.coze.refuse_token(used)
    chat(page, "after")
    assert stack.coze.chat_requests[-1].access_token != used


def test_a_missing_permission_costs_the_service_one_request(
    stack: LocalStack, profile: Profile
) -> None:
    page = visit(stack, profile(), "grace")
    chat(page, "before")
    stack.coze.withdraw_permission("chat")
    before = len(stack.faults.seen)
    for _ in range(5):
        page.fill("textarea", "again")
        page.press("textarea", "Enter")
        page.wait_for_selector(".fault:not([hidden])")
        page.wait_for_selector("[role=log][aria-busy=false]")
    assert len(stack.faults.seen) - before == 1
    assert "4101" in page.inner_text(".fault")


def test_an_endpoint_that_is_down_is_told_without_an_alert_and_can_be_tried_again(
    stack: LocalStack, profile: Profile
) -> None:
    stack.faults.next["/token"] = lambda: HANG_UP
    page = profile().new_page()
    alerts = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page.goto(f"{stack.url}/demo/chat.html?lang=en&user=heidi")
    page.wait_for_selector("html[data-state=no-token]")
    keep(page, "endpoint-down")
    stack.faults.next.clear()
    page.click("#retry")
    page.wait_for_selector("html[data-state=ready]")
    assert alerts == []


@pytest.mark.parametrize(
    "planned",
    [
        Planned(status=200, body=b"<html>"),
        Planned(status=429, body={"error": "slow_down"}, headers={"Retry-After": "1"}),
        HANG_UP,
    ],
    ids=["garbage", "429", "down for a moment"],
)
def test_a_fault_that_passes_is_not_noticed(
    stack: LocalStack, profile: Profile, planned: Any
) -> None:
    stack.faults.next["/guest/token"] = [planned]
    chat(visit(stack, profile()), "hello")


def test_a_used_up_quota_is_explained(stack: LocalStack, profile: Profile) -> None:
    page = opened(stack, profile(), "?lang=en&left=ivan")
    left = pane(page, "left")
    chat(left, "the last one")
    stack.coze.chats_left = 0
    left.fill("textarea", "one more")
    left.press("textarea", "Enter")
    left.wait_for_selector(".fault:not([hidden])")
    page.wait_for_selector("#check-quota[data-state=bad]")
    assert "4028" in page.inner_text("#check-quota")
    keep(page, "quota")


@pytest.mark.parametrize("cause", ["unpublished", "no permission"])
def test_a_missing_opening_statement_is_explained(
    stack: LocalStack, profile: Profile, cause: str
) -> None:
    if cause == "unpublished":
        stack.coze.unpublish("api")
    else:
        stack.coze.withdraw_permission("getMetadata")
    page = opened(stack, profile(), "?lang=en")
    page.wait_for_selector("#check-opening[data-state=bad]")
    said = page.inner_text("#check-opening .verdict")
    assert ("4015" if cause == "unpublished" else "4101") in said


def test_sign_out_leaves_a_guest_who_knows_nothing(stack: LocalStack, profile: Profile) -> None:
    page = visit(stack, profile(), "judy")
    chat(page, "a secret of judy")
    page.click("#sign-out")
    page.wait_for_url(re.compile(r"chat\.html\?lang=en$"))
    page.wait_for_selector("html[data-state=ready]")
    chat(page, "who am I")
    assert "judy" not in said(page)


def test_the_chat_works_by_keyboard_alone(stack: LocalStack, profile: Profile) -> None:
    page = visit(stack, profile())
    page.focus("#chat-toggle")
    page.keyboard.press("Enter")
    page.wait_for_selector("textarea:focus")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Enter")
    page.wait_for_selector(".message.assistant .text:has-text('by keyboard')")
    page.keyboard.press("Escape")
    page.wait_for_selector("html[data-chat=closed]")
    assert page.evaluate("() => document.activeElement.id") == "chat-toggle"


def test_no_token_or_ticket_is_where_others_see_it(stack: LocalStack, profile: Profile) -> None:
    context = profile()
    seen: list[str] = []
    context.on("console", lambda message: seen.append(message.text))
    context.on("request", lambda r: seen.append(f"{r.url} {r.headers.get('referer', '')}"))
    page = opened(stack, context, "?lang=en&left=&right=kate")
    for side in ("left", "right"):
        chat(pane(page, side), f"from the {side}")
    seen += [frame.content() for frame in page.frames]
    ticket = page.evaluate("() => localStorage.getItem('coze-sts-guest-ticket ' + location.origin)")
    secrets = [*stack.coze.tokens, ticket]
    assert len(secrets) > 2
    assert [line for line in seen if any(secret in line for secret in secrets)] == []
    kept = page.evaluate("() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    assert [token for token in stack.coze.tokens if token in kept] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_page_is_accessible_and_fits(
    stack: LocalStack, profile: Profile, theme: str, lang: str, size: str
) -> None:
    viewport = PHONE if size == "phone" else {"width": 1200, "height": 900}
    context = profile(color_scheme=theme, viewport=viewport, bypass_csp=True)
    page = opened(stack, context, f"?lang={lang}")
    left = pane(page, "left")
    chat(left, "你好" if lang == "zh" else "hello")
    page.wait_for_selector("#check-isolation[data-state]")
    assert faults_of(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= viewport["width"]
    keep(page, f"{size}-{theme}-{lang}")


def with_sdk(stack: LocalStack, context: BrowserContext, answer: Callable[[Route], None]) -> Page:
    """The page of a site that has a real key, where Coze's script is answered like this."""
    url = "https://lf-cdn.coze.cn/obj/unpkg/some.js"
    settings = stack.site_settings.page(endpoint=stack.url) | {"sdk": url, "standIn": False}
    context.route("**/demo/settings.json", lambda route: route.fulfill(json=settings))
    context.route(url, answer)
    return visit(stack, context)


def test_the_page_says_so_where_cozes_script_cannot_be_loaded(
    stack: LocalStack, profile: Profile
) -> None:
    page = with_sdk(stack, profile(), lambda route: route.abort())
    assert page.get_attribute("html", "data-widget") == "stand-in"
    assert "https://lf-cdn.coze.cn/obj/unpkg/some.js" in page.inner_text("#notice")
    chat(page, "it works all the same")


def test_cozes_script_is_used_as_its_documents_say(stack: LocalStack, profile: Profile) -> None:
    script = """globalThis.CozeWebSDK = {
      WebChatClient: class {
        constructor(options) { globalThis.made = options; }
      },
    };"""
    page = with_sdk(
        stack,
        profile(),
        lambda route: route.fulfill(content_type="text/javascript", body=script),
    )
    plain = "(key, value) => (key === 'el' ? undefined : value)"
    made = page.evaluate(f"() => JSON.parse(JSON.stringify(made, {plain}))")
    assert made["config"] == {"bot_id": stack.site_settings.bot_id, "isIframe": False}
    assert made["auth"] == {"type": "token", "token": ""}
    assert made["ui"]["asstBtn"] == {"isNeed": False}
    assert made["ui"]["chatBot"]["isNeedAudio"] is True
    assert page.evaluate("() => made.auth.onRefreshToken('')") in stack.coze.tokens
