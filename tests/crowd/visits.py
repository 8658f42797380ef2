"""What visitors come for who are signed in, by an issuer or in the mini-program."""

from collections.abc import Callable

from tests.crowd.door import Call
from tests.crowd.person import Person
from tests.crowd.place import Entrance
from tests.crowd.referee import Whose, whose
from tests.crowd.tickets import body_of

Act = Callable[[Person], object]


def origin(person: Person) -> dict[str, str]:
    """What every page of the site sends."""
    return {"Origin": person.place.origin}


def signed_in(person: Person, *, at: Entrance) -> dict[str, str]:
    """The headers of somebody's own page once they are signed in, for an hour."""
    if at.path not in person.sign_ins:
        person.sign_ins[at.path] = at.issuer.id_token(person.name)
    return origin(person) | {"Authorization": f"Bearer {person.sign_ins[at.path]}"}


def session_of(person: Person, *, at: Entrance) -> Whose:
    """Whose session it is: two issuers' users of one name are two."""
    return whose(at.prefix + person.name)


def sign_in(person: Person) -> None:
    """The page asks for the session of whoever is signed in."""
    at = person.entrance()
    owner = session_of(person, at=at)
    call = Call(
        route=f"POST {at.path}",
        headers=signed_in(person, at=at),
        body=body_of(**person.digest(owner)),
    )
    person.get_token(call, owner=owner)


def name_another(person: Person) -> None:
    """Names where nobody looks for one: the token is the visitor's own all the same."""
    at, other = person.entrance(), person.neighbour().name
    headers = signed_in(person, at=at) | {"X-Session-Name": other, "Cookie": f"sub={other}"}
    call = Call(route=f"POST {at.path}", query=f"?session_name={other}", headers=headers)
    person.get_token(call, owner=session_of(person, at=at))


def sign_out(person: Person) -> None:
    """The page has the cached token forgotten; 429 where it did so a minute ago."""
    at = person.entrance()
    person.get(Call(route=f"DELETE {at.path}", headers=signed_in(person, at=at)))


def mini_program(person: Person) -> None:
    """WeChat says who it is. A code works once, so that each try needs a new one."""
    owner = mini_program_session(person)
    rejected = person.digest(owner)

    def anew() -> Call:
        return Call(route="POST /wechat/token", body=body_of(code=code_of(person), **rejected))

    person.get_token(anew(), owner=owner, anew=anew)


def code_of(person: Person) -> str:
    """What wx.login gives them."""
    return person.place.phone.log_in(person.name)


def mini_program_session(person: Person) -> Whose:
    """Whose session it is there."""
    return whose("wechat_" + person.place.phone.openid(person.name))


def look(person: Person) -> None:
    """Whether the function runs."""
    person.get(Call(route="GET /health"))
