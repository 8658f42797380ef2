"""One build and one stack for all tests here; without SAM CLI and engine they are skipped."""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.local.ports import Ports
from tests.local.stack import LocalStack
from tests.local.template import PATH
from tests.sam import tools
from tests.sam.cli import Sam

EVENTS = PATH.parent / "events"
PAGE = "https://www.example.com"
"""The origin of the pages in the events."""
ISSUERS = {
    "OidcIssuer": "https://login.example.com",
    "OidcAudience": "web-client",
    "OidcIssuer2": "https://staff.example.org",
    "OidcAudience2": "intranet",
    "OidcPrefix2": "staff_",
    "OidcIssuer3": "https://partner.example.net",
    "OidcAudience3": "shop",
    "OidcPrefix3": "partner:",
}
"""Those of the sign-ins in the events."""


def read_event(name: str) -> dict[str, Any]:
    """The event of this name."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


@pytest.fixture(scope="session")
def sam(tmp_path_factory: pytest.TempPathFactory) -> Sam:
    """The CLI, with the stack built."""
    if lacking := tools.missing():
        pytest.skip(f"needs {'; '.join(lacking)}")
    sam = Sam(program=tools.sam_cli() or "", folder=tmp_path_factory.mktemp("sam"))
    sam.build()
    return sam


@pytest.fixture(scope="session")
def stack(sam: Sam) -> Iterator[LocalStack]:
    """AWS and Coze on this machine, where containers reach them."""
    host = os.environ.get("SAM_LOCAL_HOST", "host.docker.internal")
    parameters = {"AllowedOrigins": PAGE, "AllowNoOrigin": "off", **ISSUERS}
    ports = Ports.take(host="0.0.0.0")
    with LocalStack(ports=ports, coze_host=host, parameters=parameters) as stack:
        sam.set_environment(stack.environment("TokenFunction", host=host))
        yield stack


Invoke = Callable[[str, Any], Any]


@pytest.fixture(scope="session")
def invoke(sam: Sam, stack: LocalStack) -> Iterator[Invoke]:
    """Invokes a function of ``sam local start-lambda``, and hands back what it returned."""
    with sam.serve("start-lambda") as url, requests.Session() as http:

        def invoke(function: str, event: Any) -> Any:
            path = f"/2015-03-31/functions/{function}/invocations"
            answer = http.post(url + path, json=event, timeout=60)
            assert answer.status_code == 200, answer.text
            return answer.json()

        yield invoke


@pytest.fixture(scope="session")
def api(sam: Sam, stack: LocalStack) -> Iterator[str]:
    """The URL of ``sam local start-api``."""
    with sam.serve("start-api") as url:
        yield url
