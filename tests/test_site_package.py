"""The browser helper as it is published: small, built from its source, typed, tested in Node.js."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.markdown import ROOT

SITE = ROOT / "site"
MAX_GZIPPED_BYTES = 3 * 1024
BUILT = ["coze-session.js", "coze-session.classic.js"]
READY = shutil.which("node") and (SITE / "node_modules").is_dir()
needs_node = pytest.mark.skipif(
    not READY, reason="Node.js or its packages are missing: npm ci --prefix site"
)


def npm(*arguments: str, cwd: Path = SITE) -> str:
    ran = subprocess.run(["npm", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("name", BUILT)
def test_what_a_page_loads_is_small(name: str) -> None:
    assert len(gzip.compress((SITE / name).read_bytes())) <= MAX_GZIPPED_BYTES


def test_the_helper_depends_on_nothing() -> None:
    package = json.loads((SITE / "package.json").read_text())
    assert "dependencies" not in package
    sources = [path.read_text() for path in (SITE / "src").glob("*.js")]
    imports = [line for text in sources for line in text.splitlines() if line.startswith("import ")]
    assert imports
    assert [line for line in imports if ' from "./' not in line] == []


def test_the_version_that_files_name_is_the_packages() -> None:
    version = json.loads((SITE / "package.json").read_text())["version"]
    for name in BUILT:
        assert (SITE / name).read_text().startswith(f"/* coze-session {version}, ")


@needs_node
def test_what_a_page_loads_is_built_from_the_source(tmp_path: Path) -> None:
    for name in ("src", "build.mjs", "package.json"):
        copy = shutil.copytree if (SITE / name).is_dir() else shutil.copy
        copy(SITE / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(SITE / "node_modules")
    npm("run", "build", cwd=tmp_path)
    for name in BUILT:
        assert (tmp_path / name).read_bytes() == (SITE / name).read_bytes(), name


@needs_node
def test_the_helper_is_formatted_and_its_types_hold() -> None:
    npm("run", "check")


@needs_node
def test_the_helper_passes_its_own_tests() -> None:
    said = npm("test")
    assert "# fail 0" in said
    assert "# skipped 0" in said


@needs_node
def test_the_package_holds_the_helper_and_nothing_else() -> None:
    (packed,) = json.loads(npm("pack", "--dry-run", "--json"))
    names = {file["path"] for file in packed["files"]}
    own = {f"src/{path.name}" for path in (SITE / "src").iterdir()}
    assert names - own == {*BUILT, "coze-session.d.ts", "package.json", "README.md", "LICENSE"}


@needs_node
@pytest.mark.parametrize("name", BUILT)
def test_both_forms_offer_the_same(name: str) -> None:
    loads = {
        "coze-session.js": 'import { createSession } from "./coze-session.js";',
        "coze-session.classic.js": 'await import("./coze-session.classic.js");'
        " const { createSession } = globalThis.CozeSession;",
    }
    shows = "console.log(Object.keys(createSession({ endpoint: 'https://a' })).sort().join());"
    ran = subprocess.run(
        ["node", "--input-type=module", "--eval", loads[name] + shows],
        cwd=SITE,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "getToken,onRefreshToken,ready,signOut"
