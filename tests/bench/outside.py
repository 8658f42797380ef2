"""Starts the stand-ins, and asks them afterwards what they saw."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench import clocks
from tests.bench.stand_ins import VERDICT_PATH
from tests.local.functions import LAYER, ROOT


class Wrong(Exception):
    """A function sent what Coze would not have taken."""


@dataclass(frozen=True, kw_only=True)
class Outside:
    """AWS and Coze for a function with these variables."""

    variables: Mapping[str, str]
    pid: int

    def processor(self) -> float:
        """Seconds of the processor that it used so far."""
        return clocks.processor(self.pid)

    def calls(self) -> Counter[str]:
        """What was asked since the last time, by operation; raises Wrong."""
        url = self.variables["AWS_ENDPOINT_URL"] + VERDICT_PATH
        with urllib.request.urlopen(url) as response:
            verdict: dict[str, Any] = json.load(response)
        if verdict["faults"]:
            raise Wrong(f"the token endpoint would refuse: {verdict['faults'][0]}")
        return Counter(verdict["calls"])


@contextmanager
def outside() -> Iterator[Outside]:
    """In a process of its own, until the block ends."""
    path = os.pathsep.join(map(str, (ROOT, LAYER)))
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.stand_ins"],
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield Outside(variables=json.loads(process.stdout.readline()), pid=process.pid)
        # Leaving the block closes its standard input, which ends it.
