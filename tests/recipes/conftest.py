"""One website at one origin for all recipes, a service that allows it, and a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import chromium
from tests.contract.browser import program
from tests.contract.markdown import ROOT
from tests.local.server import serve
from tests.local.stack import LocalStack
from tests.recipes.recipe import HERE, RECIPES, SDK_URL
from tests.recipes.website import Website

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    OpenPage = Callable[[Path], Page]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def website() -> Website:
    return Website()


@pytest.fixture(scope="package")
def origin(website: Website) -> Iterator[str]:
    with serve(website) as server:
        yield server.url


@pytest.fixture(scope="package")
def stack(origin: str) -> Iterator[LocalStack]:
    with LocalStack(parameters={"AllowedOrigins": origin, "AllowNoOrigin": "off"}) as stack:
        yield stack


@pytest.fixture(scope="package")
def package() -> Iterator[Path]:
    """The folder of the package `coze-session`, installed with the commands of the document."""
    program("npm")
    with tempfile.TemporaryDirectory() as name:
        project = Path(name) / "site"
        project.mkdir()
        (project.parent / "coze-sts").symlink_to(ROOT)
        subprocess.run(
            ["sh", "-ec", RECIPES.block("sh", "npm pack")],
            cwd=project,
            env={
                "PATH": os.environ["PATH"],
                "HOME": name,
                "npm_config_offline": "true",
            },
            capture_output=True,
            check=True,
        )
        yield project / "node_modules" / "coze-session"


@pytest.fixture(scope="module")
def project(package: Path) -> Iterator[Path]:
    """A folder for a site with a build; the tools find what is installed in the folders above."""
    with tempfile.TemporaryDirectory(dir=HERE, prefix="built-") as name:
        shutil.copytree(package, Path(name, "node_modules", "coze-session"))
        yield Path(name)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile in which Chat SDK's script is the stand-in's."""
    context = browser.new_context()
    context.set_default_timeout(15_000)
    context.route(SDK_URL, lambda route: route.fulfill(path=HERE / "widget.js"))
    yield context
    context.close()


@pytest.fixture
def open_page(context: BrowserContext, website: Website, origin: str) -> Iterator[OpenPage]:
    """Opens the site in a folder; no page may alert."""
    alerts: list[str] = []
    website.headers.clear()

    def open_page(folder: Path) -> Page:
        website.folder = folder
        page = context.new_page()
        page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
        page.goto(f"{origin}/")
        return page

    yield open_page
    assert alerts == []
