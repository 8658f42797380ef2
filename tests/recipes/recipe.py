"""The code of docs/recipes.md, as the files that a reader makes of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.contract.browser import SHOWN_URL
from tests.contract.markdown import ROOT, Document

HERE = Path(__file__).parent
RECIPES = Document("docs/recipes.md")
SHOWN_COZE = "https://api.coze.cn"
SDK_URL = (
    "https://lf-cdn.coze.cn/obj/unpkg/flow-platform/chat-app-sdk/1.2.0-beta.10/libs/cn/index.js"
)

_FIRST_LINE = re.compile(r"(?://|#|<!--|\{\{/\*) (\S+)(?: -->| \*/\}\})?\n")


def files() -> dict[str, str]:
    """The blocks whose first line says which file they are, by the name of the file."""
    named = [(_FIRST_LINE.match(text), text) for _, text in RECIPES.blocks]
    found = [(first[1], text) for first, text in named if first]
    assert len(dict(found)) == len(found), "two blocks are the same file"
    return dict(found)


def write_files(folder: Path, *names: str, endpoint: str, coze: str = SHOWN_COZE) -> None:
    """Write these files of the document, for the service at `endpoint`."""
    shown = files()
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = shown[name].replace(SHOWN_URL, endpoint).replace(SHOWN_COZE, coze)
        path.write_text(text, encoding="utf-8")


def give(folder: Path, kind: str) -> None:
    """What the reader has before: a site of this kind."""
    shutil.copytree(HERE / "given" / kind, folder, dirs_exist_ok=True)


def copy_helper(folder: Path) -> None:
    """Copy the scripts of the helper, as the document says."""
    for link in (link for link in RECIPES.links if link.endswith(".js")):
        shutil.copy(ROOT / "docs" / link, folder)


def run(*command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of tests/recipes/package.json, or skip the test without it."""
    tool = HERE / "node_modules" / ".bin" / command[0]
    if not (tool.exists() and shutil.which("node")):
        pytest.skip(f"{command[0]} is not installed: make engines")
    return subprocess.run(
        [tool, *command[1:]],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def build(*command: str, folder: Path, **variables: str) -> None:
    """The same; it must succeed."""
    done = run(*command, folder=folder, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
