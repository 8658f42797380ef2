"""Secrets that nobody uses, made when they are needed: none stands in a file of this repository."""

from __future__ import annotations

import base64
import random
import string
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

LETTERS = string.ascii_letters + string.digits
PREFIXES = ["pat_", "sat_", "cztei_", "czs_"]
FORMATS = {
    "PKCS #8": serialization.PrivateFormat.PKCS8,
    "PKCS #1": serialization.PrivateFormat.TraditionalOpenSSL,
}


def letters(count: int, *, seed: int = 1) -> str:
    return "".join(random.Random(seed).choices(LETTERS, k=count))


def token(prefix: str = "pat_", *, seed: int = 1, length: int = 64) -> str:
    return prefix + letters(length, seed=seed)


@cache
def pem(form: str = "PKCS #8") -> str:
    return _pem(_rsa_key(), FORMATS[form], serialization.NoEncryption())


@cache
def other_pem(kind: str) -> str:
    no_password, password = (
        serialization.NoEncryption(),
        serialization.BestAvailableEncryption(b"0"),
    )
    pkcs8 = FORMATS["PKCS #8"]
    makers = {
        "Ed25519": lambda: _pem(ed25519.Ed25519PrivateKey.generate(), pkcs8, no_password),
        "EC": lambda: _pem(ec.generate_private_key(ec.SECP256R1()), pkcs8, no_password),
        "OpenSSH": lambda: _pem(_rsa_key(), serialization.PrivateFormat.OpenSSH, no_password),
        "with a password": lambda: _pem(_rsa_key(), pkcs8, password),
        "PKCS #1 with a password": lambda: _pem(_rsa_key(), FORMATS["PKCS #1"], password),
    }
    return makers[kind]()


@cache
def public_pem() -> str:
    return (
        _rsa_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


@cache
def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(
    key: PrivateKeyTypes,
    form: serialization.PrivateFormat,
    protection: serialization.KeySerializationEncryption,
) -> str:
    return key.private_bytes(serialization.Encoding.PEM, form, protection).decode()


def body(text: str) -> str:
    """A key without its frame, on one line."""
    return "".join(text.splitlines()[1:-1])


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
