"""The grant over real HTTP, against the stand-in and against servers that misbehave."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from coze_sts.access_token import AccessToken
from coze_sts.coze.answer import Grant
from coze_sts.coze.app_key import CozeApp, parse_app
from coze_sts.coze.grant import exchange
from coze_sts.coze.mint import mint
from coze_sts.coze.private_key import load_private_key
from coze_sts.errors import StsError, TemporarilyUnavailable, UpstreamRejected
from coze_sts.web import MAX_BODY_BYTES, new_http_session
from urllib3 import PoolManager

from tests.factories import CANARY, NOW, Clock, everything_told, make_settings
from tests.http_servers import answer, raw_server, sends
from tests.kms import SIGNERS, import_key, kms_client
from tests.local.coze import CozeStandIn, demo_config
from tests.local.server import serve

GRANTED = json.dumps({"access_token": "czs_one", "expires_in": NOW + 3600}).encode()
CONTEXT = {"device_info": {"custom_consumer": "u-42"}, "connector_info": {"connector_id": "2001"}}


@pytest.fixture
def http() -> Iterator[PoolManager]:
    with new_http_session() as session:
        yield session


@pytest.fixture
def coze(clock: Clock) -> CozeStandIn:
    return CozeStandIn(clock=clock)


@pytest.fixture(params=SIGNERS)
def app(request: pytest.FixtureRequest, coze: CozeStandIn) -> Iterator[CozeApp]:
    """An app that the stand-in knows, while the stand-in is served."""
    with serve(coze) as server, kms_client() as kms:
        config, public_key = demo_config(server.url)
        for kid, kind in ((config["public_key_id"], "ordinary"), ("channel-kid", "channel")):
            coze.register_app(
                client_id=config["client_id"], kid=kid, public_key_pem=public_key, kind=kind
            )
        if request.param == "KMS":
            config["signing_key_arn"] = import_key(load_private_key(config.pop("private_key")))
        yield parse_app(json.dumps(config), kms=lambda: kms)


def mint_one(
    http: PoolManager, app: CozeApp, clock: Clock, **settings: Any
) -> tuple[AccessToken, str | None]:
    return mint(
        http,
        app=app,
        settings=make_settings(**settings),
        session_name="u-42",
        session_context=CONTEXT,
        clock=clock,
        deadline=clock() + 5,
    )


def exchange_at(url: str, http: PoolManager, **more: Any) -> Grant:
    asked: dict[str, Any] = {
        "duration_seconds": 3600,
        "scope": None,
        "sent_at": NOW,
        "seconds": 5,
    }
    return exchange(http, url=url + "/token", assertion=CANARY, **(asked | more))


def failure(kind: type[StsError], url: str, http: PoolManager, **more: Any) -> str:
    """The operator's sentence of an exchange that must fail, and shows no assertion."""
    with pytest.raises(kind) as refused:
        exchange_at(url, http, **more)
    assert CANARY not in everything_told(refused.value)
    return refused.value.operator or ""


# The exchange that succeeds


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({}, "/api/permission/oauth2/token"),
        ({"coze_account_id": "7"}, "/api/permission/oauth2/account/7/token"),
        ({"coze_enterprise_id": "7"}, "/api/permission/oauth2/enterprise_id/7/token"),
    ],
)
def test_a_strict_coze_accepts_the_exchange_on_each_path(
    http: PoolManager,
    app: CozeApp,
    clock: Clock,
    coze: CozeStandIn,
    *,
    settings: dict[str, str],
    path: str,
) -> None:
    token, log_id = mint_one(http, app, clock, token_duration_seconds=1800, **settings)
    (seen,) = coze.exchanges
    assert (seen.path, seen.session_name, seen.session_context) == (path, "u-42", CONTEXT)
    assert (seen.duration_seconds, seen.scope, seen.kid) == (1800, None, app.kid)
    assert coze.tokens[token.value].session_name == "u-42"
    assert (token.issued_at, token.expires_at, token.kid) == (NOW, NOW + 1800, app.kid)
    assert re.fullmatch(r"\w{20,}", log_id or "")


