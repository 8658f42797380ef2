"""The recipe for Hugo."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.browser import program
from tests.local.stack import LocalStack
from tests.recipes.recipe import RECIPES, copy_helper, give, write_files
from tests.recipes.visitor import session_of

if TYPE_CHECKING:
    from tests.recipes.conftest import OpenPage


@pytest.fixture
def hugo(tmp_path: Path, stack: LocalStack) -> Path:
    give(tmp_path, "hugo")
    write_files(tmp_path, "hugo.toml", "layouts/partials/coze-chat.html", endpoint=stack.url)
    with (tmp_path / "layouts" / "index.html").open("a") as page:
        page.write(RECIPES.block("html", "{{ partial"))
    (tmp_path / "static").mkdir()
    copy_helper(tmp_path / "static")
    command = [program("hugo"), "--quiet", "--minify"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    return tmp_path / "public"


def test_a_guest_has_a_session(hugo: Path, stack: LocalStack, open_page: OpenPage) -> None:
    page = open_page(hugo)
    assert session_of(page, stack).startswith("guest_")
    options = page.evaluate("() => widgets[0].options.config")
    assert options == {"bot_id": "7000000000000000001", "isIframe": False}
