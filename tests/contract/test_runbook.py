"""The runbook has a section for each alarm, and says when it rings as the template does."""

from __future__ import annotations

import re

import pytest

from tests.contract.markdown import CHINESE, README, Document
from tests.local import template
from tests.template.alarms import alarm_names

ENGLISH_PARTS = ["What it means.", "Where to look.", "What to do."]
CHINESE_PARTS = ["意味着什么。", "看哪里。", "怎么办。"]
NUMBER = {"README.md": "twelve alarms", "README.zh-CN.md": "十二个告警"}
RESOURCES = template.source()["Resources"]
EVERY = {name: RESOURCES[name]["Properties"] for name in alarm_names()}


ALARMS = {name: EVERY[name] for name in EVERY if "Condition" not in RESOURCES[name]}
"""Those of every stack. When the canary's ring is said in docs/canary.md."""


@pytest.fixture(params=["docs/runbook.md", "docs/runbook.zh-CN.md"])
def runbook(request: pytest.FixtureRequest) -> Document:
    return Document(request.param)


def sections(runbook: Document) -> dict[str, list[str]]:
    """The bold beginnings of each alarm's section."""
    found = re.findall(r"^## (\w+Alarm)\n(.*?)(?=^## |\Z)", runbook.text, re.M | re.S)
    return {name: re.findall(r"^- \*\*(.+?)\*\*", body, re.M) for name, body in found}


def test_every_alarm_has_a_section_and_every_section_an_alarm(runbook: Document) -> None:
    parts = CHINESE_PARTS if "zh-CN" in runbook.name else ENGLISH_PARTS
    assert sections(runbook) == dict.fromkeys(EVERY, parts)


def test_when_an_alarm_rings_is_said_as_it_is(runbook: Document) -> None:
    rows = runbook.table("ServerErrorAlarm")
    assert {name: row[:3] for name, row in rows.items()} == {
        name: [alarm["MetricName"], str(alarm["Threshold"]), str(alarm["Period"] // 60)]
        for name, alarm in ALARMS.items()
    }
    assert {name: {*re.findall(r"\d", row[3])} for name, row in rows.items()} == {
        name: {str(alarm["DatapointsToAlarm"]), str(alarm["EvaluationPeriods"])}
        for name, alarm in ALARMS.items()
    }


def test_sections_and_table_have_the_same_order(runbook: Document) -> None:
    of_every_stack = [name for name in sections(runbook) if name in ALARMS]
    assert of_every_stack == list(runbook.table("ServerErrorAlarm"))


@pytest.mark.parametrize("document", [README, CHINESE], ids=str)
def test_the_number_of_alarms_is_said_right(document: Document) -> None:
    assert (len(ALARMS), len(EVERY)) == (12, 15)
    assert NUMBER[document.name] in document.text.replace("\n", " ")
