"""What `sam build` makes of the layer and the functions: their makefiles, run as SAM runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.local import template

ROOT = template.PATH.parent
ARCHITECTURES: tuple[str, ...] = tuple(
    template.source()["Parameters"]["Architecture"]["AllowedValues"]
)
LAYER = "StsLayer"
FUNCTIONS = tuple(
    name
    for name, resource in template.source()["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
)


class BuildError(Exception):
    """A build that failed, with all that it printed."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """The built layer and functions, each in a folder named after its resource."""

    architecture: str
    folder: Path

    @property
    def layer(self) -> Path:
        """What Lambda unpacks in /opt."""
        return self.folder / LAYER

    def path(self, function: str) -> str:
        """Where Python looks for modules, in Lambda's order."""
        return f"{self.folder / function}:{self.layer / 'python'}"

    def sources(self) -> Iterator[Path]:
        """Every module that is shipped."""
        return self.folder.rglob("*.py")


def build(folder: Path, *, architecture: str) -> Package:
    """Builds everything; raises BuildError."""
    for resource in (LAYER, *FUNCTIONS):
        run_makefile(resource, architecture=architecture, artifacts=folder / resource)
    return Package(architecture=architecture, folder=folder)


def run_makefile(
    resource: str, *, architecture: str, artifacts: Path, sources: Path | None = None
) -> None:
    """Builds one resource in a copy of its folder, or of `sources`; raises BuildError."""
    declared = template.source()["Resources"][resource]
    properties = declared["Properties"]
    scratch = artifacts.with_name(f"{artifacts.name}.scratch")
    shutil.copytree(
        sources or ROOT / (properties.get("CodeUri") or properties["ContentUri"]), scratch
    )
    artifacts.mkdir(parents=True, exist_ok=True)
    context = _context(declared["Metadata"]["ContextPath"], architecture=architecture)
    done = subprocess.run(
        ["make", "--makefile", str(ROOT / context / "Makefile"), f"build-{resource}"],
        cwd=scratch,
        env={**_environment(), "ARTIFACTS_DIR": str(artifacts)},
        capture_output=True,
        text=True,
        check=False,
    )
    shutil.rmtree(scratch)
    if done.returncode:
        raise BuildError(done.stdout + done.stderr)


def _context(path: Any, *, architecture: str) -> str:
    text: str = path if isinstance(path, str) else path["Fn::Sub"]
    return text.replace("${Architecture}", architecture)


def _environment() -> dict[str, str]:
    """Without what `make test` would hand on to another make and to another Python."""
    inherited = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONPATH"}
    return {name: value for name, value in os.environ.items() if name not in inherited}
