"""AssertionFunction: a signed assertion for own servers that exchange it by themselves."""

from __future__ import annotations

import time
from functools import cache, partial
from typing import Any

from botocore.session import Session
from coze_sts import aws, http_event, settings, snapshot, telemetry, wiring
from coze_sts.auth.session import Caller, session_for
from coze_sts.coze.assertion import ASSERTION_SECONDS, claims, new_jti, sign
from coze_sts.errors import StoreUnavailable
from coze_sts.http_event import LambdaContext, Request
from coze_sts.sessions import Sessions

SETTINGS = settings.from_environment()
TELEMETRY = telemetry.new_telemetry()
AWS = Session()
CREDENTIALS = snapshot.LateCredentials(AWS)
SECRETS = aws.secrets_manager(AWS)
DYNAMODB = aws.dynamodb(AWS)
KMS = cache(partial(aws.kms, AWS))
PARSE = wiring.app_parser(KMS, settings=SETTINGS)
APP = wiring.stored_app(SECRETS, parse=PARSE, settings=SETTINGS, telemetry=TELEMETRY)
KEYRING = wiring.stored_keyring(SECRETS, settings=SETTINGS, telemetry=TELEMETRY)
SESSIONS = Sessions(
    client=DYNAMODB,
    table=SETTINGS.binding_table,
    keyring=KEYRING.get,
    clock=time.time,
)
snapshot.register(
    *(APP.forget, KEYRING.forget, SESSIONS.known.clear),
    *(CREDENTIALS.forget, SECRETS.close, DYNAMODB.close, KMS.cache_clear),
    load=("coze_sts.coze.private_key",),
)


def backend_assertion(request: Request) -> tuple[int, dict[str, Any]]:
    """POST /backend/assertion: works once at Coze, within two minutes."""
    caller, _ = wiring.backend_caller(request, telemetry=TELEMETRY, fields=Request.fields)
    app, keyring = APP.get(), KEYRING.get()
    guest = _guest_of(caller)
    session = session_for(caller, settings=SETTINGS, keyring=keyring, guest=guest)
    TELEMETRY.note_names(session=session.name, caller=caller.name, keyring=keyring)
    payload = claims(
        app=app,
        session_name=session.name,
        session_context=session.context,
        now=time.time(),
        jti=new_jti(),
    )
    assertion = sign(payload, app=app)
    TELEMETRY.count("Signed")
    TELEMETRY.note(decision=telemetry.ISSUED)
    return 200, {
        "assertion": assertion,
        "token_endpoint": app.api_base + SETTINGS.token_path,
        "expires_in": ASSERTION_SECONDS,
    }


def _guest_of(caller: Caller) -> str | None:
    """As which guest they spoke. Where the table fails they get their own, as from /token."""
    try:
        return SESSIONS.look_up(caller)
    except StoreUnavailable as failure:
        TELEMETRY.table_failed(failure)
        return None


ROUTES: dict[str, http_event.Route] = {"POST /backend/assertion": backend_assertion}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> http_event.Response:
    """Answers one event of the HTTP API."""
    return http_event.dispatch(event, context, routes=ROUTES, telemetry=TELEMETRY)
