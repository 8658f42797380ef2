"""What guests come for: a session, the same again, and to keep it when they sign in."""

from collections.abc import Mapping
from typing import Any

from tests.crowd.door import Answer, Call
from tests.crowd.person import Person
from tests.crowd.referee import Spent, Whose, whose
from tests.crowd.tickets import body_of, guest_of
from tests.crowd.visits import origin, session_of, signed_in

TICKET_DAYS = 30


def arrive(person: Person) -> None:
    """A guest without a ticket: the session is the one of the ticket that comes back."""
    _ask(person, {})


def come_again(person: Person) -> None:
    """A guest with a ticket keeps their session, and the ticket."""
    if person.ticket is None:
        arrive(person)
        return
    young = person.ticket
    kept = _ask(person, {"guest_ticket": young} | person.digest(_session(young)))
    if kept is not None and kept["guest_ticket"] != young:
        person.place.notes.odd.append("a ticket that is young was replaced")


def come_again_late(person: Person) -> None:
    """A ticket past half its life is renewed, for the same guest."""
    days = person.rng.uniform(TICKET_DAYS / 2 + 0.1, TICKET_DAYS - 0.1)
    old = person.place.press.print(person.rng.randbytes(16), days=days)
    renewed = _ask(person, {"guest_ticket": old})
    if renewed is not None and renewed["guest_ticket"] == old:
        person.place.notes.odd.append("an old ticket was not renewed")


def carry_over(person: Person) -> None:
    """A guest signs in and keeps the session: from then on it is the user's, and no guest's."""
    if person.ticket is None:
        arrive(person)
        return
    ticket, person.ticket = person.ticket, None
    at = person.entrance()
    owner, guest = session_of(person, at=at), guest_of(ticket)
    person.place.carried[str(owner.name)].add(guest)
    call = Call(
        route=f"POST {at.path}",
        headers=signed_in(person, at=at),
        body=body_of(guest_ticket=ticket),
    )
    answer = person.get(call)
    if answer is not None:
        has_it = _settle(person, answer, ticket=ticket, user=str(owner.name))
        person.see(answer, owner=whose(guest) if has_it else owner, route=call.route)


def _settle(person: Person, answer: Answer, *, ticket: str, user: str) -> bool:
    """A user keeps one guest's session, whichever came first, and never another's after it."""
    place, guest = person.place, guest_of(ticket)
    has_it = answer.body.get("guest_carried_over")
    place.notes.count(f"carried over: {has_it}")
    if has_it is True and place.kept.setdefault(user, guest) == guest:
        place.carried[user] = {guest}
        place.notes.spent.append(Spent(ticket=ticket, user=user, at=answer.at))
    elif has_it is False and place.carried[user] != {guest}:
        place.carried[user].discard(guest)
        person.ticket = ticket
    else:
        place.notes.odd.append(f"guest_carried_over is {has_it}")
    return bool(has_it)


def _ask(person: Person, fields: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Asks with these fields; the session must be the ticket's, and so must what comes back."""
    call = Call(route="POST /guest/token", headers=origin(person), body=body_of(**fields))
    answer = person.get(call)
    if answer is None:
        return None
    person.ticket = answer.body["guest_ticket"]
    owner = _session(fields.get("guest_ticket", person.ticket))
    person.see(answer, owner=owner, route=call.route)
    if _session(person.ticket) != owner:
        person.place.notes.odd.append("the ticket that came back is another's")
    return answer.body


def _session(ticket: str) -> Whose:
    return whose(guest_of(ticket))
