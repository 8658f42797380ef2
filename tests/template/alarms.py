"""What the alarms and the dashboard of a stack watch."""

from __future__ import annotations

import json
from typing import Any

from tests.local import template
from tests.template.variants import PLAIN, Variant

OWN = "CozeSTS"
Watched = tuple[str, str, tuple[tuple[str, str], ...]]
"""A metric by its namespace, its name and its dimensions."""


def alarms(stack: Variant) -> dict[str, dict[str, Any]]:
    return stack.of_type("AWS::CloudWatch::Alarm")


def alarm_names() -> set[str]:
    """The logical IDs of all alarms, whatever the parameters."""
    resources = template.source()["Resources"].items()
    return {name for name, made in resources if made["Type"] == "AWS::CloudWatch::Alarm"}


def widgets(stack: Variant) -> list[dict[str, Any]]:
    (dashboard,) = stack.of_type("AWS::CloudWatch::Dashboard").values()
    drawn: list[dict[str, Any]] = json.loads(dashboard["DashboardBody"])["widgets"]
    return drawn


def watched_by_alarms(stack: Variant) -> dict[str, Watched]:
    return {
        name: (
            alarm["Namespace"],
            alarm["MetricName"],
            tuple((d["Name"], d["Value"]) for d in alarm["Dimensions"]),
        )
        for name, alarm in alarms(stack).items()
    }


def watched_by_the_dashboard(stack: Variant) -> set[Watched]:
    lines = [line for w in widgets(stack) for line in w["properties"].get("metrics", [])]
    return {(line[0], line[1], ((line[2], line[3]),)) for line in lines}


def metric_names() -> set[str]:
    """All that is watched, AWS's metrics too."""
    every = {*watched_by_alarms(PLAIN).values(), *watched_by_the_dashboard(PLAIN)}
    return {name for _namespace, name, _dimensions in every}


def own_metrics(stack: Variant) -> set[Watched]:
    """Those that our own code must emit."""
    every = {*watched_by_alarms(stack).values(), *watched_by_the_dashboard(stack)}
    return {watched for watched in every if watched[0] == OWN}
