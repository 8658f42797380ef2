"""What the canary's alarms watch is what a run emits."""

from __future__ import annotations

import json

import pytest
from coze_sts.canary.finding import Verdict

from tests.isolation_canary.conftest import Stack
from tests.local.template import STACK_NAME, source

ALARMS = {
    name: resource["Properties"]
    for name, resource in source()["Resources"].items()
    if resource["Type"] == "AWS::CloudWatch::Alarm" and resource.get("Condition") == "HasCanary"
}


def test_each_verdict_of_a_run_has_an_alarm() -> None:
    assert {alarm["MetricName"] for alarm in ALARMS.values()} == {each.value for each in Verdict}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_of_the_canary_watches_the_dimension_that_a_run_writes(
    name: str, stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")
    stack.functions["CanaryFunction"].invoke_beside({"id": "event-1"})
    printed = capsys.readouterr().out.splitlines()
    records = [json.loads(line) for line in printed if line.startswith('{"_aws"')]
    (record,) = [each for each in records if Verdict.PASSED.value in each]
    (described,) = record["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == ALARMS[name]["Namespace"]
    assert described["Dimensions"] == [["service"]]
    assert record["service"] == STACK_NAME
    assert ALARMS[name]["Dimensions"] == [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]
