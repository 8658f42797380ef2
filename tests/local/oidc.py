"""A small OIDC issuer that signs in anybody who says a name. For this machine only."""

import base64
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug import Request, Response

LIFETIME_SECONDS = 3600
USER = re.compile(r"[A-Za-z0-9._@+-]{1,64}")
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "content-type",
}


class OidcIssuer:
    """A WSGI app: discovery, key set, and ``POST /token`` with ``user=alice``.

    ``issuer`` is the URL it is served at, without a slash at the end; ``clock`` gives UNIX
    seconds.
    """

    def __init__(
        self, *, issuer: str, audience: str, clock: Callable[[], float] = time.time
    ) -> None:
        self.issuer = issuer
        self.audience = audience
        self.kid = secrets.token_hex(8)
        self.private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._clock = clock

    def id_token(self, user: str, **changed: Any) -> str:
        """A token of this user; ``changed`` replaces claims, and drops those that are None."""
        now = int(self._clock())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": user,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
            "email": f"{user}@example.com",
            "email_verified": True,
            "name": user.capitalize(),
            "groups": ["demo", "visitors"],
            **changed,
        }
        present = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(present, self.private_key, algorithm="RS256", headers={"kid": self.kid})

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI."""
        request = Request(environ)
        response = self._answer(request)
        response.headers.extend(CORS)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        match request.method, request.path:
            case "OPTIONS", _:
                return Response(status=204)
            case "GET", "/.well-known/openid-configuration":
                return _json(self._discovery())
            case "GET", "/jwks.json":
                return _json({"keys": [self._jwk()]})
            case "POST", "/token":
                return self._sign_in(request)
        return _json({"error": "not_found"}, status=404)

    def _sign_in(self, request: Request) -> Response:
        try:
            form = json.loads(request.get_data()) if request.is_json else request.form
            user, wanted = form["user"], form.get("format")
        except (ValueError, KeyError, TypeError, AttributeError):
            user, wanted = None, None
        if not isinstance(user, str) or not USER.fullmatch(user):
            return _json({"error": "invalid_request"}, status=400)
        token = self.id_token(user)
        if wanted == "text":  # so that a shell needs no JSON reader
            return Response(token, mimetype="text/plain")
        return _json({"id_token": token, "token_type": "Bearer", "expires_in": LIFETIME_SECONDS})

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/jwks.json",
            "token_endpoint": f"{self.issuer}/token",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _jwk(self) -> dict[str, str]:
        numbers = self.private_key.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": _base64url(numbers.n),
            "e": _base64url(numbers.e),
        }


def _base64url(number: int) -> str:
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _json(body: Mapping[str, Any], *, status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")
