"""Encryption of a row: AES-256-GCM with a key of its own for each write.

The table's reader learns no token, and its writer can neither swap, extend nor plant one: every
attribute that matters is authenticated with the ciphertext.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from coze_sts.access_token import AccessToken
from coze_sts.cache.row import Sealed
from coze_sts.keyring import Keyring, Purpose

SALT_BYTES = 16
NONCE_BYTES = 12


def seal(
    token: AccessToken,
    *,
    pk: str,
    keyring: Keyring,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Sealed:
    """What a row holds of `token`; `ct` is salt ‖ nonce ‖ ciphertext and tag."""
    ek, salt, nonce = keyring.newest, random_bytes(SALT_BYTES), random_bytes(NONCE_BYTES)
    cipher = AESGCM(keyring.derive(Purpose.ROW, key_id=ek, salt=salt))
    associated = _associated_data(pk, ek, token)
    return Sealed(
        ct=salt + nonce + cipher.encrypt(nonce, token.value.encode(), associated),
        ek=ek,
        kid=token.kid,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        refresh_at=token.refresh_at,
        forced=token.forced,
    )


def unseal(sealed: Sealed, *, pk: str, keyring: Keyring) -> AccessToken | None:
    """The token that was sealed under `pk`; None if anything was altered or its key is unknown."""
    token = AccessToken(
        value="",
        kid=sealed.kid,
        issued_at=sealed.issued_at,
        expires_at=sealed.expires_at,
        refresh_at=sealed.refresh_at,
        forced=sealed.forced,
    )
    salt, rest = sealed.ct[:SALT_BYTES], sealed.ct[SALT_BYTES:]
    try:
        cipher = AESGCM(keyring.derive(Purpose.ROW, key_id=sealed.ek, salt=salt))
        value = cipher.decrypt(
            rest[:NONCE_BYTES], rest[NONCE_BYTES:], _associated_data(pk, sealed.ek, token)
        )
    except (InvalidTag, KeyError, ValueError):
        return None
    return replace(token, value=value.decode())


def _associated_data(pk: str, ek: str, token: AccessToken) -> bytes:
    return json.dumps(
        [pk, ek, token.kid, token.issued_at, token.expires_at, token.refresh_at, token.forced]
    ).encode()
