"""The name of a key that an issuer signs with: a liar reads it from the same public place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coze_sts.web import NoAnswer, send

if TYPE_CHECKING:
    from urllib3 import PoolManager

DISCOVERY = "/.well-known/openid-configuration"
"""OpenID Connect Discovery 1.0, section 4."""


def signing_kid(http: PoolManager, issuer: str, *, seconds: float) -> str | None:
    """The `kid` of the issuer's first RSA key; None where it cannot be read."""
    try:
        discovered = _object(http, issuer.rstrip("/") + DISCOVERY, seconds=seconds)
        keys = _object(http, str(discovered.get("jwks_uri")), seconds=seconds).get("keys")
    except NoAnswer:
        return None
    for key in keys if isinstance(keys, list) else []:
        if isinstance(key, dict) and key.get("kty") == "RSA" and isinstance(key.get("kid"), str):
            return str(key["kid"])
    return None


def _object(http: PoolManager, url: str, *, seconds: float) -> dict[str, object]:
    answer = send(http, method="GET", url=url, seconds=seconds)
    return (answer.json_object() or {}) if answer.status == 200 else {}
