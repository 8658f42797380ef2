"""Python as Lambda starts it for a function: the runtime's version, its variables and no others."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.gates.package import ROOT, Package
from tests.local import template
from tests.sam import tools
from tests.template.variants import CANARY

RUNTIME_CLIENT = ROOT / "tests" / "bench" / "requirements.txt"
SYMBOL = re.compile(r"\$\{(\w+)(?:\.\w+)?\}")
OF_LAMBDA = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_SESSION_TOKEN": "none",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "AWS_LAMBDA_FUNCTION_NAME": "any",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "HOME": "/nowhere",
}
"""What every function finds, and a home that has no settings of the developer's."""


def missing() -> list[str]:
    """What this machine lacks to run what was built for Lambda."""
    needed = {
        "python3.13 (on the PATH)": tools.has_python(),
        "Linux, for which the wheels are": sys.platform == "linux",
    }
    return [name for name, there in needed.items() if not there]


def variables(function: str, *, package: Package) -> dict[str, str]:
    """What a function finds in its environment, where the canary is all that was chosen."""
    declared = template.expand(CANARY)[function]["Properties"]["Environment"]["Variables"]
    named = {name: SYMBOL.sub(r"\1", str(value)) for name, value in declared.items()}
    return {**named, **OF_LAMBDA, "PYTHONPATH": package.path(function)}


def new_interpreter(folder: Path) -> Path:
    """A Python that has nothing installed, not even pip: what a `.pth` file does costs, too."""
    subprocess.run(["python3.13", "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"


def install_runtime_client(folder: Path) -> None:
    """Installs what Lambda's own images run a function with."""
    command = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    lock = ["--require-hashes", "--only-binary=:all:", "--requirement", str(RUNTIME_CLIENT)]
    subprocess.run(
        ["python3.13", *command, *lock, "--target", str(folder)], check=True, capture_output=True
    )
