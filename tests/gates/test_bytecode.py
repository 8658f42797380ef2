"""The bytecode in the package: what is not there is compiled anew at every cold start.

Lambda's file system is read-only; and SAM dates every file 1980, so that bytecode which is checked
by its source's date never fits.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.gates.interpreter import new_interpreter, variables
from tests.gates.package import FUNCTIONS, Package

MAGIC = (3571).to_bytes(2, "little") + b"\r\n"
"""Of every Python 3.13 (see importlib's MAGIC_NUMBER)."""
UNCHECKED = (0b01).to_bytes(4, "little")
"""The flags of PEP 552: known by the source's hash, which is not to be checked."""
DATE_OF_SAM = 315532800
ALTERED = "raise AssertionError('the source was read: ' + __file__)\n"

GET_CODE = """
import sys
from importlib.machinery import SourceFileLoader
for path in sys.stdin.read().splitlines():
    code = SourceFileLoader("module", path).get_code("module")
    if "the source was read: " in code.co_consts:
        print(path)
"""


def bytecode_of(source: Path) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"


def has_unchecked_bytecode(source: Path) -> bool:
    compiled = bytecode_of(source)
    return compiled.exists() and compiled.read_bytes()[:8] == MAGIC + UNCHECKED


def alter(package: Package, folder: Path) -> Package:
    """A copy with no source as it was, dated as SAM dates what it zips."""
    shutil.copytree(package.folder, folder)
    copy = Package(architecture=package.architecture, folder=folder)
    for source in copy.sources():
        source.write_text(ALTERED, encoding="utf-8")
    for path in folder.rglob("*"):
        os.utime(path, (DATE_OF_SAM, DATE_OF_SAM))
    return copy


@pytest.fixture(scope="module")
def altered(shipped: Package, tmp_path_factory: pytest.TempPathFactory) -> Package:
    return alter(shipped, tmp_path_factory.mktemp("altered") / "copy")


@pytest.fixture(scope="module")
def altered_own(own: Package, tmp_path_factory: pytest.TempPathFactory) -> Package:
    return alter(own, tmp_path_factory.mktemp("altered") / "copy")


@pytest.fixture(scope="module")
def interpreter(own: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_interpreter(tmp_path_factory.mktemp("python"))


def test_every_module_is_shipped_with_unchecked_bytecode_for_the_runtime(shipped: Package) -> None:
    sources = set(shipped.sources())
    assert {shipped.folder / name / "app.py" for name in FUNCTIONS} <= sources
    assert shipped.layer / "python" / "coze_sts" / "broker.py" in sources
    assert [path for path in sources if not has_unchecked_bytecode(path)] == []


def test_no_bytecode_is_shipped_but_that_of_its_modules(shipped: Package) -> None:
    expected = {bytecode_of(path) for path in shipped.sources()}
    assert set(shipped.folder.rglob("*.pyc")) == expected


def test_what_python_loads_of_every_module_is_its_bytecode(altered: Package) -> None:
    done = subprocess.run(
        ["python3.13", "-c", GET_CODE],
        input="\n".join(map(str, altered.sources())),
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout == ""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_without_reading_a_source(
    altered_own: Package, interpreter: Path, function: str
) -> None:
    environment = variables(function, package=altered_own)
    subprocess.run([str(interpreter), "-c", "import app"], env=environment, cwd="/", check=True)
