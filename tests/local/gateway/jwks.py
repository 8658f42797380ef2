"""The keys of an OIDC issuer, found as API Gateway finds them: by its discovery document."""

import json
import urllib.error
import urllib.request
from typing import Any

import jwt

TIMEOUT_SECONDS = 5
# The issuer is on this machine: a proxy of the developer's network has no way to it.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class IssuerUnreachable(Exception):
    """Discovery or key set could not be read."""


def fetch_keys(issuer: str) -> dict[str, jwt.PyJWK]:
    """The issuer's signing keys by kid; raises IssuerUnreachable."""
    discovery = _fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    try:
        keys = jwt.PyJWKSet.from_dict(_fetch(discovery["jwks_uri"])).keys
    except (KeyError, jwt.PyJWTError) as fault:
        raise IssuerUnreachable(f"{issuer} publishes no usable keys") from fault
    return {key.key_id: key for key in keys if key.key_id}


def _fetch(url: str) -> dict[str, Any]:
    try:
        with _opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
            document: dict[str, Any] = json.load(answer)
    except (OSError, ValueError) as fault:
        raise IssuerUnreachable(f"cannot read {url}") from fault
    return document
