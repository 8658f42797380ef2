"""openapi.yaml, and whether an answer is one that it documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from tests.contract.markdown import ROOT

PATH = ROOT / "openapi.yaml"
OF_HTTP = {"connection", "content-length", "content-type", "date", "server"}
"""What any answer may have beside the headers that are documented."""


class Undocumented(AssertionError):
    """An answer that openapi.yaml does not have."""


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return loaded


def operations() -> dict[str, dict[str, Any]]:
    """Every operation by its route key, such as `POST /token`."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def responses(operation: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    return {int(status): resolved(answer) for status, answer in operation["responses"].items()}


def resolved(node: Mapping[str, Any]) -> Any:
    """The node itself, or what its $ref points at."""
    found: Any = node
    while "$ref" in found:
        parts, found = found["$ref"].removeprefix("#/").split("/"), document()
        for part in parts:
            found = found[part]
    return found


def faults(schema: Mapping[str, Any], value: object) -> list[str]:
    """What of `value` the schema refuses."""
    whole = {**schema, "components": document()["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def conforms(
    method: str,
    path: str,
    status: int,
    headers: Mapping[str, str],
    body: str | bytes | None,
) -> None:
    """Raises Undocumented where openapi.yaml does not have this answer of this route.

    `headers` are those of a function or those that a client received.
    """
    route = f"{method} {path}"
    operation = operations().get(route)
    known = responses(operation) if operation else {404: resolved(_NOT_FOUND)}
    if status not in known:
        raise Undocumented(f"{route} answers {status}, which is none of {sorted(known)}: {body!r}")
    small = {name.lower(): value for name, value in headers.items()}
    found = [*_body(known[status], small, body), *_headers(known[status], small)]
    if found:
        raise Undocumented(f"{route} answers {status} {dict(headers)} {body!r}: {'; '.join(found)}")


_NOT_FOUND = {"$ref": "#/components/responses/NotFound"}


def _body(response: Mapping[str, Any], headers: Mapping[str, str], body: Any) -> Iterator[str]:
    content = response.get("content")
    if not content:
        if body:
            yield "there must be no body"
        return
    ((media_type, described),) = content.items()
    if headers.get("content-type") != media_type:
        yield f"the body is not {media_type}"
    try:
        value = json.loads(body or "")
    except ValueError:
        yield "the body is not JSON"
        return
    yield from faults(described["schema"], value)
    if "message" not in value and headers.get("cache-control") != "no-store":
        yield "an answer of a function may not be stored"


def _headers(response: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[str]:
    described = {name.lower(): resolved(h) for name, h in response["headers"].items()}
    yield from (f"{name} is not documented" for name in headers.keys() - described.keys() - OF_HTTP)
    for name, header in described.items():
        if name in headers:
            yield from (f"{name}: {fault}" for fault in faults(header["schema"], headers[name]))
        elif header.get("required"):
            yield f"{name} is not there"
