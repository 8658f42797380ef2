"""The JWT routes take a token of the issuer for the site's audience, and nothing else."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from werkzeug.test import Client, TestResponse

from tests.local import template
from tests.local.gateway import Gateway
from tests.local.gateway.jwt_authorizer import stringify
from tests.local.oidc import OidcIssuer
from tests.local.ports import listen
from tests.local.server import Server

NOW = 1_795_000_000
AUDIENCE = "site"


@pytest.fixture(scope="module")
def issuer() -> Iterator[OidcIssuer]:
    at = listen()
    issuer = OidcIssuer(issuer=at.url, audience=AUDIENCE, clock=lambda: NOW)
    with Server(issuer, at=at):
        yield issuer


def send(
    issuer: OidcIssuer, authorization: str | None
) -> tuple[TestResponse, list[dict[str, Any]]]:
    events: list[dict[str, Any]] = []
    gateway = Gateway(
        resources=template.expand({"OidcIssuer": issuer.issuer, "OidcAudience": "other,site"}),
        invoke=lambda _function, event: events.append(event),
        users=[],
        region="us-east-1",
        clock=lambda: NOW,
    )
    headers = {} if authorization is None else {"Authorization": authorization}
    return Client(gateway).post("/token", headers=headers), events


@pytest.mark.parametrize("prefix", ["Bearer ", ""])
def test_a_token_of_the_issuer_passes_with_its_claims_as_text(
    issuer: OidcIssuer, prefix: str
) -> None:
    answer, events = send(issuer, prefix + issuer.id_token("alice"))
    assert answer.status_code == 200
    assert events[0]["requestContext"]["authorizer"] == {
        "jwt": {
            "claims": {
                "iss": issuer.issuer,
                "aud": AUDIENCE,
                "sub": "alice",
                "iat": "1795000000",
                "exp": "1795003600",
                "email": "alice@example.com",
                "email_verified": "true",
                "name": "Alice",
                "groups": "[demo visitors]",
            },
            "scopes": None,
        }
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (1, "1"),
        (1.5, "1.5"),
        (False, "false"),
        ([], "[]"),
        (["a", 1, True], "[a 1 true]"),
        ({"b": 1, "a": ["x"]}, "map[a:[x] b:1]"),
        (None, "<nil>"),
    ],
)
def test_claims_are_written_as_go_prints_them(value: object, text: str) -> None:
    assert stringify(value) == text


GOOD: dict[str, dict[str, Any]] = {
    "aud is a list": {"aud": ["someone", "site"]},
    "client_id without aud": {"aud": None, "client_id": "site"},
    "no iat": {"iat": None},
    "nbf is now": {"nbf": NOW},
}


@pytest.mark.parametrize("name", GOOD)
def test_these_tokens_pass_too(issuer: OidcIssuer, name: str) -> None:
    assert send(issuer, f"Bearer {issuer.id_token('alice', **GOOD[name])}")[0].status_code == 200


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(issuer: OidcIssuer) -> str:
    claims = issuer.id_token("alice").split(".")[1]
    return f"{part({'alg': 'none', 'typ': 'JWT', 'kid': issuer.kid})}.{claims}."


def signed_with_the_public_key(issuer: OidcIssuer) -> str:
    public = issuer.private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    claims = issuer.id_token("alice").split(".")[1]
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': issuer.kid})}.{claims}"
    mac = hmac.digest(public, signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def by_another_issuer(issuer: OidcIssuer, *, kid: str) -> str:
    """Every claim as it should be, signed with a key that the issuer does not have."""
    other = OidcIssuer(issuer=issuer.issuer, audience=AUDIENCE, clock=lambda: NOW)
    claims = jwt.decode(other.id_token("alice"), options={"verify_signature": False})
    return jwt.encode(claims, other.private_key, algorithm="RS256", headers={"kid": kid})


def tampered(issuer: OidcIssuer) -> str:
    head, _, signature = issuer.id_token("alice").split(".")
    claims = issuer.id_token("bob").split(".")[1]
    return f"{head}.{claims}.{signature}"


REFUSED: dict[str, tuple[Callable[[OidcIssuer], str], str]] = {
    "not a token": (lambda _: "abc", "malformed"),
    "alg none": (unsigned, "algorithm"),
    "HS256 with the public key": (signed_with_the_public_key, "algorithm"),
    "another's claims": (tampered, "signature"),
    "another key under this kid": (lambda i: by_another_issuer(i, kid=i.kid), "signature"),
    "another key": (lambda i: by_another_issuer(i, kid="other"), "kid"),
    "another issuer's name": (lambda i: i.id_token("alice", iss="https://else.test"), "issuer"),
    "no issuer": (lambda i: i.id_token("alice", iss=None), "issuer"),
    "another audience": (lambda i: i.id_token("alice", aud="elsewhere"), "audience"),
    "no audience": (lambda i: i.id_token("alice", aud=None), "audience"),
    "client_id beside another aud": (
        lambda i: i.id_token("alice", aud="elsewhere", client_id="site"),
        "audience",
    ),
    "expired": (lambda i: i.id_token("alice", exp=NOW), "expired"),
    "no exp": (lambda i: i.id_token("alice", exp=None), "expired"),
    "not yet": (lambda i: i.id_token("alice", nbf=NOW + 1), "not valid yet"),
    "issued in the future": (lambda i: i.id_token("alice", iat=NOW + 1), "not valid yet"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_unauthorized(issuer: OidcIssuer, name: str) -> None:
    forge, why = REFUSED[name]
    answer, events = send(issuer, f"Bearer {forge(issuer)}")
    assert (answer.status_code, answer.json) == (401, {"message": "Unauthorized"})
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer scope="" error="invalid_token" error_description="')
    assert why in challenge
    assert not events


@pytest.mark.parametrize("authorization", [None, "", "Bearer "])
def test_no_token_is_unauthorized(issuer: OidcIssuer, authorization: str | None) -> None:
    answer, _ = send(issuer, authorization)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_set_that_was_read_outlives_an_unknown_kid(issuer: OidcIssuer) -> None:
    assert send(issuer, f"Bearer {by_another_issuer(issuer, kid='other')}")[0].status_code == 401
    assert send(issuer, f"Bearer {issuer.id_token('alice')}")[0].status_code == 200


def test_an_issuer_that_does_not_answer_lets_nobody_in() -> None:
    at = listen()
    issuer = OidcIssuer(issuer=at.url, audience=AUDIENCE, clock=lambda: NOW)
    at.socket.close()
    answer, _ = send(issuer, f"Bearer {issuer.id_token('alice')}")
    assert answer.status_code == 401
    assert "communication error" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("body", [{"user": ""}, {"user": 1}, {"name": "alice"}, [], "alice"])
def test_the_demo_issuer_wants_a_name(issuer: OidcIssuer, body: Any) -> None:
    assert Client(issuer).post("/token", json=body).status_code == 400


def test_the_demo_issuer_answers_forms_and_json(issuer: OidcIssuer) -> None:
    client = Client(issuer)
    for answer in (
        client.post("/token", data={"user": "bob"}),
        client.post("/token", json={"user": "bob"}),
    ):
        claims = jwt.decode(answer.json["id_token"], options={"verify_signature": False})
        assert claims["sub"] == "bob"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert client.post("/token", data={"user": "bob", "format": "text"}).text.count(".") == 2
