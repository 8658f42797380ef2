"""A private key out of PEM text, and what it signs.

Loaded for the first signature: a hit in the cache needs none.
"""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from coze_sts.errors import UnusableKey

MIN_KEY_BITS = 2048


def load_private_key(pem: str) -> RSAPrivateKey:
    r"""Parses PKCS#8 or PKCS#1 PEM, also with `\n` escaped, with CRLF or cut line ends.

    Raises UnusableKey for anything but an RSA private key of 2048 bits or more.
    """
    text = pem.replace("\\r", "").replace("\\n", "\n").replace("\r", "").strip() + "\n"
    if "PUBLIC KEY" in text or "CERTIFICATE" in text:
        raise UnusableKey("private_key in COZE_SECRET_ID is a public key: use the private one.")
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except TypeError:
        raise UnusableKey(
            "private_key in COZE_SECRET_ID is locked with a passphrase: store it without one."
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKey(
            "private_key in COZE_SECRET_ID is not a PEM private key: copy the whole file, with "
            "its BEGIN and END lines."
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise UnusableKey("private_key in COZE_SECRET_ID is not an RSA key: Coze uses RS256.")
    if key.key_size < MIN_KEY_BITS:
        raise UnusableKey(
            f"private_key in COZE_SECRET_ID is shorter than {MIN_KEY_BITS} bits: make a new one."
        )
    return key


def sign(message: bytes, *, key: RSAPrivateKey) -> bytes:
    """Signs as RS256 does: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3)."""
    return key.sign(message, PKCS1v15(), SHA256())
