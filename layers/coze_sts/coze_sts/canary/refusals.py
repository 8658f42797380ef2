"""What the doors have to refuse, told to each of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from coze_sts.canary import lies
from coze_sts.canary.finding import Finding
from coze_sts.canary.front_door import FrontDoor
from coze_sts.canary.refusal import Refusal, examine
from coze_sts.canary.sign_ins import NO_ISSUER, false_sign_ins
from coze_sts.settings import GUEST_PREFIX, Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from coze_sts.web import WebAnswer

GUEST_NAME = GUEST_PREFIX + "a" * 26
"""A name as guests have it; nobody has this one."""


def refused(
    door: FrontDoor,
    *,
    settings: Settings,
    name: str,
    key: RSAPrivateKey,
    clock: Callable[[], float],
) -> Iterator[Finding]:
    """Tells every lie; `name` is the session that the liar is after."""
    for lie in (*_at_the_guests_door(door, name, clock), *_at_the_backends_door(door, name)):
        yield examine(lie)
    # Without an issuer there is no such route, and that is tried too.
    for number, issuer in enumerate(settings.issuers or (NO_ISSUER,), start=1):
        path = "/token" if number == 1 else f"/token/{number}"
        claims = lies.claims(issuer, name=name, session_claim=settings.session_claim, now=clock())
        yield from false_sign_ins(door, path=path, issuer=issuer, claims=claims, key=key)


def _at_the_guests_door(
    door: FrontDoor, name: str, clock: Callable[[], float]
) -> tuple[Refusal, ...]:
    def show(make: Callable[..., str]) -> WebAnswer:
        ticket = make(now=clock(), random_bytes=os.urandom)
        return door.as_page("/guest/token", {"guest_ticket": ticket})

    unproved = frozenset({401, 403})
    return (
        Refusal(check="forged ticket", ask=partial(show, lies.forged_ticket), statuses=unproved),
        Refusal(check="foreign ticket", ask=partial(show, lies.foreign_ticket), statuses=unproved),
        Refusal(
            check="page names a session",
            ask=partial(door.as_page, "/guest/token", {"session_name": name}),
            statuses=frozenset({400, 403}),
        ),
    )


def _at_the_backends_door(door: FrontDoor, name: str) -> tuple[Refusal, ...]:
    return (
        Refusal(
            check="backend without a signature",
            ask=partial(door.as_stranger, {"session_name": name}),
            statuses=frozenset({401, 403}),
        ),
        Refusal(
            check="backend names a guest",
            ask=partial(door.as_backend, {"session_name": GUEST_NAME}),
            statuses=frozenset({400}),
        ),
    )
