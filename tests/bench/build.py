"""The packages, each built as `sam build` builds it, and how large they are."""

from __future__ import annotations

import platform
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.gates.package import LAYER, run_makefile
from tests.local.functions import ROOT

HANDLERS = Path(__file__).parent / "handlers"
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
PYTHON = "python3.13"


class BuildFailed(Exception):
    """What the program said last."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """A function's own folder, and what its layer adds to the path: /var/task and /opt/python."""

    task: Path
    layer: Path | None = None

    @property
    def folders(self) -> list[Path]:
        """Each is a zip of its own."""
        return [self.task, *([self.layer] if self.layer else [])]


@dataclass(frozen=True, kw_only=True)
class Size:
    """Of what is deployed, in bytes."""

    zipped: int
    unpacked: int


def architecture() -> str:
    """This machine's, by Lambda's name; raises BuildFailed where Lambda has none."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise BuildFailed(f"Lambda runs on x86_64 and arm64, this is {machine}.")
    return ARCHITECTURES[machine]


def build_service(folder: Path) -> Package:
    """This project's layer and TokenFunction, into `folder`."""
    for resource in (LAYER, "TokenFunction"):
        run_makefile(resource, architecture=architecture(), artifacts=folder / resource)
    return Package(task=folder / "TokenFunction", layer=folder / LAYER / "python")


def build_official(folder: Path) -> tuple[Package, Package]:
    """Coze's SDK and boto3 as SAM's own Python build leaves them; and the same with bytecode."""
    plain, compiled = folder / "Official", folder / "OfficialCompiled"
    shutil.copytree(HANDLERS / "official", plain, ignore=shutil.ignore_patterns("__pycache__"))
    _install(plain / "requirements.txt", into=plain)
    shutil.copytree(plain, compiled)
    _compile(compiled)
    return Package(task=plain), Package(task=compiled)


def build_libraries(folder: Path) -> Path:
    """A layer for the handlers that do one thing alone, with bytecode: they owe us nothing."""
    layer = folder / "Libraries"
    _install(HANDLERS / "requirements.txt", into=layer)
    _compile(layer)
    return layer


def size_of(package: Package, *, scratch: Path) -> Size:
    """Zipped as SAM zips: deflate, no extra effort."""
    zipped = sum(_zip_bytes(folder, scratch / "package.zip") for folder in package.folders)
    unpacked = sum(path.stat().st_size for folder in package.folders for path in _files(folder))
    return Size(zipped=zipped, unpacked=unpacked)


def _zip_bytes(folder: Path, archive: Path) -> int:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as written:
        for path in _files(folder):
            written.write(path, path.relative_to(folder))
    return archive.stat().st_size


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _install(requirements: Path, *, into: Path) -> None:
    quiet = ["--quiet", "--disable-pip-version-check", "--no-compile", "--require-hashes"]
    wanted = ["--requirement", str(requirements), "--target", str(into)]
    _run([PYTHON, "-m", "pip", "install", *quiet, *wanted])
    shutil.rmtree(into / "bin", ignore_errors=True)


def _compile(folder: Path) -> None:
    unchecked = ["--invalidation-mode", "unchecked-hash"]
    _run([PYTHON, "-m", "compileall", "-q", "-j", "0", *unchecked, str(folder)])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise BuildFailed(f"{' '.join(command)}\n{(done.stdout + done.stderr)[-2000:]}")
