"""Coze's two error shapes: one of the token endpoint, one of every other endpoint."""

from collections.abc import Mapping
from typing import Any

OAUTH_STATUS = {
    "invalid_request": 400,
    "unsupported_grant_type": 400,
    "invalid_client": 401,
    "access_deny": 403,
    "internal_error": 500,
}


class OAuthRefusal(Exception):
    """The token endpoint refuses; ``code`` is one of OAUTH_STATUS."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.status = OAUTH_STATUS[code]
        self.body = {"error_code": code, "error_message": message, "error": code}


class ApiRefusal(Exception):
    """Any other endpoint refuses; ``code`` is a number of Coze's own list."""

    def __init__(self, *, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def invalid_request(parameter: str) -> OAuthRefusal:
    """The refusal of a parameter, in Coze's words."""
    return OAuthRefusal("invalid_request", f"invalid request: {parameter}")


def invalid_client(why: str) -> OAuthRefusal:
    """The refusal of an assertion."""
    return OAuthRefusal("invalid_client", why)


def bad_request(message: str) -> ApiRefusal:
    """The refusal of a parameter of any other endpoint."""
    return ApiRefusal(status=400, code=4000, message=message)


def not_found() -> ApiRefusal:
    """The refusal of what is not there, or not there for this caller: one and the same."""
    return ApiRefusal(status=404, code=4200, message="the requested resource does not exist")


def envelope(
    *, code: int, message: str, fields: Mapping[str, Any], logid: str
) -> Mapping[str, Any]:
    """The body of every API answer, good or bad."""
    return {**fields, "code": code, "msg": message, "detail": {"logid": logid}}
