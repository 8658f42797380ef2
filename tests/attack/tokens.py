"""Sign-in tokens as an attacker writes them: any header, any payload, any signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.local.oidc import OidcIssuer

Sign = Callable[[bytes], bytes]


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value: object) -> str:
    """Text stands for itself, so that a test can write what no JSON library would."""
    return encoded((value if isinstance(value, str) else json.dumps(value)).encode())


def claims(issuer: OidcIssuer, **changed: Any) -> dict[str, Any]:
    """Those of a visitor whom the issuer would sign in."""
    now = int(time.time())
    return {
        "iss": issuer.issuer,
        "aud": issuer.audience,
        "sub": "victim",
        "iat": now,
        "exp": now + 600,
        **changed,
    }


def text_of(claimed: Mapping[str, Any], **written: str) -> str:
    """The claims as JSON text, and behind them `written`, a value as it is."""
    head = json.dumps(claimed)[:-1]
    return head + "".join(f',"{name}":{value}' for name, value in written.items()) + "}"


def rs256(key: rsa.RSAPrivateKey) -> Sign:
    return lambda data: key.sign(data, padding.PKCS1v15(), SHA256())


def rs512(key: rsa.RSAPrivateKey) -> Sign:
    return lambda data: key.sign(data, padding.PKCS1v15(), SHA512())


def ps256(key: rsa.RSAPrivateKey) -> Sign:
    return lambda data: key.sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())


def es256(data: bytes) -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).sign(data, ec.ECDSA(SHA256()))


def hs256(secret: bytes) -> Sign:
    return lambda data: hmac.digest(secret, data, hashlib.sha256)


def unsigned(_: bytes) -> bytes:
    return b""


@cache
def own_key() -> rsa.RSAPrivateKey:
    """The attacker's."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(issuer: OidcIssuer) -> bytes:
    form = PublicFormat.SubjectPublicKeyInfo
    return issuer.private_key.public_key().public_bytes(Encoding.PEM, form)


def public_jwk(key: rsa.RSAPrivateKey, *, kid: str) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {
        "kty": "RSA",
        "kid": kid,
        "n": encoded(numbers.n.to_bytes(256, "big")),
        "e": encoded(numbers.e.to_bytes(3, "big")),
    }


def forged(
    issuer: OidcIssuer, *, header: object = None, payload: object = None, sign: Sign | None = None
) -> str:
    """A token that the issuer could have made, but for what is given.

    A `header` that is a mapping changes the issuer's own; None in it takes a field out.
    """
    fields: object = {"alg": "RS256", "typ": "JWT", "kid": issuer.kid}
    if isinstance(header, Mapping):
        fields = {k: v for k, v in {**fields, **header}.items() if v is not None}  # type: ignore[dict-item]
    elif header is not None:
        fields = header
    signed = f"{part(fields)}.{part(claims(issuer) if payload is None else payload)}"
    return f"{signed}.{encoded((sign or rs256(issuer.private_key))(signed.encode()))}"
