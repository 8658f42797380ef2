"""Checks an assertion as Coze does: everything its documents and its four SDKs are sure of."""

from collections.abc import Mapping
from typing import Any

import jwt

from tests.local.coze.errors import OAuthRefusal, invalid_client, invalid_request
from tests.local.coze.records import App, Assertion

BEARER = "Bearer "
# Coze's SDKs for Go and Java sign assertions that live as long as the token, up to a day.
MAX_LIFETIME_SECONDS = 86_400
CLOCK_SKEW_SECONDS = 60


def verify(*, authorization: str, host: str, apps: Mapping[str, App], now: float) -> Assertion:
    """Verify the assertion in an Authorization header sent to ``host`` at ``now`` (UNIX seconds).

    Raises OAuthRefusal, as Coze would word it. Single use of ``jti`` is the caller's to check.
    """
    token = _bearer(authorization)
    app = _app(token, apps)
    claims = _signed_claims(token, app)
    _check_parties(claims, app=app, host=host)
    _check_times(claims, now=now)
    return Assertion(
        client_id=app.client_id,
        kid=app.kid,
        kind=app.kind,
        jti=_jti(claims),
        iat=claims["iat"],
        exp=claims["exp"],
        session_name=_session_name(claims),
        session_context=_session_context(claims),
    )


def peek_jti(authorization: str) -> tuple[str, str] | None:
    """(iss, jti) of an assertion that nobody has verified; None where there is none."""
    try:
        claims = jwt.decode(_bearer(authorization), options={"verify_signature": False})
        return str(claims["iss"]), str(claims["jti"])
    except (OAuthRefusal, jwt.InvalidTokenError, KeyError):
        return None


def _bearer(authorization: str) -> str:
    if not authorization.startswith(BEARER):
        raise invalid_client("jwt is required in the Authorization header")
    return authorization.removeprefix(BEARER).strip()


def _app(token: str, apps: Mapping[str, App]) -> App:
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise invalid_client("jwt is malformed") from None
    if header.get("alg") != "RS256" or header.get("typ") != "JWT":
        raise invalid_client("jwt header is invalid: alg must be RS256 and typ must be JWT")
    app = apps.get(header.get("kid", ""))
    if app is None:  # a key of coze.cn sent to coze.com ends here too
        raise invalid_client("kid not been registred")  # sic: Coze spells it so
    return app


def _signed_claims(token: str, app: App) -> dict[str, Any]:
    unchecked = dict.fromkeys(
        ("verify_exp", "verify_iat", "verify_nbf", "verify_aud", "verify_iss", "verify_jti"), False
    )
    try:
        return jwt.decode(token, app.public_key, algorithms=["RS256"], options=unchecked)
    except jwt.InvalidTokenError:
        raise invalid_client("jwt signature is invalid") from None


def _check_parties(claims: Mapping[str, Any], *, app: App, host: str) -> None:
    if claims.get("iss") != app.client_id:
        raise invalid_client("iss is not the app that the key belongs to")
    if claims.get("aud") != host:
        raise invalid_client(f"aud must be {host}")


def _check_times(claims: Mapping[str, Any], *, now: float) -> None:
    iat, exp = claims.get("iat"), claims.get("exp")
    if type(iat) is not int or type(exp) is not int:
        raise invalid_client("iat and exp must be integers")
    if iat > now + CLOCK_SKEW_SECONDS:
        raise invalid_client("jwt is issued in the future")
    if exp <= now:
        raise invalid_client("jwt is expired")
    if not iat < exp <= iat + MAX_LIFETIME_SECONDS:
        raise invalid_client("exp is out of range")


def _jti(claims: Mapping[str, Any]) -> str:
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti:
        raise invalid_client("jti is required")
    return jti


def _session_name(claims: Mapping[str, Any]) -> str | None:
    name = claims.get("session_name")
    if name is not None and not isinstance(name, str):
        raise invalid_request("session_name")
    return name


def _session_context(claims: Mapping[str, Any]) -> Mapping[str, Any] | None:
    context = claims.get("session_context")
    if context is None:
        return None
    parts = _object(context, "session_context", {"device_info", "connector_info"})
    if "device_info" in parts:
        device = _object(parts["device_info"], "device_info", {"device_id", "custom_consumer"})
        if len(device) != 1 or not all(isinstance(value, str) for value in device.values()):
            raise invalid_request("device_info takes one of device_id and custom_consumer")
    if "connector_info" in parts:
        connector = _object(parts["connector_info"], "connector_info", {"connector_id"})
        if not isinstance(connector.get("connector_id"), str):
            raise invalid_request("connector_info.connector_id")
    return parts


def _object(value: object, name: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.keys() <= known:
        raise invalid_request(name)
    return value
