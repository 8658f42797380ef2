"""TokenFunction: the routes that hand out access tokens, and GET /health."""

from __future__ import annotations

import os
import re
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from coze_sts import http_event, settings, telemetry, wiring
from coze_sts.access_token import AccessToken
from coze_sts.allowance import Allowance
from coze_sts.auth import identity
from coze_sts.auth.guest import Guest, TicketOffice, UnknownTicketKey
from coze_sts.auth.session import Caller
from coze_sts.broker import Broker
from coze_sts.cache.memory import TokenMemory
from coze_sts.cache.store import TokenStore
from coze_sts.errors import AccessDenied, InvalidRequest
from coze_sts.http_event import LambdaContext, Request
from coze_sts.keyring import Keyring, Purpose

if TYPE_CHECKING:
    from requests import Session as HttpSession

SETTINGS = settings.from_environment()
TELEMETRY = telemetry.new_telemetry()
SECRETS = boto3.client("secretsmanager", config=wiring.AWS_CALLS)


@cache
def http() -> HttpSession:
    """Made on the first miss, and kept for its connections."""
    from coze_sts.coze.grant import new_http_session  # noqa: PLC0415

    return new_http_session()


KEYRING = wiring.stored_keyring(SECRETS, settings=SETTINGS, telemetry=TELEMETRY)
BROKER = Broker(
    settings=SETTINGS,
    keys=wiring.app_keys(SECRETS, settings=SETTINGS, telemetry=TELEMETRY),
    keyring=KEYRING.get,
    store=TokenStore(
        client=boto3.client("dynamodb", config=wiring.AWS_CALLS), table=SETTINGS.token_table
    ),
    memory=TokenMemory(),
    allowance=Allowance(clock=time.time),
    http=http,
    telemetry=TELEMETRY,
    clock=time.time,
    sleep=time.sleep,
)

Answer = tuple[int, dict[str, Any] | None]

REJECTED = frozenset({"rejected_token"})
SHA256_HEX = re.compile(r"[0-9a-f]{64}")


def user_token(request: Request) -> Answer:
    """POST /token: the session of the claim that the OIDC token carries."""
    caller = _user(request)
    body = request.fields(optional=REJECTED)
    return 200, _token_body(_token(request, caller, body))


def forget_user_token(request: Request) -> Answer:
    """DELETE /token: forgets the visitor's cached token."""
    caller = _user(request)
    request.fields()
    BROKER.forget(caller)
    return 204, None


def guest_token(request: Request) -> Answer:
    """POST /guest/token: the session of the ticket, or of a new guest without one."""
    _check_origin(request)
    if not SETTINGS.guest_sessions:
        raise AccessDenied("Guests are not admitted here: sign in.")
    body = request.fields(optional=REJECTED | {"guest_ticket"})
    guest = _admit(body.get("guest_ticket"))
    answer = _token_body(_token(request, guest.caller, body))
    return 200, answer | {
        "guest_ticket": guest.ticket,
        "guest_ticket_expires_at": guest.expires_at,
    }


def backend_token(request: Request) -> Answer:
    """POST /backend/token: the session that the site's own server names."""
    caller, body = wiring.backend_caller(request, telemetry=TELEMETRY, optional=REJECTED)
    return 200, _token_body(_token(request, caller, body))


def forget_backend_token(request: Request) -> Answer:
    """DELETE /backend/token: forgets the cached token of the session that is named."""
    caller, _ = wiring.backend_caller(request, telemetry=TELEMETRY)
    BROKER.forget(caller)
    return 204, None


def health(_request: Request) -> Answer:
    """GET /health: this function runs. It asks nobody else, so that strangers cost nothing."""
    return 200, {"status": "ok"}


ROUTES: dict[str, http_event.Route] = {
    "POST /token": user_token,
    "DELETE /token": forget_user_token,
    "POST /guest/token": guest_token,
    "POST /backend/token": backend_token,
    "DELETE /backend/token": forget_backend_token,
    "GET /health": health,
}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> http_event.Response:
    """Answers one event of the HTTP API."""
    return http_event.dispatch(event, context, routes=ROUTES, telemetry=TELEMETRY)


def _user(request: Request) -> Caller:
    _check_origin(request)
    return identity.user(request.context, session_claim=SETTINGS.session_claim)


def _check_origin(request: Request) -> None:
    """API Gateway only withholds CORS headers from a foreign page; here it gets no token."""
    if request.origin is not None and request.origin not in SETTINGS.allowed_origins:
        raise AccessDenied("This page may not ask for tokens: see ALLOWED_ORIGINS.")


def _admit(ticket: str | None) -> Guest:
    try:
        return _ticket_office(KEYRING.get()).admit(ticket, now=time.time())
    except UnknownTicketKey:
        # The ticket may be signed with a key that was added since this process last looked.
        return _ticket_office(KEYRING.renewed()).admit(ticket, now=time.time())


def _ticket_office(keyring: Keyring) -> TicketOffice:
    return TicketOffice(
        keys={number: keyring.derive(Purpose.TICKET, key_id=number) for number in keyring.keys},
        newest=keyring.newest,
        audience="|".join(BROKER.keys.current().identity),
        random_bytes=os.urandom,
    )


def _token(request: Request, caller: Caller, body: dict[str, str]) -> AccessToken:
    rejected = body.get("rejected_token")
    if rejected is not None and not SHA256_HEX.fullmatch(rejected):
        raise InvalidRequest("rejected_token must be the SHA-256 of a token in lower-case hex.")
    return BROKER.token_for(caller, rejected=rejected, remaining=request.remaining)


def _token_body(token: AccessToken) -> dict[str, Any]:
    """RFC 6749 section 5.1; `token` repeats it because the newer Web SDK reads either."""
    return {
        "access_token": token.value,
        "token": token.value,
        "token_type": "Bearer",
        "expires_in": int(token.expires_at - time.time()),
        "expires_at": token.expires_at,
    }
