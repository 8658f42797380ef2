"""The grant over real HTTP, against the stand-in and against servers that misbehave."""

import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import requests
from coze_sts.access_token import AccessToken
from coze_sts.coze import grant
from coze_sts.coze.answer import MAX_BODY_BYTES, Grant
from coze_sts.coze.app_key import CozeApp, parse_app
from coze_sts.coze.grant import exchange, new_http_session
from coze_sts.coze.mint import mint
from coze_sts.errors import StsError, TemporarilyUnavailable, UpstreamRejected
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.factories import CANARY, NOW, Clock, everything_told, make_settings
from tests.http_servers import RawServer, answer, raw_server
from tests.local.coze import CozeStandIn, demo_config
from tests.local.server import serve

GRANTED = json.dumps({"access_token": "czs_one", "expires_in": NOW + 3600}).encode()
CONTEXT = {"device_info": {"custom_consumer": "u-42"}, "connector_info": {"connector_id": "2001"}}
Behave = Callable[[socket.socket], None]


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with new_http_session() as session:
        yield session


@pytest.fixture
def coze(clock: Clock) -> CozeStandIn:
    return CozeStandIn(clock=clock)


@pytest.fixture
def app(coze: CozeStandIn) -> Iterator[CozeApp]:
    """An app that the stand-in knows, while the stand-in is served."""
    with serve(coze) as server:
        config, public_key = demo_config(server.url)
        for kid, kind in ((config["public_key_id"], "ordinary"), ("channel-kid", "channel")):
            coze.register_app(
                client_id=config["client_id"], kid=kid, public_key_pem=public_key, kind=kind
            )
        yield parse_app(json.dumps(config))


def mint_one(
    http: requests.Session, app: CozeApp, clock: Clock, **settings: Any
) -> tuple[AccessToken, str | None]:
    return mint(
        http,
        app=app,
        settings=make_settings(**settings),
        session_name="u-42",
        session_context=CONTEXT,
        now=clock(),
        seconds=5,
    )


def exchange_at(url: str, http: requests.Session, **more: Any) -> Grant:
    asked: dict[str, Any] = {
        "duration_seconds": 3600,
        "scope": None,
        "sent_at": NOW,
        "seconds": 5,
    }
    return exchange(http, url=url + "/token", assertion=CANARY, **(asked | more))


def failure(kind: type[StsError], url: str, http: requests.Session, **more: Any) -> str:
    """The operator's sentence of an exchange that must fail, and shows no assertion."""
    with pytest.raises(kind) as refused:
        exchange_at(url, http, **more)
    assert CANARY not in everything_told(refused.value)
    return refused.value.operator or ""


def sends(*parts: bytes, pause: float = 0.0) -> Behave:
    def behave(stream: socket.socket) -> None:
        for part in parts:
            stream.sendall(part)
            time.sleep(pause)

    return behave


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
    http: requests.Session,
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


