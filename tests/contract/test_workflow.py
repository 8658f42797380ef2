"""The workflow for GitHub runs what the README says, with the versions that CI here has."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.contract.markdown import ROOT

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
COMMANDS = [step["run"] for step in STEPS if "run" in step]


def test_it_runs_the_tests_as_a_newcomer_does_and_validates_the_template() -> None:
    assert "make test" in COMMANDS
    assert "sam validate --lint" in COMMANDS
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {command.split()[1] for command in COMMANDS if command.startswith("make ")} <= targets


def test_it_holds_what_the_documents_say_that_ci_holds() -> None:
    assert "make bench-imports" in COMMANDS
    assert "valgrind" in " ".join(COMMANDS), "which counts"


def test_it_may_read_the_repository_and_nothing_else() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    checkouts = [step for step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False] * len(checkouts)


@pytest.mark.parametrize("tool", ["aws-sam-cli", "checkov"])
def test_a_tool_has_the_version_that_is_used_here(tool: str) -> None:
    pattern = rf"{tool}==([\d.]+)"
    (there,) = set(re.findall(pattern, " ".join(COMMANDS)))
    assert there in re.findall(pattern, (ROOT / ".ci/run").read_text())
