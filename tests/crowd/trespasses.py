"""Fields, pages and doors that are not a visitor's."""

from dataclasses import replace

from tests.crowd.door import Call
from tests.crowd.false_tickets import ticket_of
from tests.crowd.person import Person
from tests.crowd.tickets import body_of, guest_of
from tests.crowd.visits import code_of, mini_program_session, origin, signed_in

ABROAD = {"Origin": "https://www.example.org"}


def visitor_names_a_session(person: Person) -> None:
    """A visitor names the session they would like."""
    _, call = person.rng.choice(_visits(person, body=body_of(session_name=person.neighbour().name)))
    person.intrude(call, refusals={400}, how="a visitor names a session")


def from_abroad(person: Person) -> None:
    """A page of another site has a browser send what it holds."""
    how, call = person.rng.choice(_visits(person, headers=ABROAD))
    person.intrude(call, refusals={403}, how=f"{how} from a foreign page")


def from_nowhere(person: Person) -> None:
    """No browser leaves the origin out."""
    visits = [visit for visit in _visits(person, without="Origin") if visit[0] != "WeChat"]
    how, call = person.rng.choice(visits)
    person.intrude(call, refusals={403}, how=f"{how} from no page")


def stranger_at_the_back(person: Person) -> None:
    """A visitor at the servers' door, with a visitor's proof."""
    body = body_of(session_name=person.neighbour().name)
    headers = person.rng.choice([origin(person), signed_in(person, at=person.entrance())])
    call = Call(route=_back(person), headers=headers, body=body)
    person.intrude(call, refusals={403}, how="a stranger at the servers' door")


def changed_behind_the_signature(person: Person) -> None:
    """The server signed for one user, and somebody on the way names another."""
    call = Call(
        route=_back(person),
        body=body_of(session_name=person.neighbour().name),
        signed=body_of(session_name=person.name),
        signer=person.place.backend,
    )
    person.intrude(call, refusals={403}, how="another body than was signed")


def signed_with_another_key(person: Person) -> None:
    """Somebody who knows the server's name, and not its secret."""
    signer = replace(person.place.backend, secret_key=person.rng.randbytes(20).hex())
    call = Call(route=_back(person), body=body_of(session_name=person.name), signer=signer)
    person.intrude(call, refusals={403}, how="signed with another key")


def server_names_a_guest(person: Person) -> None:
    """Not even a server may be a guest."""
    guest = guest_of(ticket_of(person.neighbour()))
    name = person.rng.choice([guest, guest.upper(), guest.replace("g", "ｇ", 1)])
    call = Call(route=_back(person), body=body_of(session_name=name), signer=person.place.backend)
    person.intrude(call, refusals={400}, how="a server names a guest")


def code_again(person: Person) -> None:
    """A code of the mini-program that somebody used already."""
    codes: list[str] = []

    def anew() -> Call:
        codes.append(code_of(person))
        return Call(route="POST /wechat/token", body=body_of(code=codes[-1]))

    if person.get_token(anew(), owner=mini_program_session(person), anew=anew):
        again = Call(route="POST /wechat/token", body=body_of(code=codes[-1]))
        person.intrude(again, refusals={401}, how="a code that was used")


def code_invented(person: Person) -> None:
    """A code that WeChat never gave anybody."""
    call = Call(route="POST /wechat/token", body=body_of(code=person.rng.randbytes(16).hex()))
    person.intrude(call, refusals={401}, how="an invented code")


def _back(person: Person) -> str:
    return person.rng.choice(
        ["POST /backend/token", "POST /backend/assertion", "DELETE /backend/token"]
    )


def _visits(
    person: Person, *, headers: dict[str, str] | None = None, body: bytes = b"", without: str = ""
) -> list[tuple[str, Call]]:
    """What this person could ask for, with these headers and this body in place of theirs."""
    at = person.entrance()
    guest = body or body_of(guest_ticket=ticket_of(person))
    code = body or body_of(code=code_of(person))
    drafts = [
        ("a user", f"POST {at.path}", signed_in(person, at=at), body),
        ("a guest", "POST /guest/token", origin(person), guest),
        ("WeChat", "POST /wechat/token", {}, code),
    ]
    return [
        (
            how,
            Call(
                route=route,
                headers={k: v for k, v in (own | (headers or {})).items() if k != without},
                body=sent,
            ),
        )
        for how, route, own, sent in drafts
    ]
