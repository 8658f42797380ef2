"""One HTTP request over real sockets, to servers that answer well and to servers that do not."""

import logging
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from coze_sts import web
from coze_sts.web import MAX_BODY_BYTES, NoAnswer, WebAnswer, new_http_session, send
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from urllib3 import PoolManager

from tests.factories import CANARY, everything_told
from tests.http_servers import RawServer, answer, raw_server, sends

GOOD = b'{"name": "good"}'
SECRET = {"Authorization": f"Bearer {CANARY}"}


@pytest.fixture
def http() -> Iterator[PoolManager]:
    with new_http_session() as session:
        yield session


def call(url: str, http: PoolManager, **more: Any) -> WebAnswer:
    asked: dict[str, Any] = {"method": "POST", "json": {}, "headers": SECRET, "seconds": 5}
    return send(http, url=url + "/path", **(asked | more))


def failure(url: str, http: PoolManager, **more: Any) -> str:
    """What is told of a call that gets no answer, and shows no secret to whoever digs for it."""
    with pytest.raises(NoAnswer) as failed:
        call(url, http, **more)
    assert (failed.value.__cause__, failed.value.__context__) == (None, None)
    assert CANARY not in everything_told(failed.value)
    return str(failed.value)


# What is sent


def test_what_to_send_is_sent_as_it_should_be(http: PoolManager) -> None:
    with raw_server(sends(answer(GOOD))) as server:
        call(server.url, http, json={"a": 1})
        call(server.url, http, json=None, form={"a": "1 2", "b": "&"})
        call(server.url, http, json=None, method="GET", params={"a": "1 2", "b": "&"})
        call(server.url, http, json=None, content=b'{"a":1}')
    as_json, as_form, as_query, as_it_is = server.requests
    assert as_json.startswith(b"POST /path HTTP/1.1\r\n")
    assert as_json.endswith(b'\r\n\r\n{"a":1}')
    assert b"\r\nContent-Type: application/json\r\n" in as_json
    assert as_form.endswith(b"\r\n\r\na=1+2&b=%26")
    assert b"\r\nContent-Type: application/x-www-form-urlencoded\r\n" in as_form
    assert as_query.startswith(b"GET /path?a=1+2&b=%26 HTTP/1.1\r\n")
    assert as_it_is.endswith(b'\r\n\r\n{"a":1}')
    for request in server.requests:
        assert f"\r\nAuthorization: Bearer {CANARY}\r\n".encode() in request
        assert b"\r\nAccept-Encoding: identity\r\n" in request


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "503 Unavailable"])
def test_a_connection_serves_again_but_carries_nothing_over(http: PoolManager, status: str) -> None:
    cookie = answer(GOOD, status=status, headers="Set-Cookie: who=u-42; Path=/\r\n")
    with raw_server(sends(cookie)) as server:
        for _ in range(3):
            assert call(server.url, http).status == int(status[:3])
    assert (len(server.connections), len(server.requests)) == (1, 3)
    assert not any(b"cookie" in request.lower() for request in server.requests)


def test_nothing_of_the_environment_is_obeyed(
    http: PoolManager, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
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
    with raw_server(sends(answer(GOOD))) as server:
        assert call(server.url, http).body == GOOD
    assert f"Authorization: Bearer {CANARY}".encode() in server.requests[0]


# What is answered


def test_an_answer_is_status_headers_in_lower_case_and_body(http: PoolManager) -> None:
    with raw_server(sends(answer(GOOD, status="418 Teapot", headers="X-Ab: Cd\r\n"))) as server:
        assert call(server.url, http) == WebAnswer(
            status=418, headers={"content-length": str(len(GOOD)), "x-ab": "Cd"}, body=GOOD
        )


def test_a_chunked_answer_is_read(http: PoolManager) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, GOOD[at : at + 1]) for at in range(len(GOOD)))
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with raw_server(sends(head + chunks + b"0\r\n\r\n")) as server:
        assert call(server.url, http).body == GOOD


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        (GOOD, {"name": "good"}),
        (GOOD + b" " * (MAX_BODY_BYTES - len(GOOD)), {"name": "good"}),
        (GOOD + b" " * (MAX_BODY_BYTES + 1 - len(GOOD)), None),
        ('{"name": "爱"}'.encode(), {"name": "爱"}),
        (b'["good"]', None),
        (b'"good"', None),
        (b"", None),
        (b"<html>", None),
        (b"\xff\xfe\xfd", None),
        (b'{"a": ' + b"9" * 5000 + b"}", None),
        (b"[" * 60_000, None),
    ],
)
def test_a_body_is_a_json_object_or_none_at_all(
    body: bytes, meaning: dict[str, str] | None
) -> None:
    assert WebAnswer(status=200, headers={}, body=body).json_object() == meaning


