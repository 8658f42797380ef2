"""How many instructions Python executes, by valgrind's count: a busy machine changes nothing.

The whole process counts, and with it the modules that Lambda's runtime would have loaded before:
which those are is AWS's to change. Two counts differ by less than a thousandth, wherever the
package is.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.gates import interpreter
from tests.gates.interpreter import new_interpreter, variables
from tests.gates.package import FUNCTIONS, Package

FIXED = {"PYTHONHASHSEED": "0"}
"""Or sets would be read in another order each time."""

OPTIONS = ("-s", "-P", "-c")
"""Neither the user's own packages nor the current folder."""

VALGRIND = shutil.which("valgrind")
CACHEGRIND = ("--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
TOTAL = re.compile(r"I\s+refs:\s+([\d,]+)")

COUNTED = tuple(name for name in FUNCTIONS if name != "CanaryFunction")
"""The canary makes an RSA key at init: how many numbers it tries before two are prime is luck."""

CLIENTS = "[session.create_client(each) for each in ('secretsmanager', 'dynamodb')]"
PARTS = {
    "botocore, two clients": (
        f"from botocore.session import Session; session = Session(); {CLIENTS}"
    ),
    "cryptography": (
        "import cryptography.hazmat.primitives.asymmetric.padding;"
        "import cryptography.hazmat.primitives.ciphers.aead;"
        "import cryptography.hazmat.primitives.serialization"
    ),
    "Powertools' Logger and Metrics": (
        "from aws_lambda_powertools.logging import Logger; Logger(service='x');"
        "from aws_lambda_powertools.metrics import Metrics; Metrics(namespace='x')"
    ),
}
"""What TokenFunction consists of, beside what is our own."""


@dataclass(frozen=True, kw_only=True)
class Counter:
    """A Python whose instructions are counted; `python` is its program."""

    python: Path
    package: Package

    def bare(self) -> int:
        """What Python itself costs."""
        return self._count("pass", {})

    def function(self, name: str) -> int:
        """What it costs to import a function's `app`, Python included."""
        return self._count("import app", variables(name, package=self.package))

    def statements(self, program: str) -> int:
        """What it costs to execute these where TokenFunction would, Python included."""
        return self._count(program, variables("TokenFunction", package=self.package))

    def _count(self, program: str, environment: Mapping[str, str]) -> int:
        command = [str(self.python), *OPTIONS, program]
        fixed = {**environment, **FIXED}
        # The first run of all leaves bytecode of the standard library behind.
        subprocess.run(command, env=fixed, cwd="/", check=True)
        done = subprocess.run(
            [str(VALGRIND), *CACHEGRIND, *command],
            env=fixed,
            cwd="/",
            check=True,
            capture_output=True,
            text=True,
        )
        (total,) = TOTAL.findall(done.stderr)
        return int(total.replace(",", ""))


def missing() -> list[str]:
    """What this machine lacks to count."""
    return [*interpreter.missing(), *(["valgrind"] if VALGRIND is None else [])]


def count(package: Package, *, folder: Path) -> dict[str, int]:
    """The instructions of bare Python, of each function and of the parts of TokenFunction."""
    counter = Counter(python=new_interpreter(folder / "python"), package=package)
    counted = {"Python": counter.bare()}
    counted |= {name: counter.function(name) for name in COUNTED}
    counted |= {name: counter.statements(program) for name, program in PARTS.items()}
    together = counter.statements(";".join(PARTS.values()))
    own = counted["TokenFunction"] - together + counted["Python"]
    return {**counted, "our own modules": own}
