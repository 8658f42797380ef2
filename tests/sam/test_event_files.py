"""What holds of events/ on every machine, with the SAM CLI or without."""

from urllib.parse import urlsplit

import pytest

from tests.contract.template_settings import parameter_of
from tests.local.gateway.routes import of_type
from tests.local.template import expand, source
from tests.sam.conftest import EVENTS, ISSUERS, PAGE, read_event
from tests.sam.expectations import (
    ANSWERED,
    CANARY,
    DOCTOR,
    INCOMPLETE,
    REFUSED,
    ROTATION,
    ROUTES,
    UNKNOWN_FIELD,
    UNKNOWN_STEP,
)

WECHAT = {"WechatSecretId": "arn:aws:secretsmanager:us-east-1:123456789012:secret:wx-a1B2c3"}


def test_every_event_has_an_expectation() -> None:
    expected = {*ANSWERED, *REFUSED, *ROTATION, UNKNOWN_STEP, DOCTOR, UNKNOWN_FIELD, CANARY}
    assert {path.stem for path in EVENTS.glob("*.json")} - {"env"} == expected


def test_every_route_has_an_event() -> None:
    declared = of_type(expand(ISSUERS | WECHAT), "AWS::ApiGatewayV2::Route").values()
    assert {read_event(name)["routeKey"] for name in ROUTES | INCOMPLETE} == {
        properties["RouteKey"] for properties in declared
    }


@pytest.mark.parametrize("name", sorted(ANSWERED | REFUSED))
def test_an_event_is_of_one_piece(name: str) -> None:
    event = read_event(name)
    method, path = event["routeKey"].split()
    context = event["requestContext"]
    assert event["version"] == "2.0"
    assert event["rawPath"] == path == context["http"]["path"]
    assert context["http"]["method"] == method
    assert context["routeKey"] == event["routeKey"]
    assert list(event["headers"]) == [header.lower() for header in event["headers"]]


def test_a_request_id_names_one_event() -> None:
    ids = [read_event(name)["requestContext"]["requestId"] for name in ANSWERED | REFUSED]
    assert len(set(ids)) == len(ids)


def test_what_sam_local_sets_suits_the_events_and_make_dev() -> None:
    variables = read_event("env")["Parameters"]
    ports = {name: urlsplit(value).port for name, value in variables.items() if "host." in value}
    issuers = {
        name: variables[name]
        for name in variables
        if name.startswith("OIDC_") and parameter_of(name) in ISSUERS
    }
    assert issuers == {n: ISSUERS[parameter_of(n)] for n in issuers}
    assert len(issuers) == 5
    assert variables["ALLOWED_ORIGINS"] == PAGE
    assert ports == {
        "AWS_ENDPOINT_URL": 3003,
        "COZE_API_BASE": 3001,
        "WECHAT_API_BASE": 3001,
        "API_ENDPOINT": 3000,
    }


def test_sam_local_heeds_every_variable_that_is_set_for_it() -> None:
    """It drops every variable of --env-vars that the template does not declare."""
    declared = source()["Globals"]["Function"]["Environment"]["Variables"]
    assert read_event("env")["Parameters"].keys() <= declared.keys()
    assert declared["AWS_ENDPOINT_URL"] == {"Ref": "AWS::NoValue"}  # so AWS never sees it
