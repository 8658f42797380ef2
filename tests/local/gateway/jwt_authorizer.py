"""The JWT authorizer of an HTTP API.

docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from tests.local.gateway.errors import UNAUTHORIZED, GatewayRefusal
from tests.local.gateway.jwks import IssuerUnreachable, fetch_keys

ALGORITHMS = ["RS256", "RS384", "RS512"]
# What API Gateway checks is checked below; of sub and jti it checks nothing.
UNCHECKED = {f"verify_{name}": False for name in ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")}


@dataclass(frozen=True, kw_only=True)
class JwtConfiguration:
    """The JwtConfiguration of an AWS::ApiGatewayV2::Authorizer."""

    issuer: str
    audience: tuple[str, ...]


class JwtAuthorizer:
    """Verifies the token in the Authorization header of a request."""

    def __init__(self, configuration: JwtConfiguration) -> None:
        self._configuration = configuration
        self._keys: dict[str, jwt.PyJWK] = {}
        self._lock = threading.Lock()

    def authorize(self, authorization: str, *, now: float) -> dict[str, Any]:
        """The ``authorizer`` block of the event; ``now`` in UNIX seconds. Raises GatewayRefusal."""
        token = authorization.removeprefix("Bearer ").strip()
        if not token:
            raise GatewayRefusal(UNAUTHORIZED, why="no token", www_authenticate="Bearer")
        claims = self._verified(token)
        self._check(claims, now=now)
        return {
            "jwt": {
                "claims": {name: stringify(value) for name, value in claims.items()},
                "scopes": None,
            }
        }

    def _verified(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise _invalid("the token has an invalid signing algorithm")
            key = self._key(header.get("kid", ""))
            claims = jwt.decode(token, key, algorithms=ALGORITHMS, options=UNCHECKED)
            json.dumps(claims, allow_nan=False)  # Python reads NaN and 1e400, and JSON has neither
        except jwt.InvalidSignatureError:
            raise _invalid("the token has an invalid signature") from None
        except (jwt.InvalidTokenError, ValueError):
            raise _invalid("the token is malformed") from None
        return claims

    def _key(self, kid: str) -> jwt.PyJWK:
        with self._lock:
            try:
                if kid not in self._keys:
                    self._keys = fetch_keys(self._configuration.issuer)
            except IssuerUnreachable as fault:
                raise _invalid(f"OIDC discovery endpoint communication error: {fault}") from None
            if kid not in self._keys:
                raise _invalid("the token's kid is not among the issuer's keys")
            return self._keys[kid]

    def _check(self, claims: Mapping[str, Any], *, now: float) -> None:
        if claims.get("iss") != self._configuration.issuer:
            raise _invalid("the token does not have a valid issuer")
        # client_id counts only where aud is not there.
        audience = claims.get("aud", claims.get("client_id"))
        audiences = audience if isinstance(audience, list) else [audience]
        if not set(self._configuration.audience) & {a for a in audiences if isinstance(a, str)}:
            raise _invalid("the token does not have a valid audience")
        if not _number(claims.get("exp")) or claims["exp"] <= now:
            raise _invalid("the token has expired")
        for name in ("nbf", "iat"):
            if name in claims and (not _number(claims[name]) or claims[name] > now):
                raise _invalid("the token is not valid yet")


def stringify(value: object) -> str:
    """A claim as functions get it: always a string, written as Go prints it."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return str(value).lower()
        case list():
            return f"[{' '.join(stringify(item) for item in value)}]"
        case dict():
            return f"map[{' '.join(f'{k}:{stringify(v)}' for k, v in sorted(value.items()))}]"
    return str(value)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _invalid(why: str) -> GatewayRefusal:
    return GatewayRefusal(
        UNAUTHORIZED,
        why=why,
        www_authenticate=f'Bearer scope="" error="invalid_token" error_description="{why}"',
    )
