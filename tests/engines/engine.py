"""Finds, starts and stops an engine. Each is a URL to its clients."""

import atexit
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Literal

import boto3
import requests
from botocore.config import Config

from tests.local.ports import listen
from tests.local.server import serve

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Engine = Literal["moto", "dynalite", "dynamodb-local"]
ENGINES: tuple[Engine, ...] = ("moto", "dynalite", "dynamodb-local")

MODULES = Path(__file__).parent / "node_modules"
DYNALITE = MODULES / "dynalite"
DYNAMODB_LOCAL = MODULES / "amplify-dynamodb-simulator" / "emulator"
START_SECONDS = 30
QUIET = {"DDB_LOCAL_TELEMETRY": "0"}
"""DynamoDB Local tells Amazon of its use otherwise, and its -disableTelemetry changes nothing."""

REGION = "eu-west-1"

_PROGRAM: dict[Engine, tuple[str, Path]] = {
    "dynalite": ("node", DYNALITE),
    "dynamodb-local": ("java", DYNAMODB_LOCAL),
}


def lacking(engine: Engine) -> str | None:
    """What of `engine` this machine lacks, as a sentence that says what to do; None if nothing."""
    program, folder = _PROGRAM.get(engine, (None, MODULES))
    if program and not shutil.which(program):
        return f"{engine} needs {program} on the PATH"
    if program and not folder.is_dir():
        return f"{engine} is not installed: npm ci --prefix tests/engines"
    return None


@contextmanager
def running(engine: Engine) -> Iterator[str]:
    """The URL of an engine of one's own, which is empty and forgets all at the end.

    All but moto, which keeps one state for the whole process: name tables apart.
    """
    if engine == "moto":
        # Slow to import, and of no use to those who want another.
        from moto.moto_server.werkzeug_app import (  # noqa: PLC0415
            DomainDispatcherApplication,
            create_backend_app,
        )

        with serve(DomainDispatcherApplication(create_backend_app)) as server:
            yield server.url
        return
    port = _free_port()
    with _program(_command(engine, port), port=port) as url:
        yield url


@cache
def shared(engine: Engine) -> str:
    """The URL of an engine that runs until this process ends: name tables apart."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running(engine))


def client_of(url: str, *, config: Config | None = None) -> "DynamoDBClient":
    """A client that signs with made-up keys and asks once, unless `config` says otherwise."""
    plain = Config(proxies={}, retries={"total_max_attempts": 1})
    return boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=plain.merge(config) if config else plain,
    )


def create_table(client: "DynamoDBClient") -> str:
    """A new table as template.yaml has it, under a name of its own."""
    name = f"tokens-{uuid.uuid4().hex[:12]}"
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    while client.describe_table(TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        time.sleep(0.01)
    return name


def _command(engine: Engine, port: int) -> list[str]:
    if engine == "dynalite":
        quick = ["--createTableMs", "0", "--deleteTableMs", "0"]
        return ["node", str(DYNALITE / "cli.js"), "--host", "127.0.0.1", f"--port={port}", *quick]
    libraries = f"-Djava.library.path={DYNAMODB_LOCAL / 'DynamoDBLocal_lib'}"
    jar = str(DYNAMODB_LOCAL / "DynamoDBLocal.jar")
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]  # half the time to start
    return ["java", *quick, libraries, "-jar", jar, "-inMemory", "-port", str(port)]


@contextmanager
def _program(command: Sequence[str], *, port: int) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    with (
        TemporaryFile() as said,
        subprocess.Popen(
            command, env=os.environ | QUIET, stdout=said, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            if not _answers(url, process):
                said.seek(0)
                raise RuntimeError(f"{command} did not start: {said.read().decode()}")
            yield url
        finally:
            process.kill()
            process.wait()


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(url, timeout=1)
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return True
    return False


def _free_port() -> int:
    """Free a moment ago: neither program can be handed a socket."""
    with listen().socket as taken:
        port: int = taken.getsockname()[1]
    return port