def test_a_channel_app_sends_its_scope(
    http: requests.Session, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    scoped = {"coze_bot_ids": ("7401",), "coze_permissions": ("Connector.botChat",)}
    channel = CozeApp(**{**vars(app), "kid": "channel-kid"})
    mint_one(http, channel, clock, **scoped)
    assert coze.exchanges[0].scope == make_settings(**scoped).scope


def test_an_absolute_and_a_relative_expires_in_mean_the_same(
    http: requests.Session, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    absolute, _ = mint_one(http, app, clock)
    coze.relative_expires_in = True
    relative, _ = mint_one(http, app, clock)
    assert absolute.expires_at == relative.expires_at == NOW + 3600


def test_a_duration_counts_from_the_moment_of_sending(
    http: requests.Session, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    coze.fail_next(status=200, body={"access_token": "czs_one", "expires_in": 100})
    assert mint_one(http, app, clock)[0].expires_at == NOW + 100


def test_every_exchange_signs_an_assertion_of_its_own(
    http: requests.Session, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    tokens = {mint_one(http, app, clock)[0].value for _ in range(5)}
    assert len(tokens) == len({seen.jti for seen in coze.exchanges}) == 5


def test_the_assertion_is_in_the_authorization_header_and_nowhere_else(
    http: requests.Session,
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


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "503 Unavailable"])
def test_a_connection_serves_again_but_carries_nothing_over(
    http: requests.Session, status: str
) -> None:
    cookie = answer(GRANTED, status=status, headers="Set-Cookie: who=u-42; Path=/\r\n")
    with raw_server(sends(cookie)) as server:
        for _ in range(3):
            try:
                exchange_at(server.url, http)
            except StsError:
                assert status != "200 OK"
    assert (len(server.connections), len(server.requests)) == (1, 3)
    assert not any(b"cookie" in request.lower() for request in server.requests)


def test_nothing_of_the_environment_is_obeyed(
    http: requests.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with raw_server(sends(answer(GRANTED))) as server:
        assert exchange_at(server.url, http).access_token == "czs_one"
    assert f"Authorization: Bearer {CANARY}".encode() in server.requests[0]


# Coze refuses


def test_a_key_of_the_other_region_names_the_host_it_was_sent_to(
    http: requests.Session, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    coze.forget_key(kid=app.kid)
    with pytest.raises(UpstreamRejected) as refused:
        mint_one(http, app, clock)
    told, host = refused.value.operator or "", app.api_base.removeprefix("http://")
    assert f"Coze's host {host} does not know this key" in told
    assert "https://api.coze.com" in told
    assert re.search(r"x-tt-logid \w{20,}\.", told)


def test_an_app_that_was_disabled_is_a_rejection(
    http: requests.Session, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    coze.disable_app(client_id=app.client_id)
    with pytest.raises(UpstreamRejected) as refused:
        mint_one(http, app, clock)
    assert "access_deny" in (refused.value.operator or "")


def test_retry_after_and_the_log_id_come_through(
    http: requests.Session, app: CozeApp, clock: Clock, coze: CozeStandIn
) -> None:
    coze.fail_next(
        status=429, body={"error": "slow_down"}, headers={"Retry-After": "17", "x-tt-logid": "ID7"}
    )
    with pytest.raises(TemporarilyUnavailable) as refused:
        mint_one(http, app, clock)
    assert refused.value.retry_after == 17
    assert "x-tt-logid ID7" in (refused.value.operator or "")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(http: requests.Session, status: int) -> None:
    with raw_server(sends(answer(GRANTED))) as elsewhere:
        moved = answer(
            b"", status=f"{status} Moved", headers=f"Location: {elsewhere.url}/token\r\n"
        )
        with raw_server(sends(moved)) as server:
            assert f"answered {status}" in failure(UpstreamRejected, server.url, http)
    assert (len(server.requests), elsewhere.connections) == (1, [])


# Coze fails


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x00\x01garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + GRANTED,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + GRANTED,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + GRANTED[:5],
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
    ids=["nothing", "no HTTP", "cut", "bad chunk", "cut chunk", "endless headers"],
)
def test_a_broken_answer_is_temporary_and_is_not_tried_again(
    http: requests.Session, said: bytes
) -> None:
    def hang_up(stream: socket.socket) -> None:
        stream.sendall(said)
        stream.shutdown(socket.SHUT_RDWR)

    with raw_server(hang_up) as server:
        assert "did not answer" in failure(TemporarilyUnavailable, server.url, http)
    assert len(server.requests) == 1


def test_a_host_that_is_not_there_is_temporary(http: requests.Session) -> None:
    with raw_server(sends()) as server:
        gone = server.url
    told = failure(TemporarilyUnavailable, gone, http)
    assert told == f"{gone.removeprefix('http://')} did not answer: ConnectionError."


@pytest.mark.parametrize(("seconds", "limits"), [(8, (2, 5)), (3, (2, 3)), (0.5, (0.5, 0.5))])
def test_the_limits_of_time_are_those_of_the_design_and_never_more_than_is_left(
    http: requests.Session,
    monkeypatch: pytest.MonkeyPatch,
    *,
    seconds: float,
    limits: tuple[float, float],
) -> None:
    seen: dict[str, Any] = {}

    def post(_url: str, **options: Any) -> None:
        seen.update(options)
        raise requests.ConnectTimeout

    monkeypatch.setattr(http, "post", post)
    failure(TemporarilyUnavailable, "http://127.0.0.1:9", http, seconds=seconds)
    assert seen["timeout"] == limits


def test_a_server_that_stalls_is_given_up(
    http: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grant, "READ_SECONDS", 0.1)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    for stall in (sends(b"", pause=5), sends(head, pause=5)):
        with raw_server(stall) as server:
            started = time.monotonic()
            assert "did not answer" in failure(TemporarilyUnavailable, server.url, http)
        assert time.monotonic() - started < 3


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(GRANTED)
HALVES = [GRANTED[: len(GRANTED) // 2], GRANTED[len(GRANTED) // 2 :]]
DRIPS: dict[str, list[bytes]] = {
    "headers": [HEAD, *[b"X: y\r\n"] * 40, b"\r\n" + GRANTED],
    "one header": [HEAD, b"X: ", *[b"y"] * 40, b"\r\n\r\n" + GRANTED],
    "body": [HEAD + b"\r\n", *[GRANTED[at : at + 1] for at in range(len(GRANTED))]],
    "both": [HEAD, *[b"X: y\r\n"] * 4, b"\r\n", *HALVES],
}


@pytest.mark.parametrize("what", DRIPS)
def test_an_answer_that_drips_is_given_up_by_the_clock_of_the_whole_call(
    http: requests.Session, what: str
) -> None:
    """Each byte comes in time; all of them, counted from before the request, do not."""
    with raw_server(sends(*DRIPS[what], pause=0.06)) as server:
        started = time.monotonic()
        assert "Timeout" in failure(TemporarilyUnavailable, server.url, http, seconds=0.3)
        assert 0.25 < time.monotonic() - started < 0.6


def test_a_call_that_was_given_up_is_in_nobodys_way(http: requests.Session) -> None:
    """It goes on in its own thread; the next one neither waits for it nor gets its answer."""
    stale = answer(GRANTED.replace(b"czs_one", b"czs_old"))
    answers = iter([sends(*[stale[at : at + 1] for at in range(9)], stale[9:], pause=0.1)])

    def behave(stream: socket.socket) -> None:
        next(answers, sends(answer(GRANTED)))(stream)

    with raw_server(behave) as server:
        failure(TemporarilyUnavailable, server.url, http, seconds=0.2)
        assert exchange_at(server.url, http).access_token == "czs_one"
        time.sleep(1)
        assert exchange_at(server.url, http).access_token == "czs_one"


def test_a_name_server_that_stalls_is_given_up(
    http: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(3))
    started = time.monotonic()
    assert "Timeout" in failure(TemporarilyUnavailable, "http://coze.test", http, seconds=0.2)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("seconds", [0, -0.1, -30])
def test_a_call_whose_time_is_over_is_not_made(http: requests.Session, seconds: float) -> None:
    with raw_server(sends(answer(GRANTED))) as server:
        for _ in range(20):
            told = failure(TemporarilyUnavailable, server.url, http, seconds=seconds)
            assert "Timeout" in told
    assert server.connections == []


def test_whatever_an_answer_makes_of_a_library_is_named_by_its_class_alone(
    http: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post(_url: str, **_options: Any) -> None:
        raise UnicodeError(CANARY)

    monkeypatch.setattr(http, "post", post)
    told = failure(TemporarilyUnavailable, "http://127.0.0.1:9", http)
    assert told == "127.0.0.1:9 did not answer: UnicodeError."


@pytest.mark.parametrize("framing", ["Content-Length: 100000000", "Transfer-Encoding: chunked"])
def test_a_body_without_end_is_read_to_the_limit_and_no_further(
    http: requests.Session, framing: str
) -> None:
    sent = 0

    def pour(stream: socket.socket) -> None:
        nonlocal sent
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        stream.sendall(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode())
        block = b" " * 4096
        while sent < 100_000_000:
            stream.sendall(block if "Length" in framing else b"1000\r\n" + block + b"\r\n")
            sent += 4096

    with raw_server(pour) as server:
        assert str(MAX_BODY_BYTES) in failure(UpstreamRejected, server.url, http)
    assert sent < 20_000_000, "what the socket's buffers hold, and not the whole"


def test_a_redirect_without_end_is_not_read_to_its_end(http: requests.Session) -> None:
    sent = 0

    def pour(stream: socket.socket) -> None:
        nonlocal sent
        head = b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 100000000\r\n\r\n"
        stream.sendall(head)
        while sent < 100_000_000:
            stream.sendall(b" " * 4096)
            sent += 4096

    with raw_server(pour) as server:
        assert "answered 302" in failure(UpstreamRejected, server.url, http)
    assert sent < 20_000_000, "what the socket's buffers hold, and not the whole"


def test_a_chunked_answer_is_read(http: requests.Session) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, GRANTED[at : at + 1]) for at in range(len(GRANTED)))
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with raw_server(sends(head + chunks + b"0\r\n\r\n")) as server:
        assert exchange_at(server.url, http).access_token == "czs_one"


@pytest.fixture(scope="module")
def self_signed(
    tmp_path_factory: pytest.TempPathFactory, rsa_key: rsa.RSAPrivateKey, private_pem: str
) -> Path:
    """A certificate for 127.0.0.1 that nobody vouches for, with its key, in one file."""
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "coze")]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, rsa_key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(rsa_key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_text(certificate.public_bytes(Encoding.PEM).decode() + private_pem)
    return path


@pytest.fixture
def impostor(self_signed: Path) -> Iterator[RawServer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(self_signed)
    with raw_server(sends(answer(GRANTED)), tls=tls) as server:
        yield server


def test_a_server_that_nobody_vouches_for_never_sees_the_assertion(
    http: requests.Session,
    impostor: RawServer,
    self_signed: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(self_signed))
    assert "SSLError" in failure(TemporarilyUnavailable, impostor.url, http)
    assert impostor.requests == []


def test_the_impostor_would_answer_whoever_trusts_it(
    http: requests.Session, impostor: RawServer, self_signed: Path
) -> None:
    """Else the test above would prove nothing."""
    assert http.post(impostor.url, verify=str(self_signed), timeout=5).status_code == 200


@pytest.mark.parametrize("location", [b"//[", b"\xff\xfe", b"http://x:99999999/"])
def test_a_location_that_is_none_is_an_answer_like_any_other(
    http: requests.Session, location: bytes
) -> None:
    moved = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
    with raw_server(sends(moved)) as server:
        assert "answered 302" in failure(UpstreamRejected, server.url, http)
