"""What a liar would show at the doors: tickets and sign-in tokens that nobody may believe. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from coze_sts.auth.guest import TicketOffice
from coze_sts.issuers import Issuer

LIFETIME_SECONDS = 300
NO_MAC = "A" * 43
"""An HMAC-SHA256 of zeros, as a ticket writes it."""


def new_key() -> RSAPrivateKey:
    """A key that no issuer has; slow, so it is made once."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def foreign_ticket(*, now: float, random_bytes: Callable[[int], bytes]) -> str:
    """A guest's ticket as another stack would sign it."""
    office = TicketOffice(
        keys={"1": random_bytes(32)},
        newest="1",
        audience="another stack",
        random_bytes=random_bytes,
    )
    return office.admit(None, now=now).ticket


def forged_ticket(*, now: float, random_bytes: Callable[[int], bytes]) -> str:
    """A guest's ticket that nobody signed."""
    ticket = foreign_ticket(now=now, random_bytes=random_bytes)
    return f"{ticket.rpartition('.')[0]}.{NO_MAC}"


def claims(issuer: Issuer, *, name: str, session_claim: str, now: float) -> dict[str, object]:
    """What a sign-in of `name` with this issuer says; times in UNIX seconds."""
    return {
        "iss": issuer.url,
        "aud": issuer.audiences[0] if issuer.audiences else "",
        "sub": name,
        session_claim: name,
        "iat": int(now),
        "exp": int(now) + LIFETIME_SECONDS,
    }


def unsigned(claims: Mapping[str, object], *, kid: str) -> str:
    """A sign-in token of `alg` none (RFC 8725 section 2.1) that is right in all else."""
    return jwt.encode(dict(claims), "", algorithm="none", headers={"kid": kid})


def signed_with(key: RSAPrivateKey, claims: Mapping[str, object], *, kid: str) -> str:
    """A sign-in token that names the key `kid` and is signed with another."""
    return jwt.encode(dict(claims), key, algorithm="RS256", headers={"kid": kid})
