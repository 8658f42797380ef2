"""openapi.yaml says what template.yaml and errors.py say, and refuses any other answer."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from coze_sts.errors import StsError
from openapi_spec_validator import validate

from tests.contract.markdown import ROOT
from tests.contract.openapi import Undocumented, conforms, document, operations, responses
from tests.local import template

PROOFS = {"JWT": [{"oidc": []}], "AWS_IAM": [{"sigv4": []}], "NONE": []}
COMPONENTS = document()["components"]
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache", "content-type": "application/json"}
TOKEN = {"access_token": "t", "token": "t", "token_type": "Bearer", "expires_in": 1}


def declared() -> dict[str, str]:
    """Every route of template.yaml, whatever its condition, and how it is proved."""
    return {
        resource["Properties"]["RouteKey"]: resource["Properties"]["AuthorizationType"]
        for resource in template.source()["Resources"].values()
        if resource["Type"] == "AWS::ApiGatewayV2::Route"
    }


def optional() -> set[str]:
    """The routes of template.yaml that some stacks do not have."""
    return {
        resource["Properties"]["RouteKey"]
        for resource in template.source()["Resources"].values()
        if resource["Type"] == "AWS::ApiGatewayV2::Route" and "Condition" in resource
    }


def errors() -> set[tuple[str, int]]:
    """Code and status of every error that a function can answer with."""
    tree, found = [StsError], set()
    while tree:
        error = tree.pop()
        found.add((error.code, error.status))
        tree += error.__subclasses__()
    return found


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def error(code: str) -> str:
    return json.dumps({"error": code, "error_description": "Why.", "request_id": "r"})


def test_it_is_openapi() -> None:
    validate(document())


def test_its_routes_are_those_that_the_template_can_declare_with_the_same_proof() -> None:
    proofs = {route: PROOFS[kind] for route, kind in declared().items()}
    assert {route: found["security"] for route, found in operations().items()} == proofs


def test_a_route_that_a_stack_may_lack_may_be_not_found() -> None:
    assert {route for route, found in operations().items() if "404" in found["responses"]} == (
        optional()
    )


def test_its_error_codes_and_their_statuses_are_those_of_the_functions() -> None:
    schemas = COMPONENTS["schemas"]
    codes = {
        name: schema["properties"]["error"]["const"]
        for name, schema in schemas.items()
        if "const" in schema.get("properties", {}).get("error", {})
    }
    used = {
        (codes[name], status)
        for operation in [
            *operations().values(),
            {"responses": {"404": COMPONENTS["responses"]["NotFound"]}},
        ]
        for status, response in responses(operation).items()
        for reference in references(response)
        if (name := reference.rpartition("/")[2]) in codes
    }
    assert used == errors()
    assert set(codes.values()) == {code for code, _ in errors()}


def test_every_body_of_a_request_refuses_fields_that_are_not_listed() -> None:
    bodies = {
        body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for body in COMPONENTS["requestBodies"].values()
    }
    assert len(bodies) == len(COMPONENTS["requestBodies"])
    assert {name for name in bodies if COMPONENTS["schemas"][name]["additionalProperties"]} == set()


def test_every_component_is_used() -> None:
    used = references(document())
    names = {
        f"#/components/{kind}/{name}"
        for kind, components in COMPONENTS.items()
        for name in components
        if kind != "securitySchemes"
    }
    assert names == used


def test_its_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert document()["info"]["version"] == project["version"]


ANSWERS: dict[str, tuple[str, str, int, dict[str, str], str | None]] = {
    "a token": (
        "POST", "/token", 200, NO_STORE, json.dumps({**TOKEN, "expires_at": 1_795_000_000}),
    ),
    "a gateway's refusal": (
        "POST", "/token", 401,
        {"www-authenticate": "Bearer", "content-type": "application/json"},
        '{"message":"Unauthorized"}',
    ),
    "nothing": (
        "DELETE", "/token", 204, {"cache-control": "no-store", "pragma": "no-cache"}, None,
    ),
    "an unknown route": ("PATCH", "/nowhere", 404, NO_STORE, error("not_found")),
    "a wait": ("POST", "/token", 429, {**NO_STORE, "retry-after": "60"}, error("slow_down")),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_documented_conforms(name: str) -> None:
    conforms(*ANSWERS[name])


UNDOCUMENTED: dict[str, tuple[str, str, int, dict[str, str], str | None]] = {
    "another status": ("GET", "/health", 400, NO_STORE, error("invalid_request")),
    "a route that is not documented": ("GET", "/token", 200, NO_STORE, '{"status":"ok"}'),
    "another code for the status": ("POST", "/token", 400, NO_STORE, error("invalid_token")),
    "a field that is missing": ("POST", "/token", 200, NO_STORE, json.dumps(TOKEN)),
    "a field too many": ("GET", "/health", 200, NO_STORE, '{"status":"ok","version":"1"}'),
    "a header too many": (
        "GET", "/health", 200, {**NO_STORE, "x-powered-by": "us"}, '{"status":"ok"}',
    ),
    "a challenge that is missing": ("POST", "/token", 401, NO_STORE, error("invalid_token")),
    "a wait that is no number": (
        "POST", "/token", 429, {**NO_STORE, "retry-after": "soon"}, error("slow_down"),
    ),
    "a token that may be stored": (
        "GET", "/health", 200, {"content-type": "application/json"}, '{"status":"ok"}',
    ),
    "another type": (
        "GET", "/health", 200, {**NO_STORE, "content-type": "text/html"}, '{"status":"ok"}',
    ),
    "no JSON": ("GET", "/health", 200, NO_STORE, "<html>"),
    "no body": ("GET", "/health", 200, NO_STORE, None),
    "a body with 204": (
        "DELETE", "/token", 204, {"cache-control": "no-store", "pragma": "no-cache"}, "{}",
    ),
    "a guest's ticket for somebody else": (
        "POST", "/token", 200, NO_STORE,
        json.dumps({**TOKEN, "expires_at": 1_795_000_000, "guest_ticket": "g1"}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNDOCUMENTED)
def test_an_answer_that_is_not_documented_does_not_conform(name: str) -> None:
    with pytest.raises(Undocumented):
        conforms(*UNDOCUMENTED[name])
