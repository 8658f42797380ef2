"""The HTTP API out of the expanded template: which route calls what, and who may call it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.local.gateway.cors import Cors
from tests.local.gateway.jwt_authorizer import JwtAuthorizer, JwtConfiguration

Resources = Mapping[str, Mapping[str, Any]]
SYMBOL = re.compile(r"\$\{(\w+)(?:\.\w+)?\}")


@dataclass(frozen=True, kw_only=True)
class Route:
    """One route; ``function`` is the logical ID of the function behind it."""

    key: str
    function: str
    authorization: Literal["NONE", "AWS_IAM", "JWT"]
    authorizer: JwtAuthorizer | None


def routes(resources: Resources) -> dict[str, Route]:
    """The routes by their key, such as ``POST /token``."""
    authorizers = {
        name: _authorizer(properties)
        for name, properties in of_type(resources, "AWS::ApiGatewayV2::Authorizer").items()
    }
    found = [
        _route(properties, resources, authorizers)
        for properties in of_type(resources, "AWS::ApiGatewayV2::Route").values()
    ]
    return {route.key: route for route in found}


def cors(resources: Resources) -> Cors | None:
    """The API's CORS configuration; None where it has none."""
    (api,) = of_type(resources, "AWS::ApiGatewayV2::Api").values()
    configuration = api.get("CorsConfiguration")
    return Cors.of(configuration) if configuration else None


def of_type(resources: Resources, kind: str) -> dict[str, Mapping[str, Any]]:
    """The properties of every resource of this type, by logical ID."""
    return {
        name: resource.get("Properties", {})
        for name, resource in resources.items()
        if resource["Type"] == kind
    }


def _route(
    properties: Mapping[str, Any],
    resources: Resources,
    authorizers: Mapping[str, JwtAuthorizer],
) -> Route:
    if "AuthorizationScopes" in properties:
        raise NotImplementedError("the local gateway does not play AuthorizationScopes")
    integration = resources[_logical_id(properties["Target"])]["Properties"]
    if integration["PayloadFormatVersion"] != "2.0":
        raise NotImplementedError("the local gateway plays payload format 2.0 only")
    authorization = properties["AuthorizationType"]
    return Route(
        key=properties["RouteKey"],
        function=_logical_id(integration["IntegrationUri"]),
        authorization=authorization,
        authorizer=authorizers[_logical_id(properties["AuthorizerId"])]
        if authorization == "JWT"
        else None,
    )


def _authorizer(properties: Mapping[str, Any]) -> JwtAuthorizer:
    if properties["IdentitySource"] != ["$request.header.Authorization"]:
        raise NotImplementedError("the local gateway looks for tokens in Authorization only")
    configuration = properties["JwtConfiguration"]
    return JwtAuthorizer(
        JwtConfiguration(issuer=configuration["Issuer"], audience=tuple(configuration["Audience"]))
    )


def _logical_id(text: str) -> str:
    """The one resource that a value such as ``integrations/${TokenIntegration}`` points at."""
    (name,) = SYMBOL.findall(text)
    return str(name)
