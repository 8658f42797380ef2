"""The canary's schedule, and the alarms that hear it, and that miss it."""

from __future__ import annotations

from typing import Any

import pytest
from coze_sts.canary.finding import Verdict
from coze_sts.telemetry import NAMESPACE, SERVICE

from tests.local import template
from tests.template.variants import Variant

PARAMETERS = template.source()["Parameters"]
HOUR, DAY = 3600, 24 * 3600
LONGEST_OF_AN_ALARM = 7 * DAY
"""PutMetricAlarm, EvaluationPeriods: seconds of all periods together, where each has an hour."""


def alarms(stack: Variant) -> dict[str, dict[str, Any]]:
    """Those of the canary."""
    metrics = {verdict.value for verdict in Verdict}
    found = stack.of_type("AWS::CloudWatch::Alarm").items()
    return {name: alarm for name, alarm in found if alarm["MetricName"] in metrics}


def with_canary(**parameters: str) -> dict[str, Any]:
    return template.expand({"CanarySchedule": "rate(1 hour)", **parameters})


def test_nothing_of_it_is_there_without_a_schedule(stack: Variant) -> None:
    of_it = {name for name in stack.resources if name.startswith("Canary")} | set(alarms(stack))
    assert bool(of_it) is stack.canary
    assert bool(stack.of_type("AWS::Events::Rule")) is stack.canary


def test_the_schedule_starts_the_function_and_nothing_starts_it_twice(stack: Variant) -> None:
    for rule in stack.of_type("AWS::Events::Rule").values():
        assert rule["ScheduleExpression"] == "rate(15 minutes)"
        (target,) = rule["Targets"]
        assert target["Arn"] == "${CanaryFunction.Arn}"
        assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0
    configurations = stack.of_type("AWS::Lambda::EventInvokeConfig")
    assert [c["MaximumRetryAttempts"] for c in configurations.values()] == [0] * stack.canary


def test_every_verdict_has_an_alarm_on_the_metric_that_the_code_counts(stack: Variant) -> None:
    found = alarms(stack)
    watched = {name: alarm["MetricName"] for name, alarm in found.items()}
    assert watched == (
        {
            "IsolationBrokenAlarm": Verdict.BROKEN.value,
            "CanaryFailedAlarm": Verdict.FAILED.value,
            "CanaryStoppedAlarm": Verdict.PASSED.value,
        }
        if stack.canary
        else {}
    )
    for alarm in found.values():
        assert alarm["Namespace"] == NAMESPACE
        assert alarm["Dimensions"] == [{"Name": "service", "Value": SERVICE}]
        assert alarm["Statistic"] == "Sum"


def test_one_broken_run_is_enough_and_one_that_failed_is_not() -> None:
    resources = with_canary()
    broken, failed = (
        resources[name]["Properties"] for name in ("IsolationBrokenAlarm", "CanaryFailedAlarm")
    )
    assert (broken["Period"], broken["EvaluationPeriods"], broken["Threshold"]) == (60, 1, 1)
    assert "StopCommand" in broken["AlarmDescription"]
    assert failed["EvaluationPeriods"] > 1
    for alarm in (broken, failed):
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert alarm["TreatMissingData"] == "notBreaching"


def test_a_canary_that_runs_no_more_is_missed_and_one_that_runs_daily_is_not() -> None:
    stopped = with_canary()["CanaryStoppedAlarm"]["Properties"]
    seconds = stopped["Period"] * stopped["EvaluationPeriods"]
    assert stopped["TreatMissingData"] == "breaching"
    assert (stopped["ComparisonOperator"], stopped["Threshold"]) == ("LessThanThreshold", 1)
    assert stopped["Period"] == HOUR
    assert DAY + HOUR < seconds < LONGEST_OF_AN_ALARM


@pytest.mark.parametrize(
    "name", ["IsolationBrokenAlarm", "CanaryFailedAlarm", "CanaryStoppedAlarm"]
)
def test_alarms_tell_whoever_is_to_be_told(name: str) -> None:
    silent = with_canary()[name]["Properties"]
    told = with_canary(AlarmEmail="ops@example.com")[name]["Properties"]
    assert "AlarmActions" not in silent
    assert told["AlarmActions"] == ["${AlarmTopic}"]


@pytest.mark.parametrize(
    "schedule",
    [
        *("rate(1 minute)", "rate(2 minutes)", "rate(15 minutes)", "rate(999 minutes)"),
        *("rate(1 hour)", "rate(24 hours)", "rate(1 day)", "cron(0 6 * * ? *)"),
        *("cron(0/15 6-22 ? * MON-FRI *)", "cron(0 6 L * ? 2026)"),
    ],
)
def test_a_schedule_is_one_of_eventbridge(schedule: str) -> None:
    assert template.refusals({"CanarySchedule": schedule}) == []


@pytest.mark.parametrize(
    "schedule",
    [
        *("15 minutes", "rate(0 minutes)", "rate(1 minutes)", "rate(2 minute)", "rate(15minutes)"),
        *("rate(2 days)", "rate(25 hours)", "rate(1000 minutes)", "cron(0 6 * * ?)", "at(now)"),
    ],
)
def test_a_schedule_that_eventbridge_refuses_or_that_is_rarer_than_daily_is_refused(
    schedule: str,
) -> None:
    assert template.refusals({"CanarySchedule": schedule}) == [
        f"CanarySchedule {PARAMETERS['CanarySchedule']['ConstraintDescription']}"
    ]


def test_the_canary_is_told_where_coze_is_because_it_reads_no_secret() -> None:
    [said] = template.refusals({"CanaryBotId": "7401"})
    assert said.startswith("CanaryBotId needs CozeApiBase")
