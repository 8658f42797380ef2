from __future__ import annotations

import json
from typing import Any

from tests.local import template
from tests.template.variants import ORIGINS, Variant

ALWAYS = {
    "POST /guest/token": ("NONE", "TokenFunction"),
    "POST /backend/token": ("AWS_IAM", "TokenFunction"),
    "DELETE /backend/token": ("AWS_IAM", "TokenFunction"),
    "POST /backend/assertion": ("AWS_IAM", "AssertionFunction"),
    "GET /health": ("NONE", "TokenFunction"),
}


def expected_routes(stack: Variant) -> dict[str, tuple[str, str]]:
    """The way of proof and the function of each route."""
    paths = [f"/token/{number}".removesuffix("/") for number in stack.issuers]
    signed_in = {f"{method} {path}" for path in paths for method in ("POST", "DELETE")}
    wechat = {"POST /wechat/token": ("NONE", "TokenFunction")} if stack.wechat else {}
    return ALWAYS | wechat | dict.fromkeys(signed_in, ("JWT", "TokenFunction"))


def routes(stack: Variant) -> dict[str, dict[str, Any]]:
    """The properties of each route by its key."""
    found = stack.of_type("AWS::ApiGatewayV2::Route").values()
    return {properties["RouteKey"]: properties for properties in found}


def test_each_route_has_its_way_of_proof_and_is_there_if_its_door_is_configured(
    stack: Variant,
) -> None:
    integrations = stack.of_type("AWS::ApiGatewayV2::Integration")
    found = {}
    for key, route in routes(stack).items():
        target = integrations[route["Target"].removeprefix("integrations/${").removesuffix("}")]
        function = target["IntegrationUri"].partition("functions/${")[2].partition(".Arn}")[0]
        found[key] = (route["AuthorizationType"], function)

    assert found == expected_routes(stack)


def test_the_routes_of_an_issuer_use_the_authorizer_that_checks_it(stack: Variant) -> None:
    authorizers = stack.of_type("AWS::ApiGatewayV2::Authorizer")
    checked = {}
    for key, route in routes(stack).items():
        assert ("AuthorizerId" in route) is (route["AuthorizationType"] == "JWT")
        if "AuthorizerId" in route:
            jwt = authorizers[route["AuthorizerId"][2:-1]]["JwtConfiguration"]
            checked[key] = (jwt["Issuer"], jwt["Audience"])

    assert checked == {
        f"{method} /token/{number}".removesuffix("/"): issuer
        for number, issuer in stack.issuers.items()
        for method in ("POST", "DELETE")
    }


def test_an_issuer_has_an_authorizer_that_looks_for_the_token_in_one_place(stack: Variant) -> None:
    authorizers = stack.of_type("AWS::ApiGatewayV2::Authorizer")

    assert set(authorizers) == {f"VisitorAuthorizer{number}" for number in stack.issuers}
    assert len({authorizer["Name"] for authorizer in authorizers.values()}) == len(authorizers)
    for authorizer in authorizers.values():
        assert authorizer["AuthorizerType"] == "JWT"
        assert authorizer["IdentitySource"] == ["$request.header.Authorization"]


def test_everything_of_the_api_is_a_plain_resource(stack: Variant) -> None:
    api = stack.resources["TokenApi"]["Properties"]

    assert "Body" not in api, "an OpenAPI body deletes plain routes at the next update"
    assert all(
        properties["ApiId"] == "${TokenApi}"
        for kind in ("Route", "Integration", "Stage", "Authorizer")
        for properties in stack.of_type(f"AWS::ApiGatewayV2::{kind}").values()
    )


def test_the_api_stands_before_the_functions_so_that_sam_local_reads_its_routes() -> None:
    types = [resource["Type"] for resource in template.source()["Resources"].values()]

    assert types.index("AWS::ApiGatewayV2::Api") < types.index("AWS::Serverless::Function")


def test_events_have_payload_format_2(stack: Variant) -> None:
    for integration in stack.of_type("AWS::ApiGatewayV2::Integration").values():
        assert integration["IntegrationType"] == "AWS_PROXY"
        assert integration["PayloadFormatVersion"] == "2.0"


def test_cors_names_exact_origins_or_is_not_there(stack: Variant) -> None:
    cors = stack.resources["TokenApi"]["Properties"].get("CorsConfiguration")

    if not stack.origins:
        assert cors is None
        return
    assert cors["AllowOrigins"] == ORIGINS
    assert cors["AllowMethods"] == ["POST", "DELETE"]
    assert cors["AllowHeaders"] == ["authorization", "content-type"]
    assert "AllowCredentials" not in cors


def test_public_routes_are_throttled_tighter_than_the_others(stack: Variant) -> None:
    stage = stack.resources["TokenApiStage"]["Properties"]
    usual = stage["DefaultRouteSettings"]

    assert stage["StageName"] == "$default"
    assert stage["RouteSettings"].keys() == {
        key for key, (proof, _) in expected_routes(stack).items() if proof == "NONE"
    }
    for limits in stage["RouteSettings"].values():
        assert 0 < int(limits["ThrottlingRateLimit"]) < int(usual["ThrottlingRateLimit"])
        assert 0 < int(limits["ThrottlingBurstLimit"]) < int(usual["ThrottlingBurstLimit"])


def test_the_stage_waits_for_the_routes_that_its_settings_name(stack: Variant) -> None:
    stage = stack.resources["TokenApiStage"]
    referred = [value[2:-1] for value in stage["Properties"].get("StageVariables", {}).values()]
    found = stack.of_type("AWS::ApiGatewayV2::Route")

    waited_for = {found[name]["RouteKey"] for name in [*stage["DependsOn"], *referred]}
    assert waited_for == stage["Properties"]["RouteSettings"].keys()


def test_the_access_log_is_json_without_headers_claims_paths_or_addresses(stack: Variant) -> None:
    settings = stack.resources["TokenApiStage"]["Properties"]["AccessLogSettings"]
    variables = set(json.loads(settings["Format"]).values())

    assert settings["DestinationArn"] == "${ApiLogGroup.Arn}"
    assert "\n" not in settings["Format"]
    assert variables == {
        "$context.authorizer.error",
        "$context.integrationErrorMessage",
        "$context.integrationStatus",
        "$context.requestId",
        "$context.requestTime",
        "$context.responseLatency",
        "$context.responseLength",
        "$context.routeKey",
        "$context.status",
    }
