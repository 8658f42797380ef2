"""Sign-ins that nobody signed, or that name nobody: none may come past the gateway or the claim."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Collection

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.crowd.door import Call
from tests.crowd.false_tickets import ticket_of
from tests.crowd.person import Person
from tests.crowd.place import Entrance
from tests.crowd.tickets import guest_of
from tests.crowd.visits import mini_program_session, origin, session_of
from tests.local.oidc import OidcIssuer

OWN_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed_by_oneself(person: Person) -> None:
    """The victim's claims under one's own key, which is said to be the issuer's."""
    forged = jwt.encode(_claims(person), OWN_KEY, algorithm="RS256", headers=_header(person))
    _try(person, forged, how="signed by oneself")


def not_signed(person: Person) -> None:
    """Algorithm none."""
    forged = jwt.encode(_claims(person), "", algorithm="none", headers=_header(person))
    _try(person, forged, how="not signed")


def signed_with_the_public_key(person: Person) -> None:
    """The issuer's public key as the secret of an HMAC."""
    public = _issuer(person).private_key.public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": "JWT"} | _header(person)
    signed = f"{_part(header)}.{_part(_claims(person))}"
    mac = hmac.digest(secret, signed.encode(), hashlib.sha256)
    _try(person, f"{signed}.{_base64url(mac)}", how="signed with the public key")


def edited(person: Person) -> None:
    """One's own sign-in with the victim's name in it."""
    header, _, signature = _issuer(person).id_token(person.name).split(".")
    _try(person, f"{header}.{_part(_claims(person))}.{signature}", how="edited")


def expired(person: Person) -> None:
    """The victim's, found too late."""
    now = int(time.time())
    token = _issuer(person).id_token(person.neighbour().name, iat=now - 7200, exp=now - 60)
    _try(person, token, how="expired")


def for_another_site(person: Person) -> None:
    """The victim's, for another audience."""
    token = _issuer(person).id_token(person.neighbour().name, aud="another-site")
    _try(person, token, how="for another site")


def of_another_issuer(person: Person) -> None:
    """Signed by the issuer's key, in another's name."""
    token = _issuer(person).id_token(person.neighbour().name, iss="https://login.example.org")
    _try(person, token, how="of another issuer")


def at_the_wrong_entrance(person: Person) -> None:
    """A real sign-in with one issuer where the other's is asked for."""
    first, second = person.rng.sample(person.place.entrances, 2)
    _try(person, first.issuer.id_token(person.name), at=second, how="at the wrong entrance")


def in_a_reserved_name(person: Person) -> None:
    """A real sign-in under a name that belongs to another way in."""
    victim = person.neighbour()
    name = person.rng.choice(
        [
            guest_of(ticket_of(victim)),
            session_of(victim, at=person.place.entrances[1]).name,
            mini_program_session(victim).name,
        ]
    )
    first = person.place.entrances[0]
    token = first.issuer.id_token(str(name))
    _try(person, token, at=first, how="in a reserved name", refusals={403})


def in_the_name_of_several(person: Person) -> None:
    """A real sign-in with a list for a name."""
    token = _issuer(person).id_token(person.name, sub=[person.neighbour().name])
    _try(person, token, how="in the name of several", refusals={401, 403})


def with_a_ticket(person: Person) -> None:
    """A guest's ticket where a sign-in should be."""
    _try(person, ticket_of(person), how="with a ticket")


def _try(
    person: Person,
    token: str,
    *,
    how: str,
    at: Entrance | None = None,
    refusals: Collection[int] = (401,),
) -> None:
    headers = origin(person) | {"Authorization": f"Bearer {token}"}
    call = Call(route=f"POST {(at or person.place.entrances[0]).path}", headers=headers)
    person.intrude(call, refusals=refusals, how=f"a sign-in {how}")


def _issuer(person: Person) -> OidcIssuer:
    return person.place.entrances[0].issuer


def _claims(person: Person) -> dict[str, object]:
    """Those of the victim."""
    real = _issuer(person).id_token(person.neighbour().name)
    claims: dict[str, object] = jwt.decode(real, options={"verify_signature": False})
    return claims


def _header(person: Person) -> dict[str, str]:
    return {"kid": _issuer(person).kid}


def _part(value: object) -> str:
    return _base64url(json.dumps(value).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
