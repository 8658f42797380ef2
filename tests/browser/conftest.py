"""A browser for the whole folder, a service a module, a profile a test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import blank_page, blank_site, chromium
from tests.local.stack import LocalStack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

REAL_TIME = time.time
MINUTE = 60


@dataclass
class Shift:
    """The time of the service and of Coze, which a test may move on."""

    seconds: float = 0

    def __call__(self) -> float:
        return REAL_TIME() + self.seconds


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def shift() -> Shift:
    return Shift()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the stack serves; a module may have another."""
    return blank_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def stack(shift: Shift, site: Path) -> Iterator[LocalStack]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", shift)  # before the functions take it as their clock
        with LocalStack(clock=shift, site=site) as stack:
            for function in stack.functions.values():
                function.load()
            yield stack


@pytest.fixture
def profile(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser profiles: storage, cookies and locks of their own."""
    contexts: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        contexts.append(browser.new_context(**options))
        contexts[-1].set_default_timeout(15_000)
        return contexts[-1]

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(stack: LocalStack, profile: Callable[..., BrowserContext]) -> Page:
    """A page of the site with the helper and nothing else."""
    return blank_page(profile(), stack.url)
