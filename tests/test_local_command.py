"""``python -m tests.local``, used as a newcomer uses it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.local.coze import CozeStandIn, demo_config
from tests.local.ports import CannotListen, Ports, listen
from tests.local.server import serve

ROOT = Path(__file__).parents[1]
READY_SECONDS = 5
STOP_SECONDS = 3
BLOCK = re.compile(r"^(?P<title>.+) \((?P<status>\d{3})\)\n(?P<lines>(?:.+\n)+)", re.MULTILINE)
BETWEEN = "\x1e"
CHAT = "Coze: alice says hello, and the bot answers"


@dataclass
class Running:
    """The command at work; ``shown`` is what it printed until it was ready."""

    process: subprocess.Popen[str]
    url: str
    shown: str
    seconds: float


def free_port() -> int:
    """The first of four free ports in a row."""
    for first in range(23_000, 60_000, 4):
        try:
            ports = Ports.take(first=first)
        except CannotListen:
            continue
        for port in (ports.gateway, ports.coze, ports.oidc, ports.aws):
            port.socket.close()
        return first
    raise AssertionError("no four free ports in a row")


def start(environ: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.local"],
        cwd=ROOT,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(**environ: str) -> Iterator[Running]:
    port = free_port()
    started = time.monotonic()
    process = start({"PORT": str(port), **environ})
    assert process.stdout
    try:
        shown = ""
        while not shown.rpartition("\n")[0].rpartition("\n")[2].startswith("Ready"):
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            shown += line
        seconds = time.monotonic() - started
        yield Running(process, f"http://127.0.0.1:{port}", shown, seconds)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def dev() -> Iterator[Running]:
    with running() as dev:
        yield dev


def test_it_is_ready_within_five_seconds(dev: Running) -> None:
    assert dev.seconds < READY_SECONDS


def test_the_page_is_named_first(dev: Running) -> None:
    second = dev.shown.splitlines()[1]
    assert second.startswith(f"Open {dev.url} in a browser")
    told = requests.get(f"{dev.url}/demo/settings.json", timeout=5).json()
    assert (told["endpoint"], told["standIn"]) == (dev.url, True)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_every_command_that_is_shown_answers_as_shown(dev: Running) -> None:
    blocks = list(BLOCK.finditer(dev.shown))
    assert len(blocks) == dev.shown.count("curl -s -w")
    script = f"printf '{BETWEEN}'\n".join(block["lines"] for block in blocks)
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    answers = dict(
        zip((block["title"] for block in blocks), ran.stdout.split(BETWEEN), strict=True)
    )
    for block in blocks:
        assert answers[block["title"]].endswith(f" {block['status']}\n"), block["title"]

    def body(title: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(answers[title].rpartition(" ")[0])
        return found

    alice, bob = (body(f"POST /token: {name} is signed in") for name in ("alice", "bob"))
    assert alice["access_token"] != bob["access_token"]
    assert body("Coze: alice sees it")["data"]["conversations"]  # type: ignore[index]
    assert not body("Coze: bob does not")["data"]["conversations"]  # type: ignore[index]
    assert "event:conversation.chat.completed" in answers[CHAT]
    assert body("A page of another site")["error"] == "access_denied"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_of_it_quietly(number: signal.Signals) -> None:
    with running() as dev:
        requests.get(f"{dev.url}/health", timeout=5)
        dev.process.send_signal(number)
        _, errors = dev.process.communicate(timeout=STOP_SECONDS)
        assert dev.process.returncode == 0
        assert errors == ""
        first = int(dev.url.rpartition(":")[2])
        for port in range(first, first + 4):
            listen(port=port).socket.close()


def refused(**environ: str) -> str:
    """The one line that a start which cannot work says."""
    process = start({"PORT": "0", **environ})
    shown, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert shown == ""
    assert errors.count("\n") == 1, errors
    return errors


@pytest.mark.parametrize("offset", range(4))
def test_a_taken_port_is_told_in_one_line(offset: int) -> None:
    first = free_port()
    taken = listen(port=first + offset)
    line = refused(PORT=str(first))
    taken.socket.close()
    assert f":{first + offset} " in line
    assert "PORT=" in line


@pytest.mark.parametrize("port", ["http", "0", "-1", "65533", "3000.5", "²"])
def test_a_port_that_is_none_is_told_in_one_line(port: str) -> None:
    assert "PORT must be" in refused(PORT=port)


def test_a_missing_file_is_told_in_one_line(tmp_path: Path) -> None:
    path = str(tmp_path / "coze_oauth_config.json")
    assert path in refused(COZE_CONFIG=path)
    assert str(tmp_path) in refused(COZE_CONFIG=str(tmp_path))


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


BAD_FIELDS: dict[str, tuple[str, str]] = {
    "short key": ("private_key", pem(rsa.generate_private_key(65537, 1024))),
    "EC key": ("private_key", pem(ec.generate_private_key(ec.SECP256R1()))),
    "not a key": ("private_key", "hunter2"),
    "wrong type": ("client_type", "web"),
    "no kid": ("public_key_id", ""),
    "http base": ("coze_api_base", "http://api.coze.cn"),
}


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_a_bad_file_is_told_in_one_line_that_names_the_field(name: str, tmp_path: Path) -> None:
    field, value = BAD_FIELDS[name]
    config, _ = demo_config("http://127.0.0.1:1")
    path = tmp_path / "coze_oauth_config.json"
    path.write_text(json.dumps({**config, field: value}))
    line = refused(COZE_CONFIG=str(path))
    assert field in line
    assert str(path) in line
    assert not value or value not in line
    assert "COZE_SECRET_ID" not in line


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff\xfe", b"{'client_type': 'jwt'}"])
def test_a_file_that_is_no_json_is_told_in_one_line(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "coze_oauth_config.json"
    path.write_bytes(text)
    assert str(path) in refused(COZE_CONFIG=str(path))


def test_an_own_app_is_used_in_place_of_the_stand_in(tmp_path: Path) -> None:
    coze = CozeStandIn()
    with serve(coze) as server:
        config, public_pem = demo_config(server.url, client_id="4242")
        coze.register_app(client_id="4242", kid=config["public_key_id"], public_key_pem=public_pem)
        path = tmp_path / "coze_oauth_config.json"
        path.write_text(json.dumps(config))
        with running(COZE_CONFIG=str(path), BOT_ID="77") as dev:
            assert f"app 4242 at {server.url}" in dev.shown
            told = requests.get(f"{dev.url}/demo/settings.json", timeout=5).json()
            assert (told["coze"], told["botId"]) == (server.url, "77")
            assert "/v1/" not in dev.shown
            answer = requests.post(f"{dev.url}/guest/token", timeout=5)
            assert answer.json()["access_token"] in coze.tokens
