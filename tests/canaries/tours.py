"""Scenarios in which everybody gets what they ask for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from tests.canaries import planted
from tests.canaries.everybody import everybody, who_get_tokens
from tests.canaries.site import Site
from tests.canaries.visits import guest, server, signed_in, user

Scenario = Callable[[Site], None]


def tour(site: Site) -> None:
    """From Coze, from memory, from the table of another process; then the tokens are forgotten."""
    for round_ in range(3):
        for visit in everybody(site):
            if not visit.route.startswith("DELETE") or round_ == 2:
                site.ask(visit)
        if round_ == 1:
            site.restart()


def returning_guest(site: Site) -> None:
    answer = site.ask(guest(turnstile_token=site.human()))
    site.ask(guest(answer.body["guest_ticket"]))
    site.ask(guest(answer.body["guest_ticket"]), address=planted.ADDRESSES[1])


def guest_becomes_user(site: Site) -> None:
    """And whoever names the user then gets the guest's session, also in a new process."""
    ticket = site.ask(guest(turnstile_token=site.human())).body["guest_ticket"]
    name = site.harvest.ticket(ticket)
    site.ask(user(body={"guest_ticket": ticket}), session=name)
    site.restart()
    site.ask(user(), session=name)
    for route in ("POST /backend/token", "POST /backend/assertion", "DELETE /backend/token"):
        site.ask(server(route, session_name=planted.SUB), session=name)
    site.ask(guest(ticket))
    site.ask(user(number=2, body={"guest_ticket": ticket}))
    second = site.ask(guest(turnstile_token=site.human())).body["guest_ticket"]
    site.ask(user(body={"guest_ticket": second}), session=name)


def rejected_token(site: Site) -> None:
    """A token that Coze refused is replaced, and the next time within a minute it is not."""
    for visit in who_get_tokens(site):
        asked = visit
        for _ in range(3):
            answer = site.ask(asked)
            digest = sha256(answer.body.get("access_token", "").encode()).hexdigest()
            body = {**dict(visit.body or {}), "rejected_token": digest}
            if ticket := answer.body.get("guest_ticket"):
                body = {"guest_ticket": ticket, "rejected_token": digest}
            if "code" in body:
                body["code"] = site.code()
            asked = replace(visit, body=body)


def name_in_chinese(site: Site) -> None:
    site.ask(user(planted.CJK_SUB))
    site.ask(user(), authorizer=signed_in(7355608), session="7355608")


def custom_consumer(site: Site) -> None:
    body = {"session_name": planted.SESSION_NAME, "custom_consumer": planted.CUSTOM_CONSUMER}
    for route in ("POST /backend/token", "POST /backend/assertion"):
        site.ask(server(route), body=body, session=None)


def quota_by_visitor(site: Site) -> None:
    site.restart(END_USER_QUOTA="on", CONNECTOR_ID="2001", SESSION_NAMING="plain")
    tour(site)


def pseudonyms(site: Site) -> None:
    """Coze learns no name but the guests', which are random."""
    site.restart(SESSION_NAMING="pseudonymous", END_USER_QUOTA="on")
    for visit in everybody(site):
        site.ask(visit, session=None)
    custom_consumer(site)


def body_in_base64(site: Site) -> None:
    raw = base64.b64encode(json.dumps(server().body).encode()).decode()
    site.ask(server(), raw=raw, base64=True)


SCENARIOS: dict[str, Scenario] = {
    "everybody on every route": tour,
    "a guest who comes back": returning_guest,
    "a guest who becomes a user": guest_becomes_user,
    "a token that Coze rejected": rejected_token,
    "names of other kinds": name_in_chinese,
    "custom_consumer": custom_consumer,
    "quota by visitor": quota_by_visitor,
    "pseudonyms": pseudonyms,
    "a body in base64": body_in_base64,
}
