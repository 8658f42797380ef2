"""Runs inside the function's process: calls it, and prints who called whom for how long.

Every call is timed, so small functions look dearer than they are: read the widths as an order.
An import is shown as the module that is imported.
"""

from __future__ import annotations

import json
import sys
import time
from types import CodeType, FrameType
from typing import Any

HITS = 1000


class Context:
    """Lambda's second argument."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds."""
        return 20_000


class Profile:
    """A tree of calls; each node has the seconds spent in it and below it."""

    def __init__(self) -> None:
        self.root: dict[str, Any] = {"seconds": 0.0, "calls": {}}
        self._stack: list[tuple[dict[str, Any], float]] = []

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """What `sys.setprofile` calls at each call and return of Python code."""
        if event == "call":
            above = self._stack[-1][0] if self._stack else self.root
            name = _name(frame.f_code)
            # The machinery of imports would hide what is imported under its own frames.
            node = above if name is None else above["calls"].setdefault(name, _node())
            self._stack.append((node, 0.0 if node is above else time.perf_counter()))
        elif event == "return" and self._stack:
            node, began = self._stack.pop()
            if began:
                node["seconds"] += time.perf_counter() - began

    def tree(self) -> dict[str, Any]:
        """The whole, whose seconds are those of what it called."""
        self.root["seconds"] = sum(call["seconds"] for call in self.root["calls"].values())
        return self.root


def _node() -> dict[str, Any]:
    return {"seconds": 0.0, "calls": {}}


def _name(code: CodeType) -> str | None:
    """Such as `botocore.session:create_client`; None for Python's import machinery."""
    path = code.co_filename
    if path.startswith("<frozen importlib"):
        return None
    module = path.removesuffix(".py").removesuffix("/__init__")
    for root in ("/python/", "/TokenFunction/", "/python3.13/"):
        module = module.rpartition(root)[2]
    module = module.replace("/", ".")
    return f"import {module}" if code.co_name == "<module>" else f"{module}:{code.co_name}"


def main(kind: str, event: dict[str, Any]) -> dict[str, Any]:
    """`cold` profiles the import and the first request, `hit` a thousand requests after it."""
    profile, context = Profile(), Context()
    if kind == "cold":
        sys.setprofile(profile)
    import app  # noqa: PLC0415

    app.lambda_handler(event, context)
    if kind == "hit":
        sys.setprofile(profile)
        for _ in range(HITS):
            app.lambda_handler(event, context)
    sys.setprofile(None)
    return profile.tree()


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]))))
