"""The real SAM CLI: builds the stack, invokes its functions in containers, serves its API."""

import json
import os
import platform
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.local.aws import REGION, client_environment
from tests.local.ports import listen
from tests.local.stack import CANARY
from tests.local.template import PATH

ARCHITECTURE = "x86_64" if platform.machine() in ("x86_64", "AMD64") else "arm64"
LISTENS = " * Running on "
COMMAND_SECONDS = 300
START_SECONDS = 120
STOP_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Sam:
    """The CLI, and ``folder``, which takes all that its commands write."""

    program: str
    folder: Path

    def build(self) -> None:
        """``sam build``; raises AssertionError with all that it printed."""
        built = str(self.folder / "build")
        self._run("build", "--template-file", str(PATH), "--build-dir", built, *_PARAMETERS)

    def set_environment(self, variables: Mapping[str, str]) -> None:
        """What --env-vars sets in every function."""
        self._env_vars.write_text(json.dumps({"Parameters": variables}), encoding="utf-8")

    def invoke(self, function: str, event: Path) -> Any:
        """``sam local invoke``: what the function returned."""
        done = self._run("local", "invoke", function, "--event", str(event), *self._options())
        return json.loads(done)

    @contextmanager
    def serve(self, command: str) -> Iterator[str]:
        """``sam local start-lambda`` or ``start-api``: its URL. Containers stay until the end."""
        free = listen()
        free.socket.close()
        options = ["--port", str(free.port), "--warm-containers", "LAZY", *self._options()]
        log = self.folder / f"{command}.log"
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                [self.program, "local", command, *options],
                cwd=self.folder,
                env=_environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait(process, log)
            yield free.url
        finally:
            process.terminate()  # it then removes its containers
            try:
                process.wait(timeout=STOP_SECONDS)
            finally:
                process.kill()

    @property
    def _env_vars(self) -> Path:
        return self.folder / "env.json"

    def _options(self) -> list[str]:
        built = str(self.folder / "build" / "template.yaml")
        where = ["--template-file", built, "--env-vars", str(self._env_vars), "--region", REGION]
        return [*where, "--skip-pull-image", *_PARAMETERS]

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.program, *arguments],
            cwd=self.folder,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
        assert done.returncode == 0, f"sam {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout


_PARAMETERS = ("--parameter-overrides", f"Architecture={ARCHITECTURE}")


def _environment() -> dict[str, str]:
    """SAM hands its credentials on to the functions, so it gets none of the developer's own.

    The emulator of AWS takes any; the gateway takes those of the canary's role.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    emulated = {**client_environment(""), **CANARY.credentials}
    return {**own, **emulated, "SAM_CLI_TELEMETRY": "0"}


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it listens. Its own word counts: another program may have taken the port."""
    deadline = time.monotonic() + START_SECONDS
    while LISTENS not in log.read_text(encoding="utf-8"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"sam local does not listen:\n{log.read_text(encoding='utf-8')}")
        time.sleep(0.1)
