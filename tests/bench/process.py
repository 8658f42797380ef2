"""A function's process: Lambda's own client, in the environment that Lambda gives it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.bench.build import Package
from tests.bench.runtime_api import RuntimeApi
from tests.bench.throttle import Throttle
from tests.local.functions import ROOT

CLIENT = ROOT / ".venv" / "bench" / "bin" / "python"


@contextmanager
def process(
    package: Package, api: RuntimeApi, variables: Mapping[str, str], *, log: int, memory_mb: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs until the block ends. It has no more of a processor than `memory_mb` buys."""
    started = subprocess.Popen(
        [CLIENT, "-m", "awslambdaric", "app.lambda_handler"],
        cwd=package.task,
        env=_environment(package, variables, address=api.address, memory_mb=memory_mb),
        stdout=log,
        stderr=log,
    )
    try:
        with Throttle(started.pid, memory_mb=memory_mb):
            yield started
    finally:
        started.kill()
        started.wait()
        api.close()


def _environment(
    package: Package, variables: Mapping[str, str], *, address: str, memory_mb: int
) -> dict[str, str]:
    """As Lambda sets it; a package is never written to, as on its read-only file system."""
    return {
        **variables,
        "PATH": os.environ["PATH"],
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": str(package.layer or ""),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/bench",
        "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
        "LAMBDA_TASK_ROOT": str(package.task),
        "_HANDLER": "app.lambda_handler",
    }
