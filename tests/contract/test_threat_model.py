"""Each row of docs/threat-model.md names the tests that hold it, and they are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = (ROOT / "docs" / "threat-model.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
RULES = [line for line in MODEL.splitlines() if re.match(r"\| [A-Z]\d", line)]


def number(row: str) -> str:
    return row.split("|")[1].strip()


@pytest.mark.parametrize("row", RULES, ids=number)
def test_a_row_names_tests_that_exist(row: str) -> None:
    named = NAMED.findall(row)
    assert named
    for path, test in named:
        assert re.search(rf"^def {test}\b", (ROOT / path).read_text(), re.MULTILINE), test


def test_the_rows_are_seen_and_numbered_once() -> None:
    numbers = [number(row) for row in RULES]
    assert len(numbers) > 30
    assert len(set(numbers)) == len(numbers)
