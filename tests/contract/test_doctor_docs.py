"""docs/doctor.md lists what the doctor can say and do, as the code has it, in both languages."""

from __future__ import annotations

import json
import shlex
from string import Formatter

import pytest
from coze_sts.doctor.checks.exchange import SESSION_NAME
from coze_sts.doctor.checks.permissions import CALLS
from coze_sts.doctor.document import LANGUAGES, document
from coze_sts.doctor.examination import TOTAL_SECONDS
from coze_sts.doctor.outcomes import OUTCOMES
from coze_sts.doctor.question import FIELDS, read_question
from coze_sts.doctor.report import SEVERITY, found

from tests.contract.markdown import NONE, ROOT, Document
from tests.local import template

DOCUMENTS = {"en": Document("docs/doctor.md"), "zh": Document("docs/doctor.zh-CN.md")}
ENGLISH, CHINESE = DOCUMENTS.values()
QUOTED = {"faults", "reason", "said", "cause"}
"""Facts that are words of an error."""


def rows(shown: Document) -> dict[str, list[str]]:
    """Every finding that is listed: status, words and cure by its key."""
    return {row[0]: row[1:] for table in shown.tables for row in table if row[0] in OUTCOMES}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_finding_is_listed_in_the_order_of_the_checks_with_its_words(lang: str) -> None:
    outcomes = LANGUAGES[lang].outcomes  # type: ignore[index]
    expected = {
        key: [status, outcomes[key][0], outcomes[key][1] or NONE]
        for key, status in OUTCOMES.items()
    }
    assert list(rows(DOCUMENTS[lang]).items()) == list(expected.items())


@pytest.mark.parametrize(("shown", "english"), [(ENGLISH, "English"), (CHINESE, "英文")], ids=str)
def test_what_is_quoted_of_errors_is_told_to_be_english_in_every_language(
    shown: Document, english: str
) -> None:
    paragraphs = shown.text.split("\n\n")
    (told,) = [text for text in paragraphs if all(f"`{{{name}}}`" in text for name in QUOTED)]
    assert english in told


def test_what_is_quoted_of_errors_is_filled_in() -> None:
    filled = {name for key in OUTCOMES for name in _names(LANGUAGES["en"].outcomes[key][0])}
    assert filled > QUOTED


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_call_is_listed(lang: str) -> None:
    listed = DOCUMENTS[lang].table(CALLS[0].permission)
    assert {name: row[0] for name, row in listed.items()} == {
        call.permission: f"{call.method} {call.path}" for call in CALLS
    }
    left = {name for name, row in listed.items() if row[1].startswith(("nothing", "无"))}
    assert listed.keys() - left == {"createConversation", "editConversation"}


@pytest.mark.parametrize("shown", DOCUMENTS.values(), ids=str)
def test_what_it_does_is_told_with_its_numbers_and_names(shown: Document) -> None:
    assert f"`{SESSION_NAME}`" in shown.prose
    assert str(TOTAL_SECONDS) in shown.prose
    assert {f"`{name}`" for name in FIELDS} <= {f"`{span}`" for span in shown.spans}
    assert {f"`{status}`" for status in SEVERITY} <= {f"`{span}`" for span in shown.spans}


def test_the_report_that_is_shown_is_one() -> None:
    shown = json.loads(ENGLISH.block("json"))
    (finding,) = shown["findings"]
    one = document([found(finding["finding"], **finding["facts"])], lang="en")
    assert one["findings"] == shown["findings"]
    assert one.keys() == shown.keys()
    assert shown["summary"] == LANGUAGES["en"].summary.format(**shown["counts"])


def test_the_command_of_aws_is_the_outputs() -> None:
    command = template.outputs(region="eu-west-1")["DoctorCommand"]
    block = ENGLISH.block("sh", "aws lambda invoke").replace("\\\n", "")
    (shown, expected) = (shlex.split(text) for text in (block, command))
    payload = shown.index("--payload") + 1
    assert read_question(json.loads(shown[payload])).bot_id
    changing = {payload, shown.index("--function-name") + 1}
    differing = {
        i for i, pair in enumerate(zip(shown, expected, strict=True)) if len(set(pair)) > 1
    }
    assert differing == changing


def test_the_variables_are_those_that_the_recipe_takes() -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\ndoctor:")[2].partition("\n\n")[0]
    for variable in ENGLISH.table("COZE_CONFIG"):
        assert f"$${variable}" in recipe or f"$({variable})" in recipe


def test_braces_stand_for_facts_only() -> None:
    for key, row in rows(ENGLISH).items():
        names = {name for text in row for name in _names(text)}
        assert all(name.isidentifier() for name in names), key


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}
