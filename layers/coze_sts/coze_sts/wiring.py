"""What the functions have in common: the secrets, a backend's request."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from coze_sts.auth import identity
from coze_sts.auth.session import Caller
from coze_sts.coze.app_key import CozeApp, parse_app
from coze_sts.coze.keys import AppKeys
from coze_sts.http_event import Request
from coze_sts.keyring import Keyring, parse_keyring
from coze_sts.settings import Settings
from coze_sts.stored_secret import StoredSecret, fetch_secret
from coze_sts.telemetry import Telemetry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from urllib3 import PoolManager

    from coze_sts.admission import Admission
    from coze_sts.allowance import Allowance
    from coze_sts.auth.turnstile import TurnstileSecret
    from coze_sts.auth.wechat import WechatApp
    from coze_sts.budget import Budget

T = TypeVar("T")


def new_http_session() -> PoolManager:
    """What speaks HTTP. Imported for the first exchange, so that a hit starts the sooner."""
    from coze_sts import web  # noqa: PLC0415

    return web.new_http_session()


def new_budget(
    client: DynamoDBClient, *, allowance: Allowance, settings: Settings, telemetry: Telemetry
) -> Budget:
    """The day's exchanges. Imported for the first one, as above."""
    from coze_sts.budget import Budget  # noqa: PLC0415
    from coze_sts.cache.counters import Counters  # noqa: PLC0415

    return Budget(
        counters=Counters(client=client, table=settings.token_table),
        per_day=settings.exchanges_per_day,
        guests_per_day=settings.guest_exchanges_per_day,
        on_failure=telemetry.table_failed,
        on_used=telemetry.budget_used,
        allowance=allowance,
        clock=time.time,
    )


def new_admission(
    client: DynamoDBClient,
    *,
    keyring: Callable[[], Keyring],
    settings: Settings,
    telemetry: Telemetry,
) -> Admission:
    """What counts new guests. Imported for the first of them, as above."""
    from coze_sts.admission import Admission  # noqa: PLC0415
    from coze_sts.cache.counters import Counters  # noqa: PLC0415

    counters = Counters(client=client, table=settings.token_table)
    return Admission(counters=counters, keyring=keyring, telemetry=telemetry, clock=time.time)


def app_parser(kms: Callable[[], KMSClient], *, settings: Settings) -> Callable[[str], CozeApp]:
    """Reads a version of COZE_SECRET_ID; `kms` makes the client when it is first asked to sign."""
    return partial(
        parse_app,
        api_base=settings.coze_api_base,
        signing_key_arn=settings.signing_key_arn,
        kms=kms,
    )


def stored_app(
    client: SecretsManagerClient,
    *,
    parse: Callable[[str], CozeApp],
    settings: Settings,
    telemetry: Telemetry,
) -> StoredSecret[CozeApp]:
    """The operator's OAuth app, from COZE_SECRET_ID, for who signs at each request.

    Its key is read with it, so that one that cannot sign is told at once, and asked for anew.
    """

    def read(text: str) -> CozeApp:
        app = parse(text)
        app.signer.check()
        return app

    return _stored(client, settings.coze_secret_id, read, telemetry)


def app_keys(
    client: SecretsManagerClient,
    *,
    parse: Callable[[str], CozeApp],
    settings: Settings,
    telemetry: Telemetry,
) -> AppKeys:
    """The current and the previous version of COZE_SECRET_ID; most stacks have no previous one.

    A key is read when it first signs, or when it is to replace one: a hit needs none.
    """
    secret_id = settings.coze_secret_id
    previous = StoredSecret(
        fetch=partial(fetch_secret, client, secret_id=secret_id, stage="AWSPREVIOUS"),
        parse=parse,
        clock=time.time,
        on_failure=lambda _failure: None,
    )
    current = _stored(client, secret_id, parse, telemetry, check=lambda app: app.signer.check())
    return AppKeys(
        current=current,
        previous=previous,
        clock=time.time,
        on_unusable=telemetry.secret_failed,
    )


def stored_keyring(
    client: SecretsManagerClient, *, settings: Settings, telemetry: Telemetry
) -> StoredSecret[Keyring]:
    """The stack's own keys, from CACHE_KEY_SECRET_ID."""
    return _stored(client, settings.cache_key_secret_id, parse_keyring, telemetry)


def stored_turnstile(
    client: SecretsManagerClient, *, settings: Settings, telemetry: Telemetry
) -> StoredSecret[TurnstileSecret] | None:
    """The widget's secret key, from TURNSTILE_SECRET_ID; None where nobody has to be human."""
    if settings.turnstile_secret_id is None:
        return None
    # Imported where it is set up: most stacks have none, and start the sooner.
    from coze_sts.auth.turnstile import parse_turnstile_secret  # noqa: PLC0415

    return _stored(client, settings.turnstile_secret_id, parse_turnstile_secret, telemetry)


def stored_wechat(
    client: SecretsManagerClient, *, settings: Settings, telemetry: Telemetry
) -> StoredSecret[WechatApp] | None:
    """The mini-program, from WECHAT_SECRET_ID; None where there is none."""
    if settings.wechat_secret_id is None:
        return None
    from coze_sts.auth.wechat import parse_wechat_app  # noqa: PLC0415 - as above

    return _stored(client, settings.wechat_secret_id, parse_wechat_app, telemetry)


def _stored(
    client: SecretsManagerClient,
    secret_id: str,
    parse: Callable[[str], T],
    telemetry: Telemetry,
    check: Callable[[T], None] = lambda _value: None,
) -> StoredSecret[T]:
    return StoredSecret(
        fetch=partial(fetch_secret, client, secret_id=secret_id),
        parse=parse,
        clock=time.time,
        on_failure=telemetry.secret_failed,
        check=check,
    )


def backend_caller(
    request: Request, *, telemetry: Telemetry, fields: Callable[..., dict[str, str]]
) -> tuple[Caller, dict[str, str]]:
    """The user that a server of the site names in the body, and the body as `fields` reads it.

    The log keeps which server it was: it can act for any user.

    Raises InvalidToken before anything of the body is read, InvalidRequest for a bad body.
    """
    telemetry.note(principal=identity.iam_principal(request.context))
    body = fields(
        request,
        required=frozenset({"session_name"}),
        optional=frozenset({"device_id", "custom_consumer"}),
    )
    caller = identity.backend(
        session_name=body["session_name"],
        device_id=body.get("device_id"),
        custom_consumer=body.get("custom_consumer"),
    )
    return caller, body
