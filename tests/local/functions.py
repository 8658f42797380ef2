"""Runs a function's own app.py in this process, as Lambda would: one invocation at a time."""

import importlib.util
import itertools
import json
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "coze_sts"
NO_POLICY = ROOT / "tests" / "no-policy.json"

# The environment belongs to the whole process, so two functions never run at the same time.
_process = threading.Lock()
_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class LambdaContext:
    """The second argument of a handler; ``deadline`` in seconds of time.monotonic."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    aws_request_id: str
    deadline: float
    function_version: str = "$LATEST"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would stop the function."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


class LocalFunction:
    """One function; ``environment`` is all that it sees of variables that concern AWS.

    Loaded at the first invocation, or by ``load``. ``timeout`` in seconds is told to the handler,
    not enforced.
    """

    def __init__(
        self,
        *,
        name: str,
        folder: Path,
        handler: str,
        environment: Mapping[str, str],
        timeout: int,
        memory: int,
    ) -> None:
        self.name = name
        self.environment = dict(environment)
        self._folder = folder
        self._module_name, self._handler_name = handler.split(".")
        self._timeout = timeout
        self._memory = memory
        self._handler: Callable[[Any, Any], Any] | None = None

    def load(self) -> None:
        """Cold start: imports app.py under the function's environment."""
        with _process, _environment(self.environment):
            self._load()

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Call the handler; event and answer pass through JSON, as they do on Lambda."""
        with _process, _environment(self.environment):
            return self._call(event)

    def invoke_beside(self, event: Mapping[str, Any]) -> Any:
        """The same while others run, for a function that calls them.

        It sees its environment while it is loaded, and not after.
        """
        self.load()
        return self._call(event)

    def _call(self, event: Mapping[str, Any]) -> Any:
        handler = self._load()
        return json.loads(json.dumps(handler(json.loads(json.dumps(event)), self._context())))

    def _load(self) -> Callable[[Any, Any], Any]:
        if self._handler is None:
            module = import_app(self._folder / f"{self._module_name}.py")
            self._handler = getattr(module, self._handler_name)
        return self._handler

    def _context(self) -> LambdaContext:
        region = self.environment.get("AWS_REGION", "us-east-1")
        return LambdaContext(
            function_name=self.name,
            invoked_function_arn=f"arn:aws:lambda:{region}:123456789012:function:{self.name}",
            memory_limit_in_mb=str(self._memory),
            aws_request_id=str(uuid.uuid4()),
            deadline=time.monotonic() + self._timeout,
        )


def import_app(path: Path) -> Any:
    """Import a file under a name of its own, so that each stack has modules of its own."""
    if str(LAYER) not in sys.path:
        sys.path.insert(0, str(LAYER))
    # An operator's policy.json names pages that are not on this machine.
    importlib.import_module("coze_sts.policy").POLICY_PATH = NO_POLICY  # type: ignore[attr-defined]
    name = f"local_function_{path.parent.name}_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Put the function's variables in place; the developer's own AWS settings are out of sight."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("AWS_"):
            del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
