from __future__ import annotations

import json

from tests.local import template
from tests.template.variants import ORIGINS, Variant

SIGNED_IN = {"POST /token": ("JWT", "TokenFunction"), "DELETE /token": ("JWT", "TokenFunction")}
ALWAYS = {
    "POST /guest/token": ("NONE", "TokenFunction"),
    "POST /backend/token": ("AWS_IAM", "TokenFunction"),
    "DELETE /backend/token": ("AWS_IAM", "TokenFunction"),
    "POST /backend/assertion": ("AWS_IAM", "AssertionFunction"),
    "GET /health": ("NONE", "TokenFunction"),
}


def test_each_route_has_its_way_of_proof_and_token_needs_an_issuer(stack: Variant) -> None:
    integrations = stack.of_type("AWS::ApiGatewayV2::Integration")
    found = {}
    for route in stack.of_type("AWS::ApiGatewayV2::Route").values():
        target = integrations[route["Target"].removeprefix("integrations/${").removesuffix("}")]
        function = target["IntegrationUri"].partition("functions/${")[2].partition(".Arn}")[0]
        found[route["RouteKey"]] = (route["AuthorizationType"], function)

    assert found == ALWAYS | (SIGNED_IN if stack.issuer else {})


def test_only_the_token_routes_use_the_authorizer(stack: Variant) -> None:
    for route in stack.of_type("AWS::ApiGatewayV2::Route").values():
        expected = "${VisitorAuthorizer}" if route["AuthorizationType"] == "JWT" else None
        assert route.get("AuthorizerId") == expected


def test_the_authorizer_checks_issuer_and_audiences(stack: Variant) -> None:
    authorizers = stack.of_type("AWS::ApiGatewayV2::Authorizer")

    assert list(authorizers) == (["VisitorAuthorizer"] if stack.issuer else [])
    for authorizer in authorizers.values():
        assert authorizer["AuthorizerType"] == "JWT"
        assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
        assert authorizer["JwtConfiguration"] == {
            "Issuer": "https://login.example.com/",
            "Audience": ["web", "app"],
        }


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
    assert stage["RouteSettings"].keys() == {key for key in ALWAYS if ALWAYS[key][0] == "NONE"}
    for limits in stage["RouteSettings"].values():
        assert 0 < int(limits["ThrottlingRateLimit"]) < int(usual["ThrottlingRateLimit"])
        assert 0 < int(limits["ThrottlingBurstLimit"]) < int(usual["ThrottlingBurstLimit"])


def test_the_stage_waits_for_the_routes_that_its_settings_name(stack: Variant) -> None:
    stage = stack.resources["TokenApiStage"]
    routes = stack.of_type("AWS::ApiGatewayV2::Route")

    waited_for = {routes[name]["RouteKey"] for name in stage["DependsOn"]}
    assert waited_for == stage["Properties"]["RouteSettings"].keys()


def test_the_access_log_is_json_without_headers_claims_or_paths(stack: Variant) -> None:
    settings = stack.resources["TokenApiStage"]["Properties"]["AccessLogSettings"]
    variables = set(json.loads(settings["Format"]).values())

    assert settings["DestinationArn"] == "${ApiLogGroup.Arn}"
    assert "\n" not in settings["Format"]
    assert variables == {
        "$context.authorizer.error",
        "$context.identity.sourceIp",
        "$context.integrationErrorMessage",
        "$context.integrationStatus",
        "$context.requestId",
        "$context.requestTime",
        "$context.responseLatency",
        "$context.responseLength",
        "$context.routeKey",
        "$context.status",
    }


def test_the_outputs_say_where_to_call_and_how_to_store_the_key(stack: Variant) -> None:
    here = f"{stack.region}:{template.ACCOUNT_ID}"

    assert stack.outputs["ApiEndpoint"] == "${TokenApi.ApiEndpoint}"
    assert stack.outputs["StoreKeyCommand"] == (
        f"aws secretsmanager put-secret-value --region {stack.region}"
        f" --secret-id {stack.coze_secret} --secret-string file://coze_oauth_config.json"
    )
    assert stack.outputs["BackendRoutesArn"] == (
        f"arn:{stack.partition}:execute-api:{here}:${{TokenApi}}/*/*/backend/*"
    )
