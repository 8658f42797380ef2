"""Tickets that are nobody's, or somebody else's: none may open a session."""

import json
import time

from tests.crowd.door import Call
from tests.crowd.guests import TICKET_DAYS
from tests.crowd.person import Person
from tests.crowd.tickets import body_of
from tests.crowd.visits import origin, session_of, signed_in

MEMORY_SECONDS = 75
"""A worker that has a token in memory may serve it for a minute more."""


def ticket_of(person: Person) -> str:
    """This person's ticket, or one that a guest could have."""
    return person.ticket or person.place.press.print(person.rng.randbytes(16), days=1)


def forged(person: Person) -> None:
    """Another signature under the victim's ticket."""
    signed, _, mac = ticket_of(person.neighbour()).rpartition(".")
    ticket = f"{signed}.{'B' if mac[0] == 'A' else 'A'}{mac[1:]}"
    _try(person, ticket, how="forged")


def spliced(person: Person) -> None:
    """The victim's name over one's own signature."""
    mine, theirs = ticket_of(person), ticket_of(person.neighbour())
    _try(person, f"{theirs.rpartition('.')[0]}.{mine.rpartition('.')[2]}", how="spliced")


def respelled(person: Person) -> None:
    """The victim's ticket with a tail that decodes to the same bytes."""
    _try(person, ticket_of(person.neighbour()) + "=", how="spelled otherwise")


def expired(person: Person) -> None:
    """A ticket past its life."""
    old = person.place.press.print(person.rng.randbytes(16), days=TICKET_DAYS + 0.1)
    _try(person, old, how="expired")


def of_another_stack(person: Person) -> None:
    """The same keys, another OAuth app."""
    press = person.place.press.of_another_stack()
    _try(person, press.print(person.rng.randbytes(16), days=1), how="of another stack")


def of_other_keys(person: Person) -> None:
    """The same app, keys of one's own."""
    press = person.place.press.with_other_keys()
    _try(person, press.print(person.rng.randbytes(16), days=1), how="of other keys")


def two_at_once(person: Person) -> None:
    """One's own and the victim's, as one field that stands twice."""
    mine, theirs = json.dumps(ticket_of(person)), json.dumps(ticket_of(person.neighbour()))
    body = f'{{"guest_ticket": {mine}, "guest_ticket": {theirs}}}'.encode()
    call = Call(route="POST /guest/token", headers=origin(person), body=body)
    person.intrude(call, refusals={400}, how="two tickets at once")


def carried_over(person: Person) -> None:
    """The ticket of a guest who became a user: it is no guest's any more."""
    for spent in person.rng.sample(person.place.notes.spent, len(person.place.notes.spent)):
        if time.time() - spent.at > MEMORY_SECONDS:
            _try(person, spent.ticket, how="carried over before", sign_in=0)
            return


def of_another_user(person: Person) -> None:
    """The same, by another user, who would like to be that guest, too."""
    at = person.entrance()
    others = [s for s in person.place.notes.spent if s.user != session_of(person, at=at).name]
    if not others:
        return
    body = body_of(guest_ticket=person.rng.choice(others).ticket)
    call = Call(route=f"POST {at.path}", headers=signed_in(person, at=at), body=body)
    person.intrude(call, refusals={401}, how="a ticket of another user")


def _try(person: Person, ticket: str, *, how: str, sign_in: float = 0.3) -> None:
    """As a guest, or to have it carried over at this share of sign-ins."""
    route, headers = "POST /guest/token", origin(person)
    if person.rng.random() < sign_in:
        at = person.entrance()
        route, headers = f"POST {at.path}", signed_in(person, at=at)
    call = Call(route=route, headers=headers, body=body_of(guest_ticket=ticket))
    person.intrude(call, refusals={401}, how=f"a ticket {how}")
