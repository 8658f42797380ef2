"""What the tests here need of a machine: the SAM CLI, Python 3.13, a container engine."""

import os
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

SOCKETS = ("/var/run/docker.sock", "~/.docker/run/docker.sock")


def sam_cli() -> str | None:
    """The program: SAM_CLI names it, or it is on the PATH."""
    return shutil.which(os.environ.get("SAM_CLI") or "sam")


def missing() -> list[str]:
    """What this machine lacks."""
    needed = {
        "the SAM CLI (on the PATH, or named by SAM_CLI)": sam_cli() is not None,
        "python3.13 (on the PATH)": has_python(),
        "a container engine (Docker, or what DOCKER_HOST names)": _has_engine(),
    }
    return [name for name, there in needed.items() if not there]


def has_python() -> bool:
    """Run it: a version manager's shim can be there for a Python that is not."""
    try:
        return subprocess.run(["python3.13", "-c", ""], check=False).returncode == 0
    except OSError:
        return False


def _has_engine() -> bool:
    named = os.environ.get("DOCKER_HOST")
    hosts = [named] if named else [f"unix://{Path(path).expanduser()}" for path in SOCKETS]
    return any(map(_answers, hosts))


def _answers(host: str) -> bool:
    """Whether Docker's API answers at a DOCKER_HOST such as unix:///var/run/docker.sock."""
    parts = urlsplit(host)
    family = socket.AF_UNIX if parts.scheme == "unix" else socket.AF_INET
    address = parts.path if parts.scheme == "unix" else (parts.hostname, parts.port or 2375)
    try:
        with socket.socket(family) as engine:
            engine.settimeout(5)
            engine.connect(address)
            engine.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            return b" 200 " in engine.recv(64)
    except OSError:
        return False
