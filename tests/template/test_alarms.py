"""What is watched, when it rings, and whom it tells."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest

from tests.local import template
from tests.template import alarms
from tests.template.variants import ALARM_EMAIL, PLAIN, Variant

OF_AWS = {
    ("AWS/Lambda", ("FunctionName", "${TokenFunction}")),
    ("AWS/Lambda", ("FunctionName", "${AssertionFunction}")),
    ("AWS/ApiGateway", ("ApiId", "${TokenApi}")),
}
NAMES = sorted(alarms.alarm_names())
CONDITIONAL = {name for name in NAMES if "Condition" in template.source()["Resources"][name]}


def always(stack: Variant) -> dict[str, dict[str, Any]]:
    """The alarms that are there whatever the parameters; the canary's are tried with the canary."""
    found = alarms.alarms(stack)
    return {name: found[name] for name in NAMES if name not in CONDITIONAL}


@pytest.mark.parametrize("function", ["TokenFunction", "AssertionFunction"])
def test_a_version_that_answers_errors_or_cannot_start_is_rolled_back(function: str) -> None:
    resources = template.expand({"DeploymentPreference": "Canary10Percent5Minutes"})
    group = resources[f"{function}DeploymentGroup"]["Properties"]["AlarmConfiguration"]
    ring = [each["Name"].strip("${}") for each in group["Alarms"]]
    watched = {alarms.watched_by_alarms(PLAIN)[name] for name in ring}
    assert group["Enabled"]
    assert watched == {
        (alarms.OWN, "Status5xx", (("service", template.STACK_NAME),)),
        ("AWS/Lambda", "Errors", (("FunctionName", f"${{{function}}}"),)),
    }


def test_an_alarm_without_a_condition_is_there_whatever_the_parameters(stack: Variant) -> None:
    assert set(NAMES) - CONDITIONAL <= alarms.alarms(stack).keys()


def test_an_own_metric_has_the_one_dimension_that_the_stack_gives_its_functions(
    stack: Variant,
) -> None:
    given = {
        function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for function in stack.of_type("AWS::Lambda::Function").values()
    }
    assert given == {template.STACK_NAME}
    for _namespace, _name, dimensions in alarms.own_metrics(stack):
        assert dimensions == (("service", template.STACK_NAME),)


def test_what_is_watched_of_aws_is_this_stacks(stack: Variant) -> None:
    watched = {*alarms.watched_by_alarms(stack).values(), *alarms.watched_by_the_dashboard(stack)}
    for namespace, _name, dimensions in watched - alarms.own_metrics(stack):
        assert {(namespace, dimension) for dimension in dimensions} <= OF_AWS
        assert dimensions


def test_an_alarm_needs_no_more_points_than_it_looks_at_and_at_most_a_quarter_of_an_hour(
    stack: Variant,
) -> None:
    for alarm in always(stack).values():
        assert 1 <= alarm["DatapointsToAlarm"] <= alarm["EvaluationPeriods"]
        assert alarm["Period"] * alarm["EvaluationPeriods"] <= 15 * 60
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert alarm["Threshold"] > 0


def test_what_nobody_counted_did_not_happen_and_what_is_used_stays_used(stack: Variant) -> None:
    missing = {name: alarm["TreatMissingData"] for name, alarm in always(stack).items()}
    assert missing.pop("BudgetAlarm") == "ignore"
    assert set(missing.values()) == {"notBreaching"}


@pytest.mark.parametrize("name", NAMES)
def test_an_alarm_gives_its_reason(name: str) -> None:
    description = template.source()["Resources"][name]["Properties"]["AlarmDescription"]
    assert re.search(r"[.:] ?\w", description), "a reason beside what it counts"
    assert 60 < len(description) <= 1024


def test_alarms_tell_the_operator_where_there_is_an_address_and_nobody_else(
    stack: Variant,
) -> None:
    for alarm in alarms.alarms(stack).values():
        told = {key: alarm[key] for key in alarm if key.endswith("Actions")}
        expected = {key: ["${AlarmTopic}"] for key in ("AlarmActions", "OKActions")}
        assert told == (expected if stack.alarm_email else {})


def test_the_topic_and_its_subscription_are_there_with_an_address_only(stack: Variant) -> None:
    topics = stack.of_type("AWS::SNS::Topic")
    subscriptions = stack.of_type("AWS::SNS::Subscription")
    assert list(topics) == ["AlarmTopic"] * stack.alarm_email
    assert (
        list(subscriptions.values())
        == [{"TopicArn": "${AlarmTopic}", "Protocol": "email", "Endpoint": ALARM_EMAIL}]
        * stack.alarm_email
    )


def test_a_topic_that_cloudwatch_can_always_publish_to(stack: Variant) -> None:
    """A key whose policy forgot CloudWatch would swallow the alarm, and nobody would know."""
    for topic in stack.of_type("AWS::SNS::Topic").values():
        assert "KmsMasterKeyId" not in topic


def test_the_dashboard_shows_every_alarm_and_everything_is_of_this_region(stack: Variant) -> None:
    drawn = alarms.widgets(stack)
    (panel,) = [w["properties"]["alarms"] for w in drawn if w["type"] == "alarm"]
    assert sorted(panel) == sorted(f"${{{name}.Arn}}" for name in alarms.alarms(stack))
    for widget in drawn:
        assert widget["type"] == "alarm" or widget["properties"]["region"] == stack.region
    (dashboard,) = stack.of_type("AWS::CloudWatch::Dashboard").values()
    assert dashboard["DashboardName"] == f"{template.STACK_NAME}-{stack.region}"


def test_an_alarms_metric_is_drawn_too(stack: Variant) -> None:
    watched = alarms.watched_by_alarms(stack)
    drawn = alarms.watched_by_the_dashboard(stack)
    assert {watched[name] for name in always(stack)} <= drawn


def test_requests_by_route_and_outcome_are_counted_in_both_logs() -> None:
    (query,) = [w["properties"]["query"] for w in alarms.widgets(PLAIN) if w["type"] == "log"]
    for function in ("TokenFunction", "AssertionFunction"):
        assert f"SOURCE '${{{function}LogGroup}}'" in query
    assert "by route, status, error, source" in query


def test_no_widget_covers_another_or_leaves_the_page() -> None:
    for widget in alarms.widgets(PLAIN):
        assert widget["x"] + widget["width"] <= 24
    for one, other in combinations(alarms.widgets(PLAIN), 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        below = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert beside or below