def test_an_answer_shows_no_body() -> None:
    assert CANARY not in repr(WebAnswer(status=200, headers={}, body=CANARY.encode()))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(http: PoolManager, status: int) -> None:
    with raw_server(sends(answer(GOOD))) as elsewhere:
        moved = answer(b"", status=f"{status} Moved", headers=f"Location: {elsewhere.url}/path\r\n")
        with raw_server(sends(moved)) as server:
            assert call(server.url, http).status == status
    assert (len(server.requests), elsewhere.connections) == (1, [])


def pour(sent: list[int], *, head: bytes, chunked: bool = False) -> Any:
    """A server that sends 100 MB, and counts what it could send."""

    def behave(stream: socket.socket) -> None:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        stream.sendall(head)
        block = b" " * 4096
        while sum(sent) < 100_000_000:
            stream.sendall(b"1000\r\n" + block + b"\r\n" if chunked else block)
            sent.append(4096)

    return behave


@pytest.mark.parametrize("framing", ["Content-Length: 100000000", "Transfer-Encoding: chunked"])
def test_a_body_without_end_is_read_to_the_limit_and_no_further(
    http: PoolManager, framing: str
) -> None:
    sent: list[int] = []
    head = f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode()
    with raw_server(pour(sent, head=head, chunked="chunked" in framing)) as server:
        assert len(call(server.url, http).body) == MAX_BODY_BYTES + 1
    assert sum(sent) < 20_000_000, "what the socket's buffers hold, and not the whole"


def test_a_redirect_without_end_is_not_read_to_its_end(http: PoolManager) -> None:
    sent: list[int] = []
    head = b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 100000000\r\n\r\n"
    with raw_server(pour(sent, head=head)) as server:
        assert call(server.url, http).status == 302
    assert sum(sent) < 20_000_000, "what the socket's buffers hold, and not the whole"


# No answer


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x00\x01garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + GOOD,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + GOOD,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + GOOD[:5],
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
    ids=["nothing", "no HTTP", "cut", "bad chunk", "cut chunk", "endless headers"],
)
def test_a_broken_answer_is_none_and_is_not_asked_for_again(http: PoolManager, said: bytes) -> None:
    def hang_up(stream: socket.socket) -> None:
        stream.sendall(said)
        stream.shutdown(socket.SHUT_RDWR)

    with raw_server(hang_up) as server:
        assert failure(server.url, http, params={"secret": CANARY}).isidentifier()
    assert len(server.requests) == 1


def test_a_host_that_is_not_there_does_not_answer(http: PoolManager) -> None:
    with raw_server(sends()) as server:
        gone = server.url
    assert failure(gone, http, params={"secret": CANARY}) == "NewConnectionError"


