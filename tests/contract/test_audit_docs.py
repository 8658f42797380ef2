"""docs/audit.md says what the command and the template say, in both languages."""

from __future__ import annotations

import re
import shlex

import pytest
from coze_sts.audit.visitor import FIELDS, query, table

from tests.contract.markdown import ROOT, Document, in_english
from tests.local import template

ENGLISH = Document("docs/audit.md")
CHINESE = Document("docs/audit.zh-CN.md")


@pytest.fixture(params=[ENGLISH, CHINESE], ids=str)
def document(request: pytest.FixtureRequest) -> Document:
    return request.param


def test_both_languages_have_the_same_parts() -> None:
    assert CHINESE.blocks == ENGLISH.blocks
    assert CHINESE.outline == ENGLISH.outline
    assert CHINESE.spans == ENGLISH.spans
    files = [{link.partition("#")[0] for link in doc.links} for doc in (ENGLISH, CHINESE)]
    assert {*map(in_english, files[0])} == {*map(in_english, files[1])}


def test_what_it_links_to_is_there(document: Document) -> None:
    for link in document.links:
        file, _, anchor = link.partition("#")
        text = (ROOT / "docs" / file).read_text("utf-8")
        headings = {line.lstrip("# ").lower() for line in text.splitlines() if line[:1] == "#"}
        assert not anchor or anchor.replace("-", " ") in headings


def test_the_query_is_the_commands(document: Document) -> None:
    assert document.block("text", "fields").strip() == query("0123456789abcdef")
    saved = template.expand()["VisitorQuery"]["Properties"]["Name"]
    assert f"`{saved}`" in document.prose


def test_the_example_is_a_table_as_the_command_prints_it(document: Document) -> None:
    head, *rows = document.block("text", "correlation_id  ").splitlines()
    starts = [found.start() for found in re.finditer(r"\S+", head)]
    cells = [
        [row[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)]
        for row in (head, *rows)
    ]
    lines = [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]
    assert set(cells[0]) == set(FIELDS) - {"error"}
    assert table(lines) == "\n".join([head, *rows])


def test_the_commands_give_make_what_its_target_takes(document: Document) -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\naudit:")[2].partition("\n\n")[0]
    shown = [text for language, text in document.blocks if "make audit" in text]
    words = {word for line in "".join(shown).splitlines() for word in shlex.split(line)}
    variables = {word.partition("=")[0] for word in words if "=" in word}
    assert variables == {"STACK", "NAME", "DAYS", "QUERY_ONLY"}
    assert all(name in recipe for name in variables)
