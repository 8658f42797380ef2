"""What is installed, here and on Lambda, is what was locked."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = [
    ROOT / "layers" / "coze_sts" / "requirements.txt",
    ROOT / "tests" / "requirements.txt",
    ROOT / "tests" / "browser" / "requirements.txt",
    ROOT / "tests" / "day" / "requirements.txt",
]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_that_is_installed_is_pinned_by_hash(lock: Path) -> None:
    text = re.sub(r"\\\n\s+", " ", lock.read_text())
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[\w.\[\]-]+==[\w.!+]+ ", line), line
        assert "--hash=sha256:" in line, line


@pytest.mark.parametrize("file", ["Makefile", "layers/coze_sts/Makefile"])
def test_pip_installs_nothing_without_checking_hashes(file: str) -> None:
    text = (ROOT / file).read_text().replace("\\\n", " ")
    installs = [line for line in text.splitlines() if "pip install" in line and "uv\n" not in line]
    assert installs
    of_a_lock = [line for line in installs if "--requirement" in line]
    assert of_a_lock
    assert all("--require-hashes" in line for line in of_a_lock)


@pytest.mark.parametrize("folder", ["site", "tests/clients", "tests/engines", "tests/recipes"])
def test_npm_installs_what_was_locked_from_wherever_the_machine_gets_its_packages(
    folder: str,
) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())
    installed = {path: package for path, package in lock["packages"].items() if path}
    assert installed
    assert [path for path, package in installed.items() if "integrity" not in package] == []
    assert [path for path, package in installed.items() if "resolved" in package] == []
    assert "ignore-scripts=true" in (ROOT / folder / ".npmrc").read_text().splitlines()
