"""What a page on another origin sends and gets for its token, as Chromium counts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from werkzeug import Request, Response

from tests.browser.chromium import blank_page, refresh
from tests.local.gateway.cors import Cors
from tests.local.stack import LocalStack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

Profile = Callable[..., "BrowserContext"]
KILOBYTE = 1024
GUEST, PREFLIGHT, USER = "POST /guest/token", "OPTIONS /token", "POST /token"


@dataclass
class Wire:
    """The requests at the endpoint, in their order, and the bytes of each answer that is read."""

    asked: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)


@pytest.fixture
def elsewhere(stack: LocalStack) -> str:
    """The page's origin: it is allowed, and another one than the endpoint's."""
    return stack.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def page(profile: Profile, elsewhere: str) -> Page:
    # The policy of `make dev` lets its page call its own origin only.
    return blank_page(profile(bypass_csp=True), elsewhere)


@pytest.fixture
def wire(page: Page, stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Preflights are counted at the service: they are the browser's own, and no page sees them."""
    wire, answer = Wire(), Cors.preflight

    def preflight(cors: Cors, request: Request) -> Response | None:
        wire.asked.append(f"{request.method} {request.path}")
        return answer(cors, request)

    monkeypatch.setattr(Cors, "preflight", preflight)
    network = page.context.new_cdp_session(page)
    network.on("Network.loadingFinished", lambda e: wire.sizes.append(int(e["encodedDataLength"])))
    network.send("Network.enable")
    start(page, stack)
    return wire


def start(page: Page, stack: LocalStack, *, user: str | None = None) -> None:
    """As the snippet does when the page is loaded, for a guest unless somebody signed in."""
    options = {"endpoint": stack.url}
    if user:
        options["idToken"] = stack.oidc.id_token(user)
    page.evaluate("(options) => { globalThis.session = createSession(options) }", options)


def test_a_page_asks_for_nothing_before_somebody_clicks(page: Page, wire: Wire) -> None:
    page.evaluate("() => new Promise((done) => setTimeout(done, 300))")
    assert wire.asked == []


def test_a_guests_click_costs_one_request_and_no_preflight(page: Page, wire: Wire) -> None:
    """It has no header for which a browser would have to ask first."""
    first = refresh(page, "")
    assert wire.asked == [GUEST]
    assert refresh(page, first) != first
    assert wire.asked == [GUEST, GUEST]


def test_a_users_click_costs_one_request_and_a_preflight_that_lasts(
    page: Page, wire: Wire, stack: LocalStack
) -> None:
    """The browser keeps the answer to it for as long as Access-Control-Max-Age says."""
    start(page, stack, user="mia")
    first = refresh(page, "")
    assert wire.asked == [PREFLIGHT, USER]
    assert refresh(page, first) != first
    assert wire.asked == [PREFLIGHT, USER, USER]


def test_the_next_page_of_the_visitor_costs_one_request(
    page: Page, wire: Wire, stack: LocalStack
) -> None:
    refresh(page, "")
    page.goto("about:blank")
    wire.asked.clear()
    page.goto(stack.url.replace("127.0.0.1", "localhost"))
    page.wait_for_function("() => !!globalThis.createSession")
    start(page, stack)
    assert refresh(page, "")
    assert [request for request in wire.asked if request.endswith("token")] == [GUEST]


def test_an_answer_has_less_than_a_kilobyte_beside_the_token(page: Page, wire: Wire) -> None:
    token = refresh(page, "")
    ticket = page.evaluate("() => Object.values(localStorage)[0]")
    (size,) = wire.sizes
    beside = size - 2 * len(token) - len(ticket)  # `token` repeats `access_token`
    assert 0 < beside < KILOBYTE
