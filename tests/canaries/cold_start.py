"""A function in a new execution environment, as far as one process allows."""

from __future__ import annotations

import importlib.util
import logging
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

FUNCTIONS = Path(__file__).parents[2] / "functions"
TALKATIVE = ("boto3", "botocore", "urllib3", "aws_lambda_powertools")
"""Libraries that are told to log all they can before each cold start."""


def cold_start(name: str, *, level: str) -> ModuleType:
    """The function's module. It waits for nobody: Coze's back-off is no matter here."""
    # A cold start has no logger yet; here one would keep an earlier standard output.
    logging.Logger.manager.loggerDict.pop("coze-sts", None)
    for library in ("", *TALKATIVE):
        logging.getLogger(library).setLevel(level)
    spec = importlib.util.spec_from_file_location(f"{name}_app", FUNCTIONS / name / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if name == "token":
        module.BROKER = replace(module.BROKER, sleep=lambda _seconds: None)
    return module


class Context:
    """Lambda's second argument, with so many seconds left."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)