def test_a_slow_signature_leaves_the_exchange_less_time(
    http: PoolManager, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    """KMS is asked over the network: the lease on the session must not end meanwhile."""

    class Slow:
        def __init__(self, seconds: float) -> None:
            self.seconds = seconds

        def sign(self, message: bytes) -> bytes:
            clock.now += self.seconds
            return app.signer.sign(message)

    token, _ = mint_one(http, replace(app, signer=Slow(4)), clock)
    assert token.issued_at == NOW + 4, "its life counts from when Coze was asked"
    with pytest.raises(TemporarilyUnavailable):
        mint_one(http, replace(app, signer=Slow(5)), clock)
    assert len(coze.exchanges) == 1


def test_a_channel_app_sends_its_scope(
    http: PoolManager, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    scoped = {"coze_bot_ids": ("7401",), "coze_permissions": ("Connector.botChat",)}
    channel = replace(app, kid="channel-kid")
    mint_one(http, channel, clock, **scoped)
    assert coze.exchanges[0].scope == make_settings(**scoped).scope


def test_an_absolute_and_a_relative_expires_in_mean_the_same(
    http: PoolManager, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    absolute, _ = mint_one(http, app, clock)
    coze.relative_expires_in = True
    relative, _ = mint_one(http, app, clock)
    assert absolute.expires_at == relative.expires_at == NOW + 3600


def test_a_duration_counts_from_the_moment_of_sending(
    http: PoolManager, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    coze.fail_next(status=200, body={"access_token": "czs_one", "expires_in": 100})
    assert mint_one(http, app, clock)[0].expires_at == NOW + 100


def test_every_exchange_signs_an_assertion_of_its_own(
    http: PoolManager, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    tokens = {mint_one(http, app, clock)[0].value for _ in range(5)}
    assert len(tokens) == len({seen.jti for seen in coze.exchanges}) == 5


def test_the_assertion_is_in_the_authorization_header_and_nowhere_else(
    http: PoolManager,
) -> None:
    with raw_server(sends(answer(GRANTED))) as server:
        exchange_at(server.url, http)
        exchange_at(server.url, http, scope={"a": 1}, duration_seconds=60)
    for request in server.requests:
        assert request.count(CANARY.encode()) == 1
        assert f"\r\nAuthorization: Bearer {CANARY}\r\n".encode() in request
        assert b"\r\nAccept-Encoding: identity\r\n" in request
        assert request.startswith(b"POST /token HTTP/1.1\r\n")
    grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert [json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.requests] == [
        {"grant_type": grant_type, "duration_seconds": 3600},
        {"grant_type": grant_type, "duration_seconds": 60, "scope": {"a": 1}},
    ]


# Coze refuses


def test_a_key_of_the_other_region_names_the_host_it_was_sent_to(
    http: PoolManager, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    coze.forget_key(kid=app.kid)
    with pytest.raises(UpstreamRejected) as refused:
        mint_one(http, app, clock)
    told, host = refused.value.operator or "", app.api_base.removeprefix("http://")
    assert f"Coze's host {host} does not know this key" in told
    assert "https://api.coze.com" in told
    assert re.search(r"x-tt-logid \w{20,}\.", told)


def test_an_app_that_was_disabled_is_a_rejection(
    http: PoolManager, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    coze.disable_app(client_id=app.client_id)
    with pytest.raises(UpstreamRejected) as refused:
        mint_one(http, app, clock)
    assert "access_deny" in (refused.value.operator or "")


def test_retry_after_and_the_log_id_come_through(
    http: PoolManager, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    coze.fail_next(
        status=429, body={"error": "slow_down"}, headers={"Retry-After": "17", "x-tt-logid": "ID7"}
    )
    with pytest.raises(TemporarilyUnavailable) as refused:
        mint_one(http, app, clock)
    assert refused.value.retry_after == 17
    assert "x-tt-logid ID7" in (refused.value.operator or "")


def test_a_redirect_is_a_rejection(http: PoolManager) -> None:
    moved = answer(b"", status="302 Found", headers="Location: /elsewhere\r\n")
    with raw_server(sends(moved)) as server:
        assert "answered 302" in failure(UpstreamRejected, server.url, http)


def test_a_body_beyond_the_limit_is_a_rejection(http: PoolManager) -> None:
    with raw_server(sends(answer(GRANTED + b" " * MAX_BODY_BYTES))) as server:
        assert str(MAX_BODY_BYTES) in failure(UpstreamRejected, server.url, http)


# Coze fails


def test_a_host_that_is_not_there_is_temporary(http: PoolManager) -> None:
    with raw_server(sends()) as server:
        gone = server.url
    told = failure(TemporarilyUnavailable, gone, http)
    assert told == f"{gone.removeprefix('http://')} did not answer: NewConnectionError."


def test_an_exchange_that_takes_too_long_is_temporary(http: PoolManager) -> None:
    with raw_server(sends(b"", pause=1)) as server:
        assert "Timeout" in failure(TemporarilyUnavailable, server.url, http, seconds=0.1)
