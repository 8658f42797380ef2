"""TokenFunction: the routes that hand out access tokens, and GET /health."""

from __future__ import annotations

import time
from functools import cache, partial
from typing import Any

from botocore.session import Session
from coze_sts import aws, http_event, policy, settings, snapshot, telemetry, wiring
from coze_sts.allowance import Allowance
from coze_sts.auth.session import Caller
from coze_sts.broker import Broker
from coze_sts.cache.memory import TokenMemory
from coze_sts.cache.store import TokenStore
from coze_sts.doors import Doors
from coze_sts.http_event import LambdaContext, Request
from coze_sts.sessions import Sessions
from coze_sts.settings import Settings
from coze_sts.token_route import token_answer, token_fields

SETTINGS = settings.from_environment()
POLICY = policy.read_policy(policy.POLICY_PATH)
POLICY.check(SETTINGS)
TELEMETRY = telemetry.new_telemetry()
AWS = Session()
CREDENTIALS = snapshot.LateCredentials(AWS)
SECRETS = aws.secrets_manager(AWS)
DYNAMODB = aws.dynamodb(AWS)
HTTP = cache(wiring.new_http_session)
KMS = cache(partial(aws.kms, AWS))
PARSE = wiring.app_parser(KMS, settings=SETTINGS)
KEYS = wiring.app_keys(SECRETS, parse=PARSE, settings=SETTINGS, telemetry=TELEMETRY)
KEYRING = wiring.stored_keyring(SECRETS, settings=SETTINGS, telemetry=TELEMETRY)
ALLOWANCE = Allowance(clock=time.time)
BUDGET = cache(
    partial(
        wiring.new_budget,
        DYNAMODB,
        allowance=ALLOWANCE,
        settings=SETTINGS,
        telemetry=TELEMETRY,
    )
)
ADMISSION = cache(
    partial(
        wiring.new_admission,
        DYNAMODB,
        keyring=KEYRING.get,
        settings=SETTINGS,
        telemetry=TELEMETRY,
    )
)
BROKER = Broker(
    settings=SETTINGS,
    keys=KEYS,
    keyring=KEYRING.get,
    store=TokenStore(
        client=DYNAMODB, table=SETTINGS.token_table, binding_table=SETTINGS.binding_table
    ),
    sessions=Sessions(
        client=DYNAMODB, table=SETTINGS.binding_table, keyring=KEYRING.get, clock=time.time
    ),
    memory=TokenMemory(),
    budget=BUDGET,
    allowance=ALLOWANCE,
    http=HTTP,
    telemetry=TELEMETRY,
    clock=time.time,
    sleep=time.sleep,
)
DOORS = Doors(
    settings=SETTINGS,
    policy=POLICY,
    keyring=KEYRING,
    audience=lambda: "|".join(KEYS.current().identity),
    admission=ADMISSION,
    turnstile=wiring.stored_turnstile(SECRETS, settings=SETTINGS, telemetry=TELEMETRY),
    wechat=wiring.stored_wechat(SECRETS, settings=SETTINGS, telemetry=TELEMETRY),
    http=HTTP,
    telemetry=TELEMETRY,
    clock=time.time,
)

snapshot.register(
    *(KEYS.forget, KEYRING.forget, BROKER.memory.clear, BROKER.sessions.known.clear),
    *(secret.forget for secret in (DOORS.turnstile, DOORS.wechat) if secret),
    *(CREDENTIALS.forget, SECRETS.close, DYNAMODB.close),
    *(made.cache_clear for made in (KMS, HTTP, BUDGET, ADMISSION)),
    load=(
        *("coze_sts.coze.mint", "coze_sts.coze.private_key"),
        *("coze_sts.exchanger", "coze_sts.admission"),
    ),
)

Answer = tuple[int, dict[str, Any] | None]


def user_token(request: Request) -> Answer:
    """POST /token: the session of the claim that the OIDC token carries.

    With a guest's ticket it becomes that guest's session, for good.
    """
    caller, chosen = DOORS.user(request)
    body = token_fields(request, optional=frozenset({"guest_ticket"}))
    carried = {}
    if (ticket := body.get("guest_ticket")) is not None:
        guest = DOORS.carried(ticket, settings=chosen)
        carried = {"guest_carried_over": BROKER.sessions.carry_over(guest, to=caller)}
    return 200, _token(request, caller, body, chosen) | carried


def forget_user_token(request: Request) -> Answer:
    """DELETE /token: forgets the visitor's cached token."""
    caller, chosen = DOORS.user(request)
    request.fields()
    BROKER.forget(caller, settings=chosen)
    return 204, None


def guest_token(request: Request) -> Answer:
    """POST /guest/token: the session of the ticket, or of a new guest without one."""
    chosen = DOORS.guests(request)
    human = {"turnstile_token"} if DOORS.turnstile else set()
    body = token_fields(request, optional=frozenset({"guest_ticket"} | human))
    guest = DOORS.guest(body.get("guest_ticket"))
    proof = body.get("turnstile_token")
    with DOORS.admitted(guest, request, settings=chosen, turnstile_token=proof):
        answer = _token(request, guest.caller, body, chosen)
    return 200, answer | {
        "guest_ticket": guest.ticket,
        "guest_ticket_expires_at": guest.expires_at,
    }


def wechat_token(request: Request) -> Answer:
    """POST /wechat/token: the session of the mini-program's user."""
    chosen = DOORS.mini_program(request)
    body = token_fields(request, required=frozenset({"code"}))
    return 200, _token(request, DOORS.wechat_user(body["code"]), body, chosen)


def backend_token(request: Request) -> Answer:
    """POST /backend/token: the session that the site's own server names."""
    caller, body = wiring.backend_caller(request, telemetry=TELEMETRY, fields=token_fields)
    return 200, _token(request, caller, body, SETTINGS)


def forget_backend_token(request: Request) -> Answer:
    """DELETE /backend/token: forgets the cached token of the session that is named."""
    caller, _ = wiring.backend_caller(request, telemetry=TELEMETRY, fields=Request.fields)
    BROKER.forget(caller)
    return 204, None


def health(_request: Request) -> Answer:
    """GET /health: this function runs. It asks nobody else, so that strangers cost nothing."""
    return 200, {"status": "ok"}


ROUTES: dict[str, http_event.Route] = {
    **{f"POST /token{issuer}": user_token for issuer in ("", "/2", "/3")},
    **{f"DELETE /token{issuer}": forget_user_token for issuer in ("", "/2", "/3")},
    "POST /guest/token": guest_token,
    "POST /wechat/token": wechat_token,
    "POST /backend/token": backend_token,
    "DELETE /backend/token": forget_backend_token,
    "GET /health": health,
}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> http_event.Response:
    """Answers one event of the HTTP API."""
    return http_event.dispatch(event, context, routes=ROUTES, telemetry=TELEMETRY)


def _token(
    request: Request, caller: Caller, body: dict[str, str], chosen: Settings
) -> dict[str, Any]:
    token = BROKER.token_for(
        caller,
        rejected=body.get("rejected_token"),
        remaining=request.seconds_left(),
        settings=chosen,
    )
    return token_answer(token, now=time.time())
