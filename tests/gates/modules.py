"""Which modules a function has loaded when its init ends, under Lambda's own runtime client."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.gates.interpreter import install_runtime_client, new_interpreter, variables
from tests.gates.package import Package

PROBE = """
import os, sys
import app
print(*sorted(sys.modules.keys() - {__name__}), sep="\\n", flush=True)
os._exit(0)
"""
"""The runtime client imports it as it would import `app`, and then is told no more."""


class Runtime:
    """A Python 3.13 with the runtime client in it."""

    def __init__(self, folder: Path) -> None:
        self._python = new_interpreter(folder / "python")
        self._client = folder / "client"
        install_runtime_client(self._client)
        (self._client / "probe.py").write_text(PROBE, encoding="utf-8")

    def loaded(self, function: str, *, package: Package) -> set[str]:
        """All modules at the end of a function's init, the client's and Python's own too."""
        environment = variables(function, package=package)
        environment["PYTHONPATH"] += f":{self._client}"
        done = subprocess.run(
            [str(self._python), "-m", "awslambdaric", "probe.handler"],
            env={**environment, "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"},
            cwd="/",
            check=True,
            capture_output=True,
            text=True,
        )
        return set(done.stdout.split())
