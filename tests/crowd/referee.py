"""Whose session is each token of? Coze's stand-in knows, since it issued them."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.local.coze import CozeStandIn


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Whose session a token is to open; `device` is what Coze is told of the device, as JSON."""

    name: str | None
    device: str = "null"


def whose(name: str, *, context: Mapping[str, Any] | None = None) -> Whose:
    """The session of this name, with the claim `session_context`."""
    return Whose(name=name, device=_text(context))


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A token that was answered: to whom it should belong, on which route, when, by whom.

    `also` are names of guests who this user was or may have been: theirs, too. `expires_at` is
    what the answer says of it. Times in UNIX seconds.
    """

    token: str = field(repr=False)
    owner: Whose
    also: frozenset[str] = frozenset()
    route: str
    at: float
    expires_at: int
    worker: int


@dataclass(frozen=True, kw_only=True)
class Spent:
    """A ticket that a user gave for its session at the time `at` (UNIX seconds)."""

    ticket: str = field(repr=False)
    user: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """A token that is not what it should be, and why."""

    seen: Sighting
    reason: str


def judge(coze: CozeStandIn, sightings: Iterable[Sighting]) -> list[Wrong]:
    """Those that Coze did not issue for their owner's session, and those that had expired."""
    issued = zip(coze.exchanges, coze.tokens.values(), strict=True)
    known = {
        record.access_token: (
            Whose(name=record.session_name, device=_text(exchange.session_context)),
            record.expires_at,
        )
        for exchange, record in issued
    }
    judged = [(seen, _fault(seen, known)) for seen in sightings]
    return [Wrong(seen=seen, reason=reason) for seen, reason in judged if reason]


def behind(coze: CozeStandIn, sightings: Iterable[Sighting], spent: Iterable[Spent]) -> list[float]:
    """After how many seconds users still got their own old session, and not the guest's."""
    moved: dict[str | None, float] = {}
    for ticket in spent:
        moved.setdefault(ticket.user, ticket.at)
    return [
        seen.at - moved[seen.owner.name]
        for seen in sightings
        if seen.at > moved.get(seen.owner.name, math.inf)
        and coze.tokens[seen.token].session_name == seen.owner.name
    ]


def _fault(seen: Sighting, known: Mapping[str, tuple[Whose, int]]) -> str | None:
    if seen.token not in known:
        return "Coze never issued it"
    opens, expires_at = known[seen.token]
    if opens.device != seen.owner.device or opens.name not in {seen.owner.name, *seen.also}:
        return f"it is of {opens}"
    if expires_at <= seen.at:
        return f"it had expired {seen.at - expires_at:.1f} s before"
    if expires_at < seen.expires_at:
        return f"it expires {seen.expires_at - expires_at} s before it is said to"
    return None


def _text(context: Mapping[str, Any] | None) -> str:
    return json.dumps(context, sort_keys=True)
