"""The helper in a real browser: real locks, channels, storage and network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import blank_page, make_session, refresh
from tests.browser.conftest import MINUTE, Shift
from tests.local.server import serve
from tests.local.site import Site
from tests.local.stack import LocalStack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Request, Route

Profile = Callable[..., "BrowserContext"]
DENIED = """
Object.defineProperty(globalThis, "localStorage", {
  get() { throw new DOMException("", "SecurityError"); },
});
"""
OLD_BROWSER = """
Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
delete globalThis.BroadcastChannel;
"""


@pytest.fixture(autouse=True)
def punctual(shift: Shift) -> Iterator[None]:
    yield
    shift.seconds = 0


def asked(context: BrowserContext) -> list[Request]:
    """The requests for tokens that this profile makes from now on."""
    seen: list[Request] = []
    context.on(
        "request",
        lambda request: (
            request.method == "POST" and "token" in request.url and seen.append(request)
        ),
    )
    return seen


def name_of(stack: LocalStack, token: str) -> str | None:
    return stack.coze.tokens[token].session_name


def ticket_of(page: Page) -> str | None:
    return page.evaluate("() => localStorage.getItem('coze-sts-guest-ticket ' + location.origin)")


def pass_time(page: Page, shift: Shift, *, seconds: int) -> None:
    """Moves the service, Coze and the browser on."""
    shift.seconds += seconds
    page.clock.fast_forward(seconds * 1000)


def test_a_guest_gets_a_token_and_is_the_same_guest_after_a_reload(
    stack: LocalStack, page: Page
) -> None:
    make_session(page)
    first = refresh(page, "")
    page.reload()
    page.wait_for_function("() => !!globalThis.createSession")
    make_session(page)
    again = refresh(page, "")
    assert name_of(stack, first) == name_of(stack, again)


def test_two_profiles_are_two_guests(stack: LocalStack, profile: Profile) -> None:
    names = set()
    for _ in range(2):
        page = blank_page(profile(), stack.url)
        make_session(page)
        names.add(name_of(stack, refresh(page, "")))
    assert len(names) == 2


def test_ten_tabs_that_open_at_once_make_one_request(stack: LocalStack, profile: Profile) -> None:
    context = profile()
    tabs = [blank_page(context, stack.url) for _ in range(10)]
    requests = asked(context)
    for tab in tabs:
        make_session(tab)
        tab.evaluate("() => { globalThis.answer = session.onRefreshToken('') }")
    tokens = {tab.evaluate("() => answer") for tab in tabs}
    assert len(tokens) == 1
    assert len(requests) == 1


def test_a_tab_that_opens_later_makes_no_request(stack: LocalStack, profile: Profile) -> None:
    context = profile()
    first, second = (blank_page(context, stack.url) for _ in range(2))
    make_session(first)
    token = refresh(first, "")
    requests = asked(context)
    make_session(second)
    assert refresh(second, "") == token
    assert requests == []


def test_several_widgets_in_a_page_make_one_request(stack: LocalStack, page: Page) -> None:
    requests = asked(page.context)
    tokens = page.evaluate(
        """() => Promise.all([1, 2, 3].map(() =>
             createSession({ endpoint: location.origin }).onRefreshToken("")))"""
    )
    assert len(set(tokens)) == 1
    assert len(requests) == 1


def test_a_token_that_came_to_its_end_is_replaced(
    stack: LocalStack, page: Page, shift: Shift
) -> None:
    page.clock.install()
    make_session(page)
    first = refresh(page, "")
    pass_time(page, shift, seconds=61 * MINUTE)
    requests = asked(page.context)
    second = refresh(page)
    assert stack.coze.tokens[second].expires_at > shift()
    assert name_of(stack, first) == name_of(stack, second)
    assert "rejected_token" not in (requests[0].post_data or "")


def test_a_token_is_replaced_before_it_is_too_short(
    stack: LocalStack, page: Page, shift: Shift
) -> None:
    page.clock.install()
    make_session(page)
    first = refresh(page, "")
    pass_time(page, shift, seconds=52 * MINUTE)
    second = page.evaluate("() => session.getToken()")
    assert first != second
    assert stack.coze.tokens[second].expires_at - shift() > 50 * MINUTE


def test_a_refused_token_is_reported_by_its_digest_and_replaced(
    stack: LocalStack, page: Page
) -> None:
    make_session(page)
    first = refresh(page, "")
    requests = asked(page.context)
    second = refresh(page, first)
    assert second not in ("", "rejected", first)
    assert (
        requests[0].post_data_json["rejected_token"] == hashlib.sha256(first.encode()).hexdigest()
    )


def test_a_storm_of_refusals_costs_the_service_one_request(stack: LocalStack, page: Page) -> None:
    make_session(page)
    refresh(page, "")
    requests = asked(page.context)
    tokens = page.evaluate(
        """async () => {
          const seen = [];
          for (let i = 0; i < 200; i++) seen.push(await session.onRefreshToken(seen.at(-1)));
          return seen;
        }"""
    )
    assert "" not in tokens
    assert len(requests) == 1


ANSWERS: dict[str, dict[str, Any]] = {
    "500": {"status": 500, "body": "{}"},
    "garbage": {"status": 200, "body": "<html>", "content_type": "text/html"},
    "no token": {"status": 200, "json": {"access_token": None, "expires_in": 3600}},
    "soon": {"status": 503, "json": {"error": "x"}, "headers": {"retry-after": "1"}},
}


@pytest.mark.parametrize("name", [*ANSWERS, "down"])
def test_a_fault_that_passes_is_not_noticed_by_the_widget(
    stack: LocalStack, page: Page, name: str
) -> None:
    left = [1]

    def answer(route: Route) -> None:
        if not left:
            route.continue_()
        elif name == "down":
            left.clear()
            route.abort("connectionrefused")
        else:
            left.clear()
            route.fulfill(**ANSWERS[name])

    page.route("**/guest/token", answer)
    make_session(page)
    assert name_of(stack, refresh(page, ""))


def test_retry_after_is_honoured(page: Page) -> None:
    times = []

    def slow_down(route: Route) -> None:
        times.append(1)
        route.fulfill(status=429, json={"error": "slow_down"}, headers={"retry-after": "60"})

    page.route("**/guest/token", slow_down)
    make_session(page)
    assert {refresh(page, "") for _ in range(20)} == {""}
    assert len(times) == 1
    failed = page.evaluate(
        "() => session.getToken().catch(({ status, retryAfter }) => [status, retryAfter])"
    )
    assert failed == [429, 60]


def test_a_slow_endpoint_costs_the_widget_less_than_5_s_and_the_answer_is_kept(
    stack: LocalStack, page: Page
) -> None:
    waiting: list[Route] = []
    page.route("**/guest/token", lambda route: waiting.append(route))  # noqa: PLW0108 - Playwright wants a function of Python's
    make_session(page)
    took = page.evaluate(
        """async () => {
          const began = performance.now();
          const token = await session.onRefreshToken("");
          return [token, performance.now() - began];
        }"""
    )
    assert took[0] == ""
    assert took[1] < 5_000
    waiting[0].continue_()
    page.wait_for_function("async () => (globalThis.late = await session.onRefreshToken(''))")
    assert name_of(stack, page.evaluate("() => late"))
    assert len(waiting) == 1


def test_a_page_that_was_offline_has_a_token_as_soon_as_it_is_back(
    stack: LocalStack, page: Page
) -> None:
    make_session(page)
    page.context.set_offline(True)
    assert refresh(page, "") == ""
    page.context.set_offline(False)
    assert name_of(stack, refresh(page, ""))


def test_a_token_that_lives_is_kept_while_offline(page: Page) -> None:
    make_session(page)
    token = refresh(page, "")
    page.context.set_offline(True)
    assert page.evaluate("() => session.getToken()") == token
    assert refresh(page, token) == token


def test_where_storage_is_denied_a_guest_has_a_session_all_the_same(
    stack: LocalStack, profile: Profile
) -> None:
    context = profile()
    context.add_init_script(DENIED)
    first, second = (blank_page(context, stack.url) for _ in range(2))
    for page in (first, second):
        make_session(page)
    assert name_of(stack, refresh(first, "")) == name_of(stack, refresh(second, ""))


def test_without_locks_and_channels_each_tab_has_a_token_all_the_same(
    stack: LocalStack, profile: Profile
) -> None:
    context = profile()
    context.add_init_script(OLD_BROWSER)
    tabs = [blank_page(context, stack.url) for _ in range(3)]
    for tab in tabs:
        make_session(tab)
        tab.evaluate("() => { globalThis.answer = session.onRefreshToken('') }")
    assert all(name_of(stack, tab.evaluate("() => answer")) for tab in tabs)


def test_the_classic_script_does_the_same(stack: LocalStack, profile: Profile) -> None:
    page = blank_page(profile(), stack.url)
    page.add_script_tag(url="/coze-session.classic.js")
    token = page.evaluate(
        "() => CozeSession.createSession({ endpoint: location.origin }).onRefreshToken('')"
    )
    assert name_of(stack, token)


def test_a_guest_who_signs_in_keeps_the_session(stack: LocalStack, page: Page) -> None:
    page.evaluate("() => { globalThis.idToken = null }")
    make_session(page, "idToken: () => idToken, guest: true")
    guest = name_of(stack, refresh(page, ""))
    page.evaluate("(token) => { globalThis.idToken = token }", stack.oidc.id_token("gina"))
    assert name_of(stack, refresh(page, "")) == guest
    assert ticket_of(page) is None


def test_after_a_carry_over_no_guest_tab_has_the_users_session(
    stack: LocalStack, profile: Profile
) -> None:
    context = profile()
    guest, user, newcomer = (blank_page(context, stack.url) for _ in range(3))
    make_session(guest)
    session = name_of(stack, refresh(guest, ""))
    make_session(user, f"idToken: '{stack.oidc.id_token('hugo')}'")
    assert name_of(stack, refresh(user, "")) == session
    user.evaluate("() => session.signOut()")
    make_session(newcomer)
    names = {name_of(stack, refresh(page, "")) for page in (guest, newcomer)}
    assert session not in names


def test_sign_out_never_rejects_however_often(stack: LocalStack, profile: Profile) -> None:
    context = profile()
    tabs = [blank_page(context, stack.url) for _ in range(2)]
    for tab in tabs:
        make_session(tab)
        refresh(tab, "")
    for tab in [*tabs, *tabs]:
        tab.evaluate("() => session.signOut()")


def test_sign_out_forgets_in_every_tab(stack: LocalStack, profile: Profile) -> None:
    context = profile()
    first, second = (blank_page(context, stack.url) for _ in range(2))
    for page in (first, second):
        make_session(page)
        assert refresh(page, "")
    first.evaluate("() => session.signOut()")
    assert refresh(first, "") == ""
    second.wait_for_function("async () => !(await session.onRefreshToken(''))")
    assert ticket_of(first) is None


def test_two_users_in_one_browser_never_share(stack: LocalStack, profile: Profile) -> None:
    context = profile()
    for user in ("alice", "bob"):
        page = blank_page(context, stack.url)
        make_session(page, f"idToken: '{stack.oidc.id_token(user)}'")
        assert name_of(stack, refresh(page, "")) == user


def test_a_page_of_a_foreign_origin_gets_no_token(
    stack: LocalStack, profile: Profile, site: Path
) -> None:
    settings = replace(stack.site_settings, issuer=stack.url)  # what its page may call
    with serve(Site(stack.gateway, folder=site, settings=settings)) as elsewhere:
        page = blank_page(profile(), elsewhere.url)
        page.evaluate(
            "(endpoint) => { globalThis.session = createSession({ endpoint }) }", stack.url
        )
        assert refresh(page, "") == ""
        assert page.evaluate("() => session.getToken().catch(({ status }) => status)") == 0
        assert ticket_of(page) is None


def test_the_helper_says_nothing_and_puts_nothing_where_others_see_it(
    stack: LocalStack, profile: Profile
) -> None:
    context = profile()
    said, urls = [], []
    context.on("console", lambda message: said.append(message.text))
    context.on("request", lambda r: urls.append(r.url + r.headers.get("referer", "")))
    page = blank_page(context, stack.url)
    make_session(page)
    token = refresh(page, "")
    assert said == []
    ticket = ticket_of(page)
    assert ticket
    everywhere = " ".join([*urls, page.content(), page.evaluate("() => document.cookie")])
    assert token not in everywhere
    assert ticket not in everywhere
    assert token not in page.evaluate("() => JSON.stringify({ ...localStorage })")
