"""pip refuses what was not locked, whichever processor the wheels are for.

The lock is cut down to one small package and what it needs, so that a build takes a moment.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.gates.package import ARCHITECTURES, LAYER, ROOT, BuildError, Package, run_makefile

SOURCES = ROOT / "layers" / "coze_sts"
LOCK = (SOURCES / "requirements.txt").read_text(encoding="utf-8")
SMALL, NEEDED = "cffi", "pycparser"
MACHINES = {"arm64": 183, "x86_64": 62}
"""ELF's own numbers for them."""


def platforms(architecture: str) -> list[str]:
    makefile = (SOURCES / "wheels" / architecture / "Makefile").read_text(encoding="utf-8")
    (named,) = re.findall(r"^PLATFORMS = (.*)$", makefile, re.MULTILINE)
    return str(named).split()


def pinned() -> str:
    """The small package as the lock names it."""
    (found,) = re.findall(rf"^{SMALL}==\S+", LOCK, re.MULTILINE)
    return str(found)


def needed() -> str:
    """What it needs, with the hashes of the lock."""
    (found,) = re.findall(rf"^{NEEDED}==.*\n(?:[ ].*\n)+", LOCK, re.MULTILINE)
    return str(found)


@pytest.fixture(scope="session")
def hashes(python: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of the wheel that pip takes for each architecture."""
    found = {}
    for architecture in ARCHITECTURES:
        folder = tmp_path_factory.mktemp(architecture)
        target = ["--python-version", "3.13", "--implementation", "cp", "--only-binary=:all:"]
        target += [f"--platform={platform}" for platform in platforms(architecture)]
        command = ["python3.13", "-m", "pip", "download", "--quiet", "--no-deps", pinned()]
        subprocess.run([*command, *target, "--dest", folder], check=True, capture_output=True)
        (wheel,) = folder.iterdir()
        found[architecture] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return found


def build_with(digest: str, *, architecture: str, folder: Path) -> Path:
    """Builds the layer with the small package alone, locked to this hash; raises BuildError."""
    sources, artifacts = folder / "sources", folder / "artifacts"
    shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("__pycache__"))
    (sources / "requirements.txt").write_text(f"{pinned()} --hash=sha256:{digest}\n{needed()}")
    (sources / "slim_botocore.py").write_text("")  # there is no botocore to slim
    run_makefile(LAYER, architecture=architecture, artifacts=artifacts, sources=sources)
    return artifacts


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_wheel_whose_hash_is_locked_is_installed(
    hashes: dict[str, str], tmp_path: Path, architecture: str
) -> None:
    built = build_with(hashes[architecture], architecture=architecture, folder=tmp_path)
    assert (built / "python" / SMALL).is_dir()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_wheel_with_another_hash_stops_the_build(
    hashes: dict[str, str], tmp_path: Path, architecture: str
) -> None:
    digest = hashes[architecture]
    one_digit_off = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    with pytest.raises(BuildError, match="DO NOT MATCH THE HASHES"):
        build_with(one_digit_off, architecture=architecture, folder=tmp_path)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_hash_of_another_processors_wheel_does_not_do(
    hashes: dict[str, str], tmp_path: Path, architecture: str
) -> None:
    (other,) = set(ARCHITECTURES) - {architecture}
    assert hashes[other] != hashes[architecture]
    with pytest.raises(BuildError, match="DO NOT MATCH THE HASHES"):
        build_with(hashes[other], architecture=architecture, folder=tmp_path)


def test_the_lock_has_a_wheel_of_everything_for_the_processor(shipped: Package) -> None:
    """pip has checked them all, or there were no package."""
    libraries = list(shipped.layer.rglob("*.so*"))
    assert libraries
    machines = {int.from_bytes(path.read_bytes()[18:20], "little") for path in libraries}
    assert machines == {MACHINES[shipped.architecture]}
