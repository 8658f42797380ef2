"""The issuers of sign-ins, as API Gateway looks at them: discovery, then the keys."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from coze_sts.doctor.report import Finding, found
from coze_sts.doctor.wire import Wire
from coze_sts.issuers import ISSUER
from coze_sts.web import NoAnswer

DISCOVERY = "/.well-known/openid-configuration"
NO_JSON = "no JSON"


class Unreachable(Exception):
    """No JSON object came. The text is the status, or the class of what went wrong."""


def check(wire: Wire, *, issuer: str) -> Finding:
    """What of the issuer is wrong, the first thing only."""
    try:
        discovery = _object(wire, issuer.rstrip("/") + DISCOVERY)
    except Unreachable as cause:
        return found("oidc.unreachable", issuer=issuer, cause=str(cause))
    if discovery.get("issuer") != issuer:
        return found("oidc.differs", issuer=issuer, said=_shown(discovery.get("issuer")))
    try:
        key_set = _object(wire, _jwks_uri(discovery, issuer))
    except Unreachable as cause:
        return found("oidc.jwks_unreachable", issuer=issuer, cause=str(cause))
    return found("oidc.sound" if has_usable_key(key_set) else "oidc.no_keys", issuer=issuer)


def has_usable_key(key_set: dict[str, Any]) -> bool:
    """Whether there is an RSA key for RS256 signatures, with a kid to find it by (RFC 7517)."""
    keys = key_set.get("keys")
    return any(
        isinstance(key, dict)
        and key.get("kty") == "RSA"
        and key.get("alg", "RS256") == "RS256"
        and key.get("use", "sig") == "sig"
        and bool(key.get("kid"))
        for key in (keys if isinstance(keys, list) else [])
    )


def _jwks_uri(discovery: dict[str, Any], issuer: str) -> str:
    """Only what is as well protected as the issuer itself is fetched."""
    uri = discovery.get("jwks_uri")
    if not isinstance(uri, str) or urlsplit(uri).scheme not in {"https", urlsplit(issuer).scheme}:
        raise Unreachable("jwks_uri")
    return uri


def _object(wire: Wire, url: str) -> dict[str, Any]:
    try:
        answer = wire.send("GET", url)
    except NoAnswer as cause:
        raise Unreachable(str(cause)) from None
    if answer.status != 200:
        raise Unreachable(str(answer.status))
    body = answer.json_object()
    if body is None:
        raise Unreachable(NO_JSON)
    return body


def _shown(said: object) -> str:
    """What a stranger's server says is repeated only where it could be an issuer."""
    return said if isinstance(said, str) and ISSUER.fullmatch(said) else "?"
