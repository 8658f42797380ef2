"""CanaryFunction: on a schedule, tries from outside what nobody may succeed with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.session import Session
from coze_sts import settings, telemetry
from coze_sts.canary.finding import LEVELS, Finding, Outcome, verdict
from coze_sts.canary.front_door import FrontDoor
from coze_sts.canary.lies import new_key
from coze_sts.canary.run import run
from coze_sts.errors import Misconfigured
from coze_sts.http_event import LambdaContext
from coze_sts.web import new_http_session

if TYPE_CHECKING:
    from urllib3 import PoolManager

T = TypeVar("T")

MARGIN_SECONDS = 2
"""Kept back of the function's time, to say what was found."""


def needed(value: T | None, what: str) -> T:
    """The value; raises Misconfigured where there is none."""
    if value is None:
        raise Misconfigured(f"{what} is not set.")
    return value


SETTINGS = settings.from_environment()
TELEMETRY = telemetry.new_telemetry(for_visitors=False)
AWS = Session()
REGION = needed(AWS.get_config_variable("region"), "AWS_REGION")
CREDENTIALS = needed(AWS.get_credentials(), "AWS_ACCESS_KEY_ID")
ENDPOINT = needed(SETTINGS.api_endpoint, "API_ENDPOINT")
KEY = new_key()


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One run. What it found is logged, counted, and returned for whoever started it by hand."""
    TELEMETRY.begin(route="canary", request_id=str(event.get("id", "")))
    findings: list[Finding] = []
    # A connection of the run before may have died while Lambda kept the process frozen.
    with new_http_session() as http:
        try:
            for finding in run(door(http, context), settings=SETTINGS, key=KEY, clock=time.time):
                findings.append(finding)
                log(finding)
        except Exception as error:  # noqa: BLE001 - what was found before it still counts
            findings.append(Finding(check="canary", outcome=Outcome.UNKNOWN, reason="it failed"))
            TELEMETRY.crashed(error)
    said = verdict(findings)
    TELEMETRY.count(said.value)
    TELEMETRY.ended()
    checks = {finding.check: finding.outcome.value for finding in findings}
    return {"verdict": said.value, "checks": checks}


def door(http: PoolManager, context: LambdaContext) -> FrontDoor:
    """The API as it is deployed, for as long as this run has."""
    return FrontDoor(
        http=http,
        endpoint=ENDPOINT,
        origin=next(iter(SETTINGS.allowed_origins), None),
        credentials=CREDENTIALS,
        region=REGION,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS,
    )


def log(finding: Finding) -> None:
    """One line a check."""
    TELEMETRY.checked(
        finding.line,
        level=LEVELS[finding.outcome],
        check=finding.check,
        outcome=finding.outcome.value,
    )
