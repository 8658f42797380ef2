"""The whole service under attack, and what a caller of each route needs to be let in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.attack import wire
from tests.attack.signing import signed
from tests.attack.wire import Answer, Headers
from tests.contract.openapi import conforms
from tests.local.oidc import OidcIssuer
from tests.local.ports import listen
from tests.local.server import Server
from tests.local.stack import DEMO_BACKEND, LocalStack

MANY = "1000000"
JSON: Headers = [("Content-Type", "application/json")]


@dataclass(frozen=True, kw_only=True)
class Site:
    """A stack, and the issuer whose visitors ask at /token/2."""

    stack: LocalStack
    second: OidcIssuer

    @property
    def routes(self) -> list[str]:
        return list(self.stack.gateway.routes)

    @property
    def origin(self) -> Headers:
        """The header of a page that may ask."""
        return [("Origin", self.stack.url)]

    def issuer(self, route: str) -> OidcIssuer:
        return self.second if route.endswith("/2") else self.stack.oidc

    def kind(self, route: str) -> str:
        return self.stack.gateway.routes[route].authorization

    def proof(self, route: str, body: bytes = b"") -> Headers:
        """All that this route asks of a caller but a body."""
        if self.kind(route) == "AWS_IAM":
            return self.signed(route, body)
        if self.kind(route) == "JWT":
            return [*bearer(self.issuer(route).id_token("mallory")), *self.origin]
        return self.origin

    def signed(self, route: str, body: bytes) -> Headers:
        """The headers of a request that the demo's backend signed."""
        method, path = route.split()
        key = {"access_key": DEMO_BACKEND.access_key, "secret_key": DEMO_BACKEND.secret_key}
        return list(signed(method, self.stack.url + path, body, **key).items())

    def send(self, route: str, headers: Headers, body: bytes = b"", *, query: str = "") -> Answer:
        """Raises Undocumented where openapi.yaml does not have the answer."""
        method, path = route.split()
        answer = wire.send(self.stack.url, method, path + query, headers=headers, body=body)
        conforms(method, path, answer.status, answer.headers, answer.body)
        return answer

    def session(self, answer: Answer) -> str | None:
        """Whose session the token of this answer opens, as Coze knows it."""
        return self.stack.coze.tokens[answer.json["access_token"]].session_name

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Nothing in this block may have reached Coze."""
        before = self.stack.coze.requests_seen
        yield
        assert self.stack.coze.requests_seen == before


@contextmanager
def serve_site() -> Iterator[Site]:
    """Two issuers, guests, mini programs; pages must say where they are from."""
    at = listen()
    second = OidcIssuer(issuer=at.url, audience="second-site")
    parameters = {
        "OidcIssuer2": second.issuer,
        "OidcAudience2": second.audience,
        "OidcPrefix2": "second_",
        "AllowNoOrigin": "off",
        "TokensPerSession": MANY,
    }
    with Server(second, at=at), LocalStack(parameters=parameters) as stack:
        yield Site(stack=stack, second=second)


def bearer(token: str) -> Headers:
    return [("Authorization", f"Bearer {token}")]
