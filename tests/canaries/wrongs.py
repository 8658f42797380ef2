"""Scenarios in which whoever asks is refused: bodies, proofs, origins, tickets, limits."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from coze_sts.auth.guest import LIFETIME_SECONDS, TicketOffice
from coze_sts.keyring import Purpose

from tests.canaries import planted
from tests.canaries.everybody import everybody, pages, who_forget, who_get_tokens
from tests.canaries.planted import FIELD, FIELD_VALUE, GARBAGE, SESSION_NAME
from tests.canaries.site import Site
from tests.canaries.tours import Scenario
from tests.canaries.visits import Visit, guest, phone, server, signed_in, user

LONG = f"{GARBAGE} " * 120
BODIES = [
    GARBAGE,
    f'"{GARBAGE}"',
    f'["{GARBAGE}"]',
    f'{{"{FIELD}": "{FIELD_VALUE}"}}',
    f'{{"{FIELD}": "{FIELD_VALUE}", "{FIELD}": "{FIELD_VALUE}"}}',
    f'{{"{FIELD}": "{FIELD_VALUE}"',
    f'{{"{FIELD}": {FIELD_VALUE}}}',
    json.dumps({"session_name": {GARBAGE: FIELD_VALUE}, "code": 7, "guest_ticket": [GARBAGE]}),
    json.dumps({"rejected_token": GARBAGE}),
    json.dumps({"session_name": SESSION_NAME, "code": planted.CODE, "rejected_token": GARBAGE}),
    json.dumps({"text": LONG}),
    f"{GARBAGE}\ud800",
    "[" * 4000 + GARBAGE,
]
NAMES = [
    f" {SESSION_NAME}",
    f"guest_{SESSION_NAME}",
    f"{SESSION_NAME}\u200b",
    f"{SESSION_NAME}e\u0301",
    SESSION_NAME * 4,
    f"{SESSION_NAME}\ufffd",
    f"[{SESSION_NAME}]",
    "",
]
OTHER_STACK = b"another stack's key, which is long enough"


def bad_bodies(site: Site) -> None:
    for visit in everybody(site):
        for raw in BODIES:
            site.ask(visit, raw=raw)
        site.ask(visit, raw=f"{GARBAGE}!", base64=True)
        raw = base64.b64encode(f"{GARBAGE}\xff".encode("latin-1")).decode()
        site.ask(visit, raw=raw, base64=True)


def bad_names(site: Site) -> None:
    for name in NAMES:
        for number in (1, 2, 3):
            proof = signed_in(name, issuer=planted.ISSUERS[number - 1])
            site.ask(user(number=number), authorizer=proof)
        for field in ("session_name", "device_id"):
            site.ask(server(**{field: name}), session=None)
            site.ask(server("POST /backend/assertion", **{field: name}), session=None)
    site.ask(server(custom_consumer=planted.CUSTOM_CONSUMER))


def bad_claims(site: Site) -> None:
    claims: list[object] = [None, True, [planted.SUB], {"name": planted.SUB}, 1.5, "two_someone"]
    for sub in claims:
        site.ask(user(), authorizer=signed_in(sub))
        site.ask(user(method="DELETE"), authorizer=signed_in(sub))
    site.ask(user(), authorizer=signed_in(issuer=f"https://{GARBAGE}.example/"))


def no_proof(site: Site) -> None:
    proofs: list[dict[str, Any] | None] = [None, {}, {"lambda": {"sub": planted.SUB}}]
    proofs += [{"jwt": {"claims": [planted.SUB]}}, {"iam": {"userArn": ""}}]
    for visit in everybody(site):
        for proof in proofs:
            site.ask(visit, authorizer=proof)


def foreign_pages(site: Site) -> None:
    for visit in pages(site):
        for origin in (planted.FOREIGN_ORIGIN, "null", f"{planted.ORIGIN}.{GARBAGE}"):
            site.ask(visit, origin=origin)
        if visit.origin:
            site.ask(visit, origin=None)


def bad_tickets(site: Site) -> None:
    good = site.ask(guest(turnstile_token=site.human())).body["guest_ticket"]
    for ticket in (planted.WRONG_TICKET, good + "x", good[:-5], good.swapcase(), *_others(site)):
        site.ask(guest(ticket))
        site.ask(user(body={"guest_ticket": ticket}))


def _others(site: Site) -> Iterator[str]:
    """Tickets of another stack, for another app, of a key that is gone, and one that is too old."""
    ring, now = site.app("token").KEYRING.get(), time.time()
    key = ring.derive(Purpose.TICKET, key_id="2")
    audience = site.app("token").DOORS.audience()
    for number, signing, app, issued_at in (
        ("2", OTHER_STACK, audience, now),
        ("2", key, "another app", now),
        ("9", key, audience, now),
        ("2", key, audience, now - LIFETIME_SECONDS - 1),
    ):
        office = TicketOffice(
            keys={number: signing},
            newest=number,
            audience=app,
            random_bytes=lambda size: planted.random_text("guest's id").encode()[:size],
        )
        ticket = office.admit(None, now=issued_at).ticket
        site.harvest.ticket(ticket)
        yield ticket


def no_guests(site: Site) -> None:
    ticket = site.ask(guest(turnstile_token=site.human())).body["guest_ticket"]
    site.restart(GUEST_SESSIONS="off")
    site.ask(guest(ticket))
    site.ask(user(body={"guest_ticket": ticket}))


def limits(site: Site) -> None:
    """Of each session, of the site, of an address, of an origin."""
    for variable in ("TOKENS_PER_SESSION", "EXCHANGES_PER_DAY", "NEW_GUESTS_PER_ADDRESS"):
        site.account.wipe()
        site.restart(**{variable: "1", "TOKEN_DURATION_SECONDS": "60"})
        for _ in range(2):
            for visit in who_get_tokens(site):
                site.ask(visit)
            for visit in who_forget():
                site.ask(visit)
    site.restart(NEW_GUESTS_PER_ORIGIN="1")
    for address in planted.ADDRESSES * 2:
        site.ask(guest(turnstile_token=site.human()), address=address)


def stopped(site: Site) -> None:
    site.account.put("TOKEN_TABLE", {"pk": {"S": "n1#site"}, "stopped": {"BOOL": True}})
    for visit in who_get_tokens(site):
        site.ask(visit)


def forgotten_twice(site: Site) -> None:
    for _ in range(3):
        for visit in (*who_get_tokens(site), *who_forget()):
            site.ask(visit)


def unknown_routes(site: Site) -> None:
    for function in ("token", "assertion"):
        site.ask(Visit(route=f"POST /{planted.PATH}", body={FIELD: FIELD_VALUE}, function=function))


def no_human(site: Site) -> None:
    site.ask(guest())
    used = site.human()
    elsewhere = site.cloudflare.solve(hostname="elsewhere.example")
    for token in (used, used, planted.TURNSTILE_TOKEN, elsewhere, f"{GARBAGE} ", GARBAGE * 60):
        site.ask(guest(turnstile_token=token))


def no_code(site: Site) -> None:
    used = site.code()
    for code in (used, used, planted.CODE, f"{GARBAGE} ", GARBAGE * 4):
        site.ask(phone(code))
    site.restart(WECHAT_SECRET_ID="")
    site.ask(phone(site.code()))
    site.ask(replace(phone(planted.CODE), origin=planted.FOREIGN_ORIGIN))


SCENARIOS: dict[str, Scenario] = {
    "bad bodies": bad_bodies,
    "bad names": bad_names,
    "bad claims": bad_claims,
    "no proof": no_proof,
    "foreign pages": foreign_pages,
    "bad tickets": bad_tickets,
    "no guests": no_guests,
    "limits": limits,
    "stopped": stopped,
    "forgotten twice": forgotten_twice,
    "unknown routes": unknown_routes,
    "no human": no_human,
    "no code": no_code,
}