def test_whatever_an_answer_makes_of_a_library_is_named_by_its_class_alone(
    http: PoolManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def request(**_options: Any) -> None:
        raise UnicodeError(CANARY)

    monkeypatch.setattr(http, "request", request)
    assert failure("http://127.0.0.1:9", http) == "UnicodeError"


def test_no_library_logs_what_is_in_a_query(
    http: PoolManager, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even where a server's headers are broken, which is worth a warning to urllib3."""
    caplog.set_level(logging.DEBUG)
    broken = answer(GOOD, headers="no header at all\r\n")
    with raw_server(sends(broken)) as server:
        call(server.url, http, params={"secret": CANARY})
    assert CANARY.encode() in server.requests[0]
    assert CANARY not in caplog.text


# Time


@pytest.mark.parametrize(("seconds", "limits"), [(8, (2, 5)), (3, (2, 3)), (0.5, (0.5, 0.5))])
def test_the_limits_of_time_are_those_of_the_design_and_never_more_than_is_left(
    http: PoolManager,
    monkeypatch: pytest.MonkeyPatch,
    *,
    seconds: float,
    limits: tuple[float, float],
) -> None:
    seen: dict[str, Any] = {}

    def request(**options: Any) -> None:
        seen.update(options)
        raise TimeoutError

    monkeypatch.setattr(http, "request", request)
    failure("http://127.0.0.1:9", http, seconds=seconds)
    assert (seen["timeout"].connect_timeout, seen["timeout"].read_timeout) == limits


def test_a_server_that_stalls_is_given_up(
    http: PoolManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "READ_SECONDS", 0.1)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    for stall in (sends(b"", pause=5), sends(head, pause=5)):
        with raw_server(stall) as server:
            started = time.monotonic()
            assert failure(server.url, http)
        assert time.monotonic() - started < 3


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(GOOD)
HALVES = [GOOD[: len(GOOD) // 2], GOOD[len(GOOD) // 2 :]]
DRIPS: dict[str, list[bytes]] = {
    "headers": [HEAD, *[b"X: y\r\n"] * 40, b"\r\n" + GOOD],
    "one header": [HEAD, b"X: ", *[b"y"] * 40, b"\r\n\r\n" + GOOD],
    "body": [HEAD + b"\r\n", *[GOOD[at : at + 1] for at in range(len(GOOD))]],
    "both": [HEAD, *[b"X: y\r\n"] * 4, b"\r\n", *HALVES],
}


@pytest.mark.parametrize("what", DRIPS)
def test_an_answer_that_drips_is_given_up_by_the_clock_of_the_whole_call(
    http: PoolManager, what: str
) -> None:
    """Each byte comes in time; all of them, counted from before the request, do not."""
    with raw_server(sends(*DRIPS[what], pause=0.06)) as server:
        started = time.monotonic()
        assert "Timeout" in failure(server.url, http, seconds=0.3)
        assert 0.25 < time.monotonic() - started < 0.6


def test_a_call_that_was_given_up_is_in_nobodys_way(http: PoolManager) -> None:
    """It goes on in its own thread; the next one neither waits for it nor gets its answer."""
    stale = answer(GOOD.replace(b"good", b"late"))
    answers = iter([sends(*[stale[at : at + 1] for at in range(9)], stale[9:], pause=0.1)])

    def behave(stream: socket.socket) -> None:
        next(answers, sends(answer(GOOD)))(stream)

    with raw_server(behave) as server:
        failure(server.url, http, seconds=0.2)
        assert call(server.url, http).body == GOOD
        time.sleep(1)
        assert call(server.url, http).body == GOOD


def test_a_name_server_that_stalls_is_given_up(
    http: PoolManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(3))
    started = time.monotonic()
    assert failure("http://coze.test", http, seconds=0.2) == "TimeoutError"
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("seconds", [0, -0.1, -30])
def test_a_call_whose_time_is_over_is_not_made(http: PoolManager, seconds: float) -> None:
    with raw_server(sends(answer(GOOD))) as server:
        for _ in range(20):
            assert failure(server.url, http, seconds=seconds) == "TimeoutError"
    assert server.connections == []


# TLS


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
    with raw_server(sends(answer(GOOD)), tls=tls) as server:
        yield server


def test_a_server_that_nobody_vouches_for_sees_nothing(
    http: PoolManager,
    impostor: RawServer,
    self_signed: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(self_signed))
    assert failure(impostor.url, http, params={"secret": CANARY}) == "SSLError"
    assert impostor.requests == []
