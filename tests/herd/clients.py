"""Two ways to a token: this service's, and Coze's own SDK as its documents show it."""

import importlib
import json
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.config import Config
from coze_sts.allowance import Allowance
from coze_sts.auth.session import Caller, cache_key, session_for
from coze_sts.aws import CALLS
from coze_sts.broker import Broker
from coze_sts.cache.memory import TokenMemory
from coze_sts.cache.row import Row
from coze_sts.cache.store import TokenStore
from coze_sts.coze.app_key import CozeApp, parse_app
from coze_sts.coze.keys import AppKeys
from coze_sts.errors import StsError
from coze_sts.keyring import Purpose
from coze_sts.stored_secret import SecretVersion, StoredSecret
from coze_sts.web import new_http_session

from tests.engines import client_of
from tests.factories import KEYRING, make_settings
from tests.herd.orders import Kind, Stage
from tests.parts import Counts, no_bindings

CONNECTIONS = 200
"""Each environment has its own in Lambda."""

HOLD_CONSTANTS = ("decision", "leader", "lease")
SETTINGS = make_settings()


class Refused(Exception):
    """No token; `retry_after` in seconds is None where asking again is no use."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True)
class Found:
    """A token and where it came from."""

    token: str = field(repr=False)
    source: str


Client = Callable[[str], Found]
"""The token of a session; raises Refused. Each stands for one environment of Lambda."""


def clients(kind: Kind, *, stage: Stage, announce: Callable[[str], None]) -> Callable[[], Client]:
    """Makes clients that share what is costly to make and changes nothing: keys and sockets."""
    return _service(stage, announce) if kind == "service" else _sdk(stage)


def replace_constants(constants: Mapping[str, float]) -> None:
    """Sets constants of the service wherever they are known by their name."""
    modules = [importlib.import_module(f"coze_sts.cache.{name}") for name in HOLD_CONSTANTS]
    for name, value in constants.items():
        holders = [module for module in modules if hasattr(module, name)]
        if not holders:
            raise LookupError(f"{name} is no constant of the cache")
        for module in holders:
            setattr(module, name, value)


def pk_of(session: str, *, stage: Stage) -> str:
    """The key of a session's row."""
    return cache_key(
        session_for(_caller(session), settings=SETTINGS, keyring=KEYRING),
        index_key=KEYRING.derive(Purpose.INDEX),
        app=_app(stage).identity,
        settings=SETTINGS,
    )


class AnnouncingStore(TokenStore):
    """The real one, which says whose lease it is about to ask for."""

    def __init__(self, announce: Callable[[str], None], **parts: Any) -> None:
        super().__init__(**parts)
        self._announce = announce

    def acquire(self, pk: str, *, lease_id: str, **asked: Any) -> Row:
        self._announce(lease_id)
        return super().acquire(pk, lease_id=lease_id, **asked)


def _service(stage: Stage, announce: Callable[[str], None]) -> Callable[[], Client]:
    seconds = stage.table_seconds
    config = Config(read_timeout=seconds, connect_timeout=seconds, max_pool_connections=CONNECTIONS)
    dynamodb = client_of(stage.table_url, config=CALLS.merge(config))
    secret = _always(_app(stage))

    def clock() -> float:
        return stage.begun_at + (time.time() - stage.begun_at) / stage.slower

    def client() -> Client:
        http, counts = new_http_session(), Counts()
        broker = Broker(
            settings=SETTINGS,
            keys=AppKeys(current=secret, previous=secret, clock=clock),
            keyring=lambda: KEYRING,
            store=AnnouncingStore(announce, client=dynamodb, table=stage.table),
            sessions=no_bindings(),
            memory=TokenMemory(),
            budget=None,
            allowance=Allowance(clock=clock),
            http=lambda: http,
            telemetry=counts,  # type: ignore[arg-type]
            clock=clock,
            sleep=lambda seconds: time.sleep(seconds * stage.slower),
        )

        def ask(session: str) -> Found:
            try:
                token = broker.token_for(_caller(session))
            except StsError as error:
                wait = error.retry_after if error.retryable else None
                raise Refused(error.operator or error.description, wait) from None
            return Found(token=token.value, source=str(counts.facts["source"]))

        return ask

    return client


def _sdk(stage: Stage) -> Callable[[], Client]:
    """`examples/auth_oauth_jwt.py` of coze-py, with `session_name`, its one way to tell visitors.

    Its JWTAuth keeps a token, but of no session; so whoever needs one asks for it.
    """
    with warnings.catch_warnings(record=True):  # it imports a module that authlib gave up
        import cozepy  # noqa: PLC0415 - half of the processes need none of it

    app = cozepy.JWTOAuthApp(
        client_id=stage.coze["client_id"],
        private_key=stage.coze["private_key"],
        public_key_id=stage.coze["public_key_id"],
        base_url=stage.coze["coze_api_base"],
    )

    def ask(session: str) -> Found:
        try:
            token = app.get_access_token(ttl=SETTINGS.token_duration_seconds, session_name=session)
        except Exception as error:  # noqa: BLE001 - one jti in 10,000 looks like a card's number
            raise Refused(f"{type(error).__name__}: {error}") from None
        return Found(token=token.access_token, source="Exchanged")

    return lambda: ask


def _caller(session: str) -> Caller:
    return Caller(kind="user", name=session)


def _app(stage: Stage) -> CozeApp:
    return parse_app(json.dumps(stage.coze))


def _always(app: CozeApp) -> StoredSecret[CozeApp]:
    version = SecretVersion(version_id="1", text="")
    return StoredSecret(
        fetch=lambda: version,
        parse=lambda _text: app,
        clock=time.time,
        on_failure=lambda _failure: None,
    )
