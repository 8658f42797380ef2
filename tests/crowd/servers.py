"""What the site's own servers ask for, on behalf of any user, who may be there at the time."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.crowd.door import Call, CutOff, fetch
from tests.crowd.person import Person
from tests.crowd.referee import Whose, whose
from tests.crowd.tickets import body_of
from tests.crowd.visits import mini_program_session, session_of
from tests.local.coze.grant import GRANT_TYPE

POPULAR = 5
"""Servers ask for these people most of all, so that many want one session at once."""


@dataclass(frozen=True, kw_only=True)
class Errand:
    """Whose token a server wants, and how it says so."""

    owner: Whose
    fields: Mapping[str, str]

    def call(self, route: str, person: Person, **more: str) -> Call:
        """The request, signed by this person's server."""
        body = body_of(**self.fields, **more)
        return Call(route=route, body=body, signer=person.place.backend)


def serve_user(person: Person) -> None:
    """A server asks for a user's token."""
    errand = _errand(person)
    call = errand.call("POST /backend/token", person, **person.digest(errand.owner))
    person.get_token(call, owner=errand.owner)


def forget_user(person: Person) -> None:
    """A server has a user's token forgotten."""
    person.get(_errand(person).call("DELETE /backend/token", person))


def exchange_alone(person: Person) -> None:
    """A server exchanges an assertion by itself; it works once."""
    errand = _errand(person)
    call = errand.call("POST /backend/assertion", person)
    signed = person.get(call)
    grant = _exchange(signed.body) if signed else None
    if signed is None or grant is None:
        return
    person.note(
        grant["access_token"],
        owner=errand.owner,
        route=call.route,
        at=time.time(),
        expires_at=grant["expires_in"],  # Coze's is a time
        worker=signed.worker,
    )
    if _exchange(signed.body):
        person.place.notes.odd.append("an assertion worked twice")


def _exchange(signed: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What Coze grants for an assertion; None where it refuses, or fails."""
    body = json.dumps({"grant_type": GRANT_TYPE}).encode()
    proof = {"Authorization": f"Bearer {signed['assertion']}", "Content-Type": "application/json"}
    try:
        answer = fetch("POST", signed["token_endpoint"], headers=proof, body=body)
        grant: dict[str, Any] = json.loads(answer.body)
        good = type(grant["expires_in"]) is int and isinstance(grant["access_token"], str)
    except (CutOff, ValueError, KeyError, TypeError):
        return None
    return grant if good else None


def _errand(person: Person) -> Errand:
    """For one of the popular, or a neighbour, wherever they sign in; now and then on a device."""
    popular = person.rng.random() < 0.4
    named = person.rng.choice(person.neighbours[:POPULAR] if popular else person.neighbours)
    first, second = person.place.entrances
    owner = person.rng.choice(
        [session_of(named, at=first)] * 6
        + [session_of(named, at=second), mini_program_session(named)]
    )
    fields = {"session_name": str(owner.name)}
    if person.rng.random() > 0.15:
        return Errand(owner=owner, fields=fields)
    device = {person.rng.choice(("device_id", "custom_consumer")): f"d-{person.rng.randrange(2)}"}
    owner = whose(str(owner.name), context={"device_info": device})
    return Errand(owner=owner, fields=fields | device)
