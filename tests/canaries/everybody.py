"""One visit on each route."""

from __future__ import annotations

from dataclasses import replace

from tests.canaries import planted
from tests.canaries.site import Site
from tests.canaries.visits import Visit, guest, phone, server, user


def who_get_tokens(site: Site) -> list[Visit]:
    """Everybody to whom a token of Coze's is handed out, as somebody new."""
    return [
        *(user(number=number) for number in (1, 2, 3)),
        guest(turnstile_token=site.human()),
        phone(site.code()),
        server(rejected_token=planted.REJECTED),
    ]


def page_and_server() -> list[Visit]:
    """To whom strangers' words and operators' words go: what comes before is the same for all."""
    return [user(), server()]


def who_forget() -> list[Visit]:
    """Everybody who may have a token forgotten."""
    users = [user(number=number, method="DELETE") for number in (1, 2, 3)]
    return [*users, server("DELETE /backend/token")]


def whom_coze_or_aws_may_fail(site: Site) -> list[Visit]:
    return [*who_get_tokens(site), *who_forget(), server("POST /backend/assertion")]


def everybody(site: Site) -> list[Visit]:
    health = Visit(route="GET /health")
    return [*whom_coze_or_aws_may_fail(site), health, replace(health, function="assertion")]


def pages(site: Site) -> list[Visit]:
    """Whose browser sends an Origin."""
    return [visit for visit in everybody(site) if visit.origin or "/wechat/" in visit.route]
