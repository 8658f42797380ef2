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
from coze_sts.cache.store import Row
from coze_sts.keyring import Keyring, Purpose

SALT_BYTES = 16
NONCE_BYTES = 12


def seal(
    token: AccessToken,
    *,
    pk: str,
    keyring: Keyring,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Row:
    """The row that holds `token`; `ct` is salt ‖ nonce ‖ ciphertext and tag."""
    ek, salt, nonce = keyring.newest, random_bytes(SALT_BYTES), random_bytes(NONCE_BYTES)
    cipher = AESGCM(keyring.derive(Purpose.ROW, key_id=ek, salt=salt))
    associated = _associated_data(pk, ek, token)
    return Row(
        pk=pk,
        ct=salt + nonce + cipher.encrypt(nonce, token.value.encode(), associated),
        ek=ek,
        kid=token.kid,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        refresh_at=token.refresh_at,
        forced=token.forced,
    )


def unseal(row: Row, *, pk: str, keyring: Keyring) -> AccessToken | None:
    """The token in `row`, or None where any of it was altered or its key is unknown."""
    token = AccessToken(
        value="",
        kid=row.kid,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        refresh_at=row.refresh_at,
        forced=row.forced,
    )
    salt, rest = row.ct[:SALT_BYTES], row.ct[SALT_BYTES:]
    try:
        cipher = AESGCM(keyring.derive(Purpose.ROW, key_id=row.ek, salt=salt))
        value = cipher.decrypt(
            rest[:NONCE_BYTES], rest[NONCE_BYTES:], _associated_data(pk, row.ek, token)
        )
    except (InvalidTag, KeyError, ValueError):
        return None
    return replace(token, value=value.decode())


def _associated_data(pk: str, ek: str, token: AccessToken) -> bytes:
    return json.dumps(
        [pk, ek, token.kid, token.issued_at, token.expires_at, token.refresh_at, token.forced]
    ).encode()
