"""Flaws to plant: each lets somebody have what is another's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jwt
import pytest
from coze_sts import broker, http_event
from coze_sts.auth import guest, identity
from coze_sts.auth.guest import Guest, TicketOffice
from coze_sts.canary.lies import NO_MAC
from coze_sts.coze import mint

from tests.isolation_canary import checks
from tests.local.coze import conversations
from tests.local.coze.conversations import Conversations, Shelf
from tests.local.gateway import sigv4
from tests.local.gateway.jwt_authorizer import JwtAuthorizer
from tests.local.stack import CANARY

Plant = Callable[[pytest.MonkeyPatch], None]


def believe_tickets_where(patch: pytest.MonkeyPatch, believed: Callable[[str], bool]) -> None:
    """The guests' door takes some tickets without looking at who signed them."""
    verify = TicketOffice._verify

    def flawed(office: TicketOffice, ticket: str, *, now: float) -> Guest:
        signed, _, mac = ticket.rpartition(".")
        if not believed(mac):
            return verify(office, ticket, now=now)
        guest_id, issued_at = guest._PAYLOAD.unpack(guest._decode(signed.rpartition(".")[2]))
        return Guest(guest_id=guest_id, ticket=ticket, expires_at=issued_at + 10**6)

    patch.setattr(TicketOffice, "_verify", flawed)


def forged_tickets_are_believed(patch: pytest.MonkeyPatch) -> None:
    believe_tickets_where(patch, lambda mac: mac == NO_MAC)


def foreign_tickets_are_believed(patch: pytest.MonkeyPatch) -> None:
    believe_tickets_where(patch, lambda mac: mac != NO_MAC)


def believe_sign_ins_where(patch: pytest.MonkeyPatch, believed: Callable[[str], bool]) -> None:
    verified = JwtAuthorizer._verified

    def flawed(authorizer: JwtAuthorizer, token: str) -> dict[str, Any]:
        if not believed(jwt.get_unverified_header(token)["alg"]):
            return verified(authorizer, token)
        return dict(jwt.decode(token, options={"verify_signature": False}))

    patch.setattr(JwtAuthorizer, "_verified", flawed)


def the_gateway_takes_alg_none(patch: pytest.MonkeyPatch) -> None:
    believe_sign_ins_where(patch, lambda alg: alg == "none")


def the_gateway_checks_no_signature_of_a_sign_in(patch: pytest.MonkeyPatch) -> None:
    believe_sign_ins_where(patch, lambda alg: alg != "none")


def the_gateway_asks_backends_for_no_signature(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sigv4, "verify", lambda *_args, **_more: CANARY)


def unknown_fields_are_passed_over(patch: pytest.MonkeyPatch) -> None:
    fields = http_event.Request.fields

    def flawed(request: http_event.Request, **known: frozenset[str]) -> dict[str, str]:
        return (
            {}
            if b"session_name" in request.body and not known.get("required")
            else (fields(request, **known))
        )

    patch.setattr(http_event.Request, "fields", flawed)


def backends_may_name_guests(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(identity, "name_fault", lambda _name: None)


def the_cache_knows_one_session(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(broker, "cache_key", lambda *_args, **_more: "t1#one")


def every_assertion_names_one_session(patch: pytest.MonkeyPatch) -> None:
    claims = mint.claims

    def flawed(**given: Any) -> dict[str, Any]:
        return claims(**given) | {"session_name": "coze-sts-canary-1"}

    patch.setattr(mint, "claims", flawed)


def coze_lists_without_regard_to_sessions(patch: pytest.MonkeyPatch) -> None:
    shelf = conversations._shelf

    def flawed(*given: Any, **more: Any) -> Shelf:
        return replace(shelf(*given, **more), session_name="all")

    patch.setattr(conversations, "_shelf", flawed)


def coze_shows_messages_to_whoever_knows_the_id(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Conversations, "own", lambda self, _call, its_id: self._all[its_id])


FLAWS: Mapping[Plant, set[str]] = {
    forged_tickets_are_believed: {checks.FORGED},
    foreign_tickets_are_believed: {checks.FOREIGN},
    the_gateway_takes_alg_none: {checks.UNSIGNED},
    the_gateway_checks_no_signature_of_a_sign_in: {checks.ANOTHERS_KEY},
    the_gateway_asks_backends_for_no_signature: {checks.UNSIGNED_BACKEND},
    unknown_fields_are_passed_over: {checks.PAGE_NAMES},
    backends_may_name_guests: {checks.GUEST_NAMED},
    the_cache_knows_one_session: {checks.DIFFER, *checks.AT_COZE},
    every_assertion_names_one_session: checks.AT_COZE,
    coze_lists_without_regard_to_sessions: {checks.LISTS},
    coze_shows_messages_to_whoever_knows_the_id: checks.READS,
}
"""With the checks that have to find it."""
