"""What schemathesis must know of the service: who may ask, what a name is, what is documented.

It runs in a process of its own, and gets what it needs of the site in a variable, as JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import requests
import schemathesis
from coze_sts.auth.session import name_fault
from hypothesis import strategies as st

from tests.attack.signing import signed
from tests.contract.openapi import conforms

VARIABLE = "SITE_UNDER_ATTACK"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A site, and what a caller has: guest tickets, sign-in tokens by path, a key of AWS."""

    origin: str
    tickets: Sequence[str]
    bearers: Mapping[str, str]
    access_key: str
    secret_key: str

    def environment(self) -> dict[str, str]:
        return {VARIABLE: json.dumps(asdict(self))}


class Proof(requests.auth.AuthBase):
    """Signs in, or signs, whatever schemathesis has made."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        path = request.path_url.partition("?")[0]
        if path in self._target.bearers:
            request.headers["Authorization"] = f"Bearer {self._target.bearers[path]}"
        elif path.startswith("/backend/"):
            request.headers.update(self._signed(request))
        return request

    def _signed(self, request: requests.PreparedRequest) -> dict[str, str]:
        body = request.body or b""
        return signed(
            str(request.method),
            str(request.url),
            body.encode() if isinstance(body, str) else body,
            access_key=self._target.access_key,
            secret_key=self._target.secret_key,
        )


def install(target: Target) -> None:
    """Tells schemathesis."""
    names = st.text(min_size=1, max_size=128).filter(lambda name: name_fault(name) is None)
    schemathesis.openapi.format("session-name", names)
    schemathesis.openapi.format("origin", st.just(target.origin))
    schemathesis.openapi.format("guest-ticket", st.sampled_from([*target.tickets, "g1.1.x.y"]))

    @schemathesis.hook
    def before_call(_context: Any, _case: Any, kwargs: dict[str, Any]) -> None:
        kwargs["auth"] = Proof(target)

    @schemathesis.check
    def documented(_context: Any, response: Any, case: Any) -> None:
        """Every answer, with every header, and to whatever was made."""
        headers = {name: ", ".join(values) for name, values in response.headers.items()}
        conforms(case.method, case.path, response.status_code, headers, response.content)

    @schemathesis.check
    def kept_out(_context: Any, response: Any, _case: Any) -> None:
        """Who has no proof gets nowhere, whatever the body."""
        assert target.secret_key or response.status_code in {401, 403, 404}


if VARIABLE in os.environ:
    install(Target(**json.loads(os.environ[VARIABLE])))
