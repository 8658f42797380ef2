"""What is installed, here and on Lambda, is what was locked."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = [
    ROOT / "layers" / "coze_sts" / "requirements.txt",
    ROOT / "tests" / "requirements.txt",
    ROOT / "tests" / "bench" / "requirements.txt",
    ROOT / "tests" / "bench" / "handlers" / "requirements.txt",
    ROOT / "tests" / "bench" / "handlers" / "official" / "requirements.txt",
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


NAMED_OTHERWISE = {
    "aws_lambda_powertools": "aws-lambda-powertools",
    "jwt": "pyjwt",
}
"""What a distribution is called that is not called as its package is, or comes with another."""


OF_THE_RUNTIME = {"snapshot_restore_py"}
"""What Lambda's own runtime brings along, and must: it looks in there for what was registered."""


def test_the_layer_ships_what_its_code_imports_and_nothing_else() -> None:
    """The tests have more installed: what only they have would be missing on Lambda."""
    layer = ROOT / "layers" / "coze_sts"
    sources = [*(layer / "coze_sts").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    sources = [path for path in sources if path.name != "__main__.py"]  # an operator's command
    imported = {
        name.partition(".")[0]
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _modules(node)
    }
    foreign = imported - sys.stdlib_module_names - {"coze_sts"} - OF_THE_RUNTIME
    needed = {NAMED_OTHERWISE.get(n, n) for n in foreign if not n.startswith("mypy_boto3_")}
    lines = (layer / "requirements.in").read_text().splitlines()
    assert needed == {line for line in lines if not line.startswith("#")}


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def test_the_layer_keeps_botocores_description_of_each_service_that_is_called() -> None:
    source = (ROOT / "layers" / "coze_sts" / "coze_sts" / "aws.py").read_text()
    makefile = (ROOT / "layers" / "coze_sts" / "Makefile").read_text()
    (kept,) = re.findall(r"^SERVICES = (.*)$", makefile, re.MULTILINE)
    assert set(kept.split()) == set(re.findall(r'create_client\("(\w+)"', source))
