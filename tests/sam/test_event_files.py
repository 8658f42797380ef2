"""What holds of events/ on every machine, with the SAM CLI or without."""

import pytest

from tests.local.gateway.routes import of_type
from tests.local.template import expand, source
from tests.sam.conftest import EVENTS, read_event
from tests.sam.expectations import ANSWERED, REFUSED, ROTATION, ROUTES, UNKNOWN_STEP

SIGN_IN = {"OidcIssuer": "https://login.example.com", "OidcAudience": "web-client"}


def test_every_event_has_an_expectation() -> None:
    expected = {*ANSWERED, *REFUSED, *ROTATION, UNKNOWN_STEP}
    assert {path.stem for path in EVENTS.glob("*.json")} - {"env"} == expected


def test_every_route_has_an_event() -> None:
    declared = of_type(expand(SIGN_IN), "AWS::ApiGatewayV2::Route").values()
    assert {read_event(name)["routeKey"] for name in ROUTES} == {
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


def test_sam_local_can_point_the_functions_at_an_emulator() -> None:
    """It drops every variable of --env-vars that the template does not declare."""
    declared = source()["Globals"]["Function"]["Environment"]["Variables"]
    assert declared["AWS_ENDPOINT_URL"] == {"Ref": "AWS::NoValue"}  # so AWS never sees it
