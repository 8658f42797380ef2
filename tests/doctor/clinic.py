"""A patient in good health, whose parts can be made ill: two regions of Coze, a site, an issuer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import cache
from typing import Any, Self

from coze_sts.coze.app_key import CozeApp
from coze_sts.doctor.examination import Patient, examine
from coze_sts.doctor.question import Question
from coze_sts.doctor.report import Finding
from coze_sts.errors import StsError
from coze_sts.settings import Settings, read_settings
from coze_sts.web import new_http_session
from coze_sts.wiring import app_parser
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from werkzeug import Request, Response

from tests.factories import REQUIRED
from tests.local.coze import CozeStandIn
from tests.local.coze.records import AppKind
from tests.local.gateway.cors import Cors
from tests.local.oidc import OidcIssuer
from tests.local.ports import listen
from tests.local.server import Server, WsgiApp, serve

BOT = "7000000000000000001"
ORIGIN = "https://www.example.com"
PURGED = {"TimeToLiveStatus": "ENABLED", "AttributeName": "purge_at"}
NOBODY = "http://127.0.0.1:9"
"""Where nothing listens."""


@cache
def _one_issuer() -> OidcIssuer:
    """One for the whole run: its key is slow to make."""
    return OidcIssuer(issuer="", audience="web")


def issuer_at(url: str) -> OidcIssuer:
    issuer = copy(_one_issuer())
    issuer.issuer = url
    return issuer


class KmsKey:
    """KMS, with one key in it; after ``signatures`` it raises ``refusal``, where there is one."""

    def __init__(self, pem: str) -> None:
        key = load_pem_private_key(pem.encode(), password=None)
        assert isinstance(key, RSAPrivateKey)
        self._key = key
        self.refusal: Exception | None = None
        self.signatures = 0

    def sign(self, *, Message: bytes, **_: str) -> dict[str, bytes]:  # noqa: N803 - as boto3 has it
        self.signatures -= 1
        if self.refusal is not None and self.signatures < 0:
            raise self.refusal
        return {"Signature": self._key.sign(Message, PKCS1v15(), Prehashed(SHA256()))}


class Interposed:
    """A WSGI app in front of another; ``instead`` has answers for paths, by method and path."""

    def __init__(self, app: WsgiApp) -> None:
        self.app = app
        self.instead: dict[str, Response] = {}
        self.requests: list[tuple[str, str, Mapping[str, str]]] = []

    def say(self, request: str, body: object, *, status: int = 200) -> None:
        """Answer ``GET /path`` so from now on."""
        self.instead[request] = Response(json.dumps(body), status=status)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        request = Request(environ)
        self.requests.append((request.method, request.path, dict(request.headers)))
        app = self.instead.get(f"{request.method} {request.path}", self.app)
        return app(environ, start_response)


class Clinic:
    """Everything that is looked at, well until a test makes it ill; the key is known ``here``."""

    def __init__(self, *, config: Mapping[str, str], public_pem: str) -> None:
        self._servers: list[Server] = []
        self._public_pem = public_pem
        self.here, self.there = CozeStandIn(), CozeStandIn()
        self.coze, self.elsewhere = Interposed(self.here), Interposed(self.there)
        self.regions = (self._serve(self.coze), self._serve(self.elsewhere))
        self.config = dict(config) | {"coze_api_base": self.regions[0]}
        self.register(self.here)
        at = listen()
        self.oidc = Interposed(issuer_at(at.url))
        self._servers.append(Server(self.oidc, at=at))
        self.edge = Interposed(Response(status=404))
        self.allow(ORIGIN)
        self.endpoint: str | None = self._serve(self.edge)
        self.variables = {**REQUIRED, "ALLOWED_ORIGINS": ORIGIN, "OIDC_ISSUER": at.url}
        self.question: dict[str, Any] = {"bot_id": BOT}
        self.text: str | StsError | None = None
        self.ttl: Mapping[str, Any] | Exception | None = PURGED
        self.seconds_off = 0.0
        self.kms: KmsKey | None = None  # as on a machine that does not reach KMS

    def _serve(self, app: WsgiApp) -> str:
        self._servers.append(serve(app))
        return self._servers[-1].url

    def register(self, coze: CozeStandIn, *, kind: AppKind = "ordinary") -> None:
        """Make the key known in a region."""
        coze.register_app(
            client_id=self.config["client_id"],
            kid=self.config["public_key_id"],
            public_key_pem=self._public_pem,
            kind=kind,
        )

    def allow(self, *origins: str, headers: str = "authorization,content-type") -> None:
        """Let API Gateway answer preflights so."""
        cors = Cors(
            origins=origins,
            methods=("POST", "DELETE"),
            headers=tuple(headers.split(",")),
            expose=(),
            max_age=None,
        )

        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            response = cors.preflight(Request(environ)) or Response(status=404)
            return response(environ, start_response)

        self.edge.app = answer

    def findings(self) -> list[Finding]:
        """What the doctor finds."""
        with new_http_session() as http:
            return examine(
                Patient(
                    settings=lambda: read_settings(self.variables),
                    secret=lambda _settings: self._secret(),
                    parser=self._parser,
                    reaches_kms=self.kms is not None,
                    describe_ttl=None if self.ttl is None else lambda _settings: self._ttl(),
                    http=http,
                    clock=lambda: self.here._clock() + self.seconds_off,
                    regions=self.regions,
                ),
                Question(endpoint=self.endpoint, **self.question),
            )

    def _parser(self, settings: Settings) -> Callable[[str], CozeApp]:
        return app_parser(self._kms, settings=settings)

    def _kms(self) -> Any:
        return self.kms

    def _secret(self) -> str:
        if isinstance(self.text, StsError):
            raise self.text
        return json.dumps(self.config) if self.text is None else self.text

    def _ttl(self) -> Mapping[str, Any]:
        if isinstance(self.ttl, Exception):
            raise self.ttl
        return {"TimeToLiveDescription": self.ttl}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with ThreadPoolExecutor() as pool:  # each takes a moment to notice
            pool.map(Server.close, self._servers)
