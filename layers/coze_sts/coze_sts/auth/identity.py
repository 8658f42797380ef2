"""Request context → Caller: what API Gateway's authorizers proved about whoever calls. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from coze_sts.auth.session import Caller, begins_with, name_fault
from coze_sts.errors import AccessDenied, InvalidRequest, InvalidToken
from coze_sts.issuers import Issuer

_NOT_A_NAME = re.compile(
    r"[\[{].*|map\[.*|<nil>|null|true|false|NaN|[+-]?Inf"
    r"|[+-]?\d+\.\d+([eE][+-]?\d+)?|[+-]?\d+[eE][+-]?\d+",
    re.ASCII | re.DOTALL,
)


def user(
    request_context: Mapping[str, Any],
    *,
    session_claim: str,
    issuers: tuple[Issuer, ...] = (),
    reserved: tuple[str, ...] = (),
) -> Caller:
    """The signed-in visitor, from the claims that the JWT authorizer verified.

    With several `issuers` the later ones' prefix begins the name, and the first's users cannot
    have a name that begins with one that is `reserved`. Raises InvalidToken where no authorizer
    ran, AccessDenied where the claim cannot name a session.
    """
    claims = _authorizer(request_context, "jwt").get("claims")
    if not isinstance(claims, Mapping):
        raise InvalidToken("Sign in first: this route needs an OIDC token.")
    issuer = _issuer(claims.get("iss"), issuers)
    text = _claim_text(claims.get(session_claim))
    fault = _name_fault(text, prefix=issuer.prefix, reserved=reserved)
    if text is None or fault:
        raise AccessDenied(
            "Your sign-in does not name a session.",
            operator=f"Claim {session_claim} is absent or not fit to name a session: {fault}. "
            "See SESSION_CLAIM.",
        )
    return Caller(kind="user", name=issuer.prefix + text, issuer=issuer.url or None)


def iam_principal(request_context: Mapping[str, Any]) -> str:
    """The ARN of whom the IAM authorizer let in; raises InvalidToken where it did not run."""
    arn = _authorizer(request_context, "iam").get("userArn")
    if not isinstance(arn, str) or not arn:
        raise InvalidToken("Sign the request with AWS Signature Version 4: this route needs IAM.")
    return arn


def backend(*, session_name: str, device_id: str | None, custom_consumer: str | None) -> Caller:
    """The user for whom one of the site's own servers asks; raises InvalidRequest."""
    if device_id is not None and custom_consumer is not None:
        raise InvalidRequest("Send device_id or custom_consumer, not both.")
    named = {
        "session_name": session_name,
        "device_id": device_id,
        "custom_consumer": custom_consumer,
    }
    for field, value in named.items():
        if value is not None and (fault := name_fault(value)):
            raise InvalidRequest(f"{field} {fault}.")
    return Caller(
        kind="backend", name=session_name, device_id=device_id, custom_consumer=custom_consumer
    )


def _authorizer(request_context: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    authorizer = request_context.get("authorizer")
    found = authorizer.get(kind) if isinstance(authorizer, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _issuer(iss: object, issuers: tuple[Issuer, ...]) -> Issuer:
    """Who signed; with a single issuer the authorizer itself is the proof."""
    if len(issuers) < 2:
        return issuers[0] if issuers else Issuer(url="")
    for issuer in issuers:
        if issuer.url == iss:
            return issuer
    raise AccessDenied(
        "Your sign-in is not accepted here.",
        operator="The claim iss is none of OIDC_ISSUER, OIDC_ISSUER_2 and OIDC_ISSUER_3: they "
        "must equal it to the letter.",
    )


def _name_fault(text: str | None, *, prefix: str, reserved: tuple[str, ...]) -> str | None:
    if text is None:
        return "absent, or neither a string nor an integer"
    if fault := name_fault(text) or (prefix and name_fault(prefix + text)):
        return fault
    if not prefix and begins_with(text, *reserved):
        return "it begins with a prefix that is reserved for another way in"
    return None


def _claim_text(value: object) -> str | None:
    """A string or an integer as text.

    API Gateway hands every claim on as text: a list as `[a b]`, an object as `map[a:b]` or JSON,
    null as `<nil>`, a large number as `1.2e+19`. Such a text could stand for many people at once,
    so it names nobody.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or _NOT_A_NAME.fullmatch(value):
        return None
    return value
