"""Scenarios in which the tables fail, or hold what nobody can use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
)

from tests.canaries import planted
from tests.canaries.everybody import (
    page_and_server,
    who_forget,
    whom_coze_or_aws_may_fail,
)
from tests.canaries.site import Site
from tests.canaries.tours import Scenario
from tests.canaries.visits import guest, server, user

DYNAMODB_CALLS = ("BatchGetItem", "UpdateItem", "GetItem", "DeleteItem", "TransactWriteItems")
Failure = Callable[[str], Exception]


def client_error(code: str) -> Failure:
    """AWS's own error, with what it must not tell in its sentence and beside it."""

    def make(told: str) -> Exception:
        answer = {"Error": {"Code": code, "Message": told}, "Item": {"ct": told}, "Told": told}
        return ClientError(answer, "AnyCall")  # type: ignore[arg-type]

    return make


THROTTLED = client_error("ProvisionedThroughputExceededException")
FAILURES: dict[str, Failure] = {
    "no permission": client_error("AccessDeniedException"),
    "no connection": lambda told: EndpointConnectionError(endpoint_url=told),
    "no answer": lambda told: ReadTimeoutError(endpoint_url=told),
    "bad parameters": lambda told: ParamValidationError(report=told),
}


def everything(site: Site) -> str:
    """What a talkative service could repeat."""
    texts = [*planted.SECRETS.values(), *planted.NAMES.values()]
    return " ".join([*texts, site.keys.config("current")["private_key"]])


@contextmanager
def failing(client: Any, calls: str, error: Exception) -> Iterator[None]:
    """Each such call of the client raises: `dynamodb` is all of them, `dynamodb.GetItem` one."""

    def refuse(**_: object) -> None:
        raise error

    event = f"before-call.{calls}"
    client.meta.events.register(event, refuse)
    try:
        yield
    finally:
        client.meta.events.unregister(event, refuse)


def table_fails(failure: Failure, call: str, site: Site) -> None:
    """In one call, or in all for an empty `call`."""
    ticket = site.ask(guest(turnstile_token=site.human())).body["guest_ticket"]
    event = f"dynamodb.{call}".rstrip(".")
    error = failure(everything(site))
    with (
        failing(site.app("token").DYNAMODB, event, error),
        failing(site.app("assertion").SESSIONS.client, event, error),
    ):
        for visit in (*page_and_server(), *who_forget()[:1], guest(ticket)):
            site.ask(visit)
        site.ask(server("POST /backend/assertion"))
        site.ask(user(body={"guest_ticket": ticket}), session=None)


def table_is_gone(site: Site) -> None:
    """For everybody, from the start."""
    site.restart(TOKEN_TABLE="no_table", BINDING_TABLE="no_table")
    for visit in whom_coze_or_aws_may_fail(site):
        site.ask(visit)


def damaged_rows(site: Site) -> None:
    """Of the session, of the fleet, of a binding: each attribute of another kind, or altered."""
    ticket = site.ask(guest(turnstile_token=site.human())).body["guest_ticket"]
    site.ask(user(body={"guest_ticket": ticket}), session=None)
    site.ask(server())
    rows = {table: site.account.rows(table) for table in ("TOKEN_TABLE", "BINDING_TABLE")}
    for damage in ({"S": planted.TOKEN}, {"B": planted.TOKEN.encode()}, {"N": "7"}, {"L": []}):
        site.restart()
        for table, items in rows.items():
            for item in items:
                site.account.put(table, dict.fromkeys(item, damage) | {"pk": item["pk"]})
        for visit in (user(), server(), guest(ticket), user(method="DELETE")):
            site.ask(visit, session=None)


SCENARIOS: dict[str, Scenario] = {
    **{f"the table: {name}": partial(table_fails, f, "") for name, f in FAILURES.items()},
    **{f"the table: {call}": partial(table_fails, THROTTLED, call) for call in DYNAMODB_CALLS},
    "the table is gone": table_is_gone,
    "damaged rows": damaged_rows,
}
