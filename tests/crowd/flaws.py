"""Flaws that a worker can be given, to see that the referee sees what comes of them."""

import hmac
from dataclasses import replace
from typing import Any

from coze_sts import broker, doors, sessions, telemetry, token_route
from coze_sts.auth import identity
from coze_sts.auth.session import Session

SHARED = "visitor-of-old"


def sessions_mixed_up() -> None:
    """Some users get a session that is not theirs."""
    real = broker.session_for

    def session_for(caller: Any, **known: Any) -> Session:
        found = real(caller, **known)
        return replace(found, name=SHARED) if found.name.endswith("3") else found

    broker.session_for = session_for


def rows_mixed_up() -> None:
    """All sessions share one row of the table and one place in memory."""
    broker.cache_key = lambda _session, **_known: "t1#everybody"


def devices_mixed_up() -> None:
    """The cache does not tell the devices of a user apart."""
    real = broker.cache_key

    def cache_key(found: Session, **known: Any) -> str:
        return real(replace(found, device_id=None, custom_consumer=None), **known)

    broker.cache_key = cache_key


def tickets_unread() -> None:
    """Every signature under a ticket is good."""
    from coze_sts.auth import guest  # noqa: PLC0415

    class Trusting:
        digest = staticmethod(hmac.digest)
        compare_digest = staticmethod(lambda _a, _b: True)

    guest.hmac = Trusting  # type: ignore[attr-defined]


def users_mixed_up() -> None:
    """All users have one record that says which guest they were."""
    real = sessions.binding_key

    def binding_key(caller: Any, **known: Any) -> str:
        return real(caller, **known) if caller.kind == "guest" else "u1#everybody"

    sessions.binding_key = binding_key


def origins_unread() -> None:
    """Any page may ask."""
    doors.Doors._check_origin = lambda _self, _request, **_known: None


def clocks_stopped() -> None:
    """Answers say that a token lives for ever."""
    real = token_route.token_answer

    def token_answer(token: Any, **known: Any) -> dict[str, Any]:
        return real(replace(token, expires_at=token.expires_at + 3600), **known)

    token_route.token_answer = token_answer


def talkative() -> None:
    """The log has the visitor's name."""
    telemetry.Telemetry.note_names = lambda self, **known: self.note(session=known["session"])


def names_unreserved() -> None:
    """A sign-in may have any name."""
    identity._name_fault = lambda _text, **_known: None


def careless() -> None:
    """Something that nobody thought of."""
    broker.cache_key = lambda session, **_known: "t1#" + session.nickname
