"""Checks the body of the jwt-bearer grant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.local.coze.errors import OAuthRefusal, invalid_request
from tests.local.coze.records import AppKind

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEFAULT_DURATION_SECONDS = 900
MAX_DURATION_SECONDS = 86_399


@dataclass(frozen=True, kw_only=True)
class GrantRequest:
    """What the body asks for."""

    duration_seconds: int
    scope: Mapping[str, Any] | None


def parse(body: object, *, kind: AppKind) -> GrantRequest:
    """Read the JSON body sent by an app of this kind; raises OAuthRefusal."""
    if not isinstance(body, dict):
        raise invalid_request("body")
    if body.get("grant_type") != GRANT_TYPE:
        raise OAuthRefusal(
            "unsupported_grant_type", f"not supported grant type: {body.get('grant_type')}"
        )
    return GrantRequest(
        duration_seconds=_duration(body.get("duration_seconds")),
        scope=_scope(body.get("scope"), kind=kind),
    )


def _duration(value: object) -> int:
    if value is None:
        return DEFAULT_DURATION_SECONDS
    if type(value) is not int or not 1 <= value <= MAX_DURATION_SECONDS:
        raise invalid_request("duration_seconds")
    return value


def _scope(value: object, *, kind: AppKind) -> Mapping[str, Any] | None:
    """Channel apps only, both lists; whether an ordinary app may send one is not known: refuse."""
    if value is None:  # cozepy sends "scope": null
        return None
    if kind != "channel":
        raise invalid_request("scope")
    scope = _object(value, {"account_permission", "attribute_constraint"})
    _string_list(_object(scope["account_permission"], {"permission_list"})["permission_list"])
    constraint = _object(scope["attribute_constraint"], {"connector_bot_chat_attribute"})
    attribute = _object(constraint["connector_bot_chat_attribute"], {"bot_id_list"})
    _string_list(attribute["bot_id_list"])
    return scope


def bot_ids(scope: Mapping[str, Any] | None) -> list[str] | None:
    """The bots that a token of this scope may reach; None: every bot."""
    if scope is None:
        return None
    listed: list[str] = scope["attribute_constraint"]["connector_bot_chat_attribute"]["bot_id_list"]
    return listed


def _object(value: object, keys: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != keys:
        raise invalid_request("scope")
    return value


def _string_list(value: object) -> None:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
        raise invalid_request("scope")
