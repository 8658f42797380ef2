"""Runs what README.md and docs/ show: pages in Node.js, commands in a shell."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.markdown import README, ROOT
from tests.local.aws import REGION
from tests.local.stack import DEMO_BACKEND, LocalStack

SHOWN_PAGE = "https://www.example.com"
SHOWN_URL = "https://abc123.execute-api.eu-west-1.amazonaws.com"
SHOWN_REGION = "eu-west-1"


def ticket_name(stack: LocalStack) -> str:
    """What the browser keeps the guest's ticket under."""
    return f"coze-sts-guest-ticket {stack.url}"


BROWSER = """
const server = globalThis.fetch;
const kept = new Map(JSON.parse(process.env.KEPT ?? "[]"));
globalThis.fetch = (url, init) =>
  server(url, { ...init, headers: { ...init.headers, origin: process.env.PAGE } });
globalThis.localStorage = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
  removeItem: (name) => kept.delete(name),
};
globalThis.CozeWebSDK = {
  WebChatClient: class { constructor(options) { globalThis.widget = options; } },
};
const signInToken = async () => process.env.SIGN_IN_TOKEN ?? null;
"""
LEAVE = "process.exit();\n"


def strict_stack() -> LocalStack:
    """As strict as a real one: no page but the one that is shown gets a token."""
    return LocalStack(parameters={"AllowedOrigins": SHOWN_PAGE, "AllowNoOrigin": "off"})


def program(name: str) -> str:
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


def adapted(example: str, stack: LocalStack) -> str:
    """The example with the endpoint and the region of the stack in place of those shown."""
    assert SHOWN_URL in example
    return example.replace(SHOWN_URL, stack.url).replace(SHOWN_REGION, REGION)


def output(*command: str, folder: Path, **variables: str) -> str:
    keys = {
        "AWS_ACCESS_KEY_ID": DEMO_BACKEND.access_key,
        "AWS_SECRET_ACCESS_KEY": DEMO_BACKEND.secret_key,
        "NO_PROXY": "127.0.0.1",
        "PAGE": SHOWN_PAGE,
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env={**keys, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(script: str, folder: Path, **variables: str) -> Any:
    """What the script prints, run as a module by Node.js, with the helper beside it."""
    shutil.copy(ROOT / "site" / "coze-session.js", folder)
    module = folder / "page.mjs"
    module.write_text(script, encoding="utf-8")
    return json.loads(output(program("node"), str(module), folder=folder, **variables))


def page() -> str:
    return README.block("html").removeprefix('<script type="module">').removesuffix("</script>\n")


def page_with(session: str) -> str:
    """The page with this in place of the line that makes the session."""
    lines = page().splitlines(keepends=True)
    (number,) = [n for n, line in enumerate(lines) if "createSession(" in line]
    return "".join([*lines[:number], session, *lines[number + 1 :]])


def guest(stack: LocalStack, folder: Path) -> dict[str, Any]:
    """A new guest, as the first request after deploying answers."""
    example = adapted(README.block("sh", "/guest/token"), stack)
    answer: dict[str, Any] = json.loads(output("sh", "-c", example, folder=folder))
    return answer
