"""The stand-in refuses what Coze is known to refuse, in Coze's words and shapes."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from werkzeug.test import Client, TestResponse

from tests.local.coze import CozeStandIn, demo_config

HOST = "api.coze.test"
NOW = 1_795_000_000
TOKEN_PATH = "/api/permission/oauth2/token"
GRANT = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
SCOPE = {
    "account_permission": {"permission_list": ["Connector.botChat"]},
    "attribute_constraint": {"connector_bot_chat_attribute": {"bot_id_list": ["7"]}},
}
CONFIG, PUBLIC_PEM = demo_config(f"https://{HOST}")
OTHER_CONFIG, OTHER_PEM = demo_config(f"https://{HOST}", client_id="999")
PRIVATE_KEY = load_pem_private_key(CONFIG["private_key"].encode(), None)
OTHER_KEY = load_pem_private_key(OTHER_CONFIG["private_key"].encode(), None)


@dataclass
class Coze:
    """A stand-in with one app, and a client that speaks to it."""

    now: float = NOW
    stand_in: CozeStandIn = field(init=False)
    jtis: int = 0

    def __post_init__(self) -> None:
        self.stand_in = CozeStandIn(clock=lambda: self.now)
        self.register()

    def register(self, *, kind: Any = "ordinary") -> None:
        self.stand_in.register_app(
            client_id=CONFIG["client_id"],
            kid=CONFIG["public_key_id"],
            public_key_pem=PUBLIC_PEM,
            kind=kind,
        )

    def claims(self, **changed: Any) -> dict[str, Any]:
        self.jtis += 1
        claims = {
            "iss": CONFIG["client_id"],
            "aud": HOST,
            "iat": int(self.now),
            "exp": int(self.now) + 120,
            "jti": f"jti-{self.jtis}",
            "session_name": "alice",
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not ...}

    def assertion(self, *, key: Any = PRIVATE_KEY, header: Any = None, **changed: Any) -> str:
        headers = {"kid": CONFIG["public_key_id"], **(header or {})}
        return jwt.encode(self.claims(**changed), key, algorithm="RS256", headers=headers)

    def exchange(
        self, assertion: str | None = None, *, path: str = TOKEN_PATH, **body: Any
    ) -> TestResponse:
        return Client(self.stand_in).post(
            path,
            base_url=f"https://{HOST}",
            headers={"Authorization": f"Bearer {assertion or self.assertion()}"},
            json={**GRANT, **body},
        )

    def token(self, **changed: Any) -> str:
        answer = self.exchange(self.assertion(**changed))
        assert answer.status_code == 200, answer.text
        return str(answer.json["access_token"])

    def api(self, method: str, path: str, token: str, **options: Any) -> TestResponse:
        return Client(self.stand_in).open(
            path, method=method, headers={"Authorization": f"Bearer {token}"}, **options
        )


@pytest.fixture
def coze() -> Coze:
    return Coze()


def test_a_good_assertion_gets_a_token_with_an_absolute_expiry(coze: Coze) -> None:
    answer = coze.exchange(duration_seconds=3600)
    assert answer.status_code == 200
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["expires_in"] == NOW + 3600
    assert answer.json["access_token"].startswith("czs_")
    (exchange,) = coze.stand_in.exchanges
    assert (exchange.session_name, exchange.duration_seconds) == ("alice", 3600)
    assert coze.stand_in.tokens[answer.json["access_token"]].session_name == "alice"


def test_expires_in_is_a_duration_where_a_test_asks_for_it(coze: Coze) -> None:
    coze.stand_in.relative_expires_in = True
    assert coze.exchange(duration_seconds=3600).json["expires_in"] == 3600


def test_a_token_lives_900_seconds_unless_asked_otherwise(coze: Coze) -> None:
    assert coze.exchange().json["expires_in"] == NOW + 900


@pytest.mark.parametrize("path", ["account/7490", "enterprise_id/volcano_21"])
def test_the_path_variants_answer_too(coze: Coze, path: str) -> None:
    path = f"/api/permission/oauth2/{path}/token"
    assert coze.exchange(path=path).status_code == 200
    assert coze.stand_in.exchanges[0].path == path


def unsigned(coze: Coze) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    header = {"alg": "none", "typ": "JWT", "kid": CONFIG["public_key_id"]}
    return f"{part(header)}.{part(coze.claims())}."


def signed_with_the_public_key(coze: Coze) -> str:
    """HS256 with the public PEM as its secret, made by hand: pyjwt refuses to."""
    from hashlib import sha256  # noqa: PLC0415
    from hmac import digest  # noqa: PLC0415

    head = unsigned(coze).split(".")[1]
    header = json.dumps({"alg": "HS256", "typ": "JWT", "kid": CONFIG["public_key_id"]})
    signed = f"{base64.urlsafe_b64encode(header.encode()).rstrip(b'=').decode()}.{head}"
    mac = digest(PUBLIC_PEM.encode(), signed.encode(), sha256)
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


BAD_ASSERTIONS: dict[str, Callable[[Coze], str]] = {
    "another key's signature": lambda c: c.assertion(key=OTHER_KEY),
    "not a JWT": lambda _: "czs_1234",
    "no signature": unsigned,
    "the public key as a shared secret": signed_with_the_public_key,
    "typ is not JWT": lambda c: c.assertion(header={"typ": "at+jwt"}),
    "a kid nobody knows": lambda c: c.assertion(header={"kid": "unknown"}),
    "another app's iss": lambda c: c.assertion(iss="999"),
    "no iss": lambda c: c.assertion(iss=...),
    "aud with a scheme": lambda c: c.assertion(aud=f"https://{HOST}"),
    "aud of another region": lambda c: c.assertion(aud="api.coze.com"),
    "aud as a list": lambda c: c.assertion(aud=[HOST]),
    "expired": lambda c: c.assertion(exp=NOW),
    "no exp": lambda c: c.assertion(exp=...),
    "exp as text": lambda c: c.assertion(exp=str(NOW + 60)),
    "lives longer than a day": lambda c: c.assertion(exp=NOW + 86_401),
    "no iat": lambda c: c.assertion(iat=...),
    "issued in the future": lambda c: c.assertion(iat=NOW + 61, exp=NOW + 120),
    "iat with a fraction": lambda c: c.assertion(iat=NOW + 0.5),
    "no jti": lambda c: c.assertion(jti=...),
    "jti is empty": lambda c: c.assertion(jti=""),
}


@pytest.mark.parametrize("name", BAD_ASSERTIONS)
def test_a_bad_assertion_is_an_invalid_client(coze: Coze, name: str) -> None:
    answer = coze.exchange(BAD_ASSERTIONS[name](coze))
    assert answer.status_code == 401
    assert answer.json["error_code"] == "invalid_client"
    assert answer.json["error_message"]
    assert answer.headers["x-tt-logid"]
    assert not coze.stand_in.tokens


def test_an_unknown_kid_is_told_in_cozes_own_words(coze: Coze) -> None:
    answer = coze.exchange(coze.assertion(header={"kid": "of another region"}))
    assert answer.json["error_message"] == "kid not been registred"


def test_no_authorization_is_an_invalid_client(coze: Coze) -> None:
    answer = Client(coze.stand_in).post(TOKEN_PATH, base_url=f"https://{HOST}", json=GRANT)
    assert (answer.status_code, answer.json["error_code"]) == (401, "invalid_client")


def test_an_assertion_works_once(coze: Coze) -> None:
    assertion = coze.assertion()
    assert coze.exchange(assertion).status_code == 200
    again = coze.exchange(assertion)
    assert (again.status_code, again.json["error_code"]) == (401, "invalid_client")
    assert len(coze.stand_in.exchanges) == 1


def test_an_assertion_is_spent_even_when_coze_failed(coze: Coze) -> None:
    coze.stand_in.fail_next(status=500, body={"error_code": "internal_error"})
    assertion = coze.assertion()
    assert coze.exchange(assertion).status_code == 500
    assert coze.exchange(assertion).status_code == 401
    assert coze.exchange().status_code == 200


BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "session_name is a number": {"session_name": 42},
    "session_context is text": {"session_context": "alice"},
    "session_context has another field": {"session_context": {"user": "alice"}},
    "both device fields": {
        "session_context": {"device_info": {"device_id": "a", "custom_consumer": "b"}}
    },
    "no device field": {"session_context": {"device_info": {}}},
    "device_id is a number": {"session_context": {"device_info": {"device_id": 1}}},
    "connector_id is a number": {"session_context": {"connector_info": {"connector_id": 2001}}},
    "no connector_id": {"session_context": {"connector_info": {}}},
}


@pytest.mark.parametrize("name", BAD_CLAIMS)
def test_a_bad_session_is_an_invalid_request(coze: Coze, name: str) -> None:
    answer = coze.exchange(coze.assertion(**BAD_CLAIMS[name]))
    assert (answer.status_code, answer.json["error_code"]) == (400, "invalid_request")


def test_a_session_context_is_kept(coze: Coze) -> None:
    context = {
        "device_info": {"custom_consumer": "alice"},
        "connector_info": {"connector_id": "2001"},
    }
    assert coze.exchange(coze.assertion(session_context=context)).status_code == 200
    assert coze.stand_in.exchanges[0].session_context == context


@pytest.mark.parametrize("seconds", [0, -1, 86_400, 900.0, "900", True])
def test_a_duration_out_of_bounds_is_an_invalid_request(coze: Coze, seconds: object) -> None:
    answer = coze.exchange(duration_seconds=seconds)
    assert (answer.status_code, answer.json["error_code"]) == (400, "invalid_request")


@pytest.mark.parametrize("seconds", [1, 86_399])
def test_a_duration_within_bounds_is_taken(coze: Coze, seconds: int) -> None:
    assert coze.exchange(duration_seconds=seconds).json["expires_in"] == NOW + seconds


def test_another_grant_type_is_unsupported(coze: Coze) -> None:
    answer = coze.exchange(grant_type="refresh_token")
    assert (answer.status_code, answer.json["error_code"]) == (400, "unsupported_grant_type")


def test_a_scope_of_an_ordinary_app_is_refused(coze: Coze) -> None:
    assert coze.exchange(scope=SCOPE).json["error_code"] == "invalid_request"
    assert coze.exchange(scope=None).status_code == 200


def test_a_channel_app_may_send_both_lists_or_nothing(coze: Coze) -> None:
    coze.register(kind="channel")
    assert coze.exchange().status_code == 200
    assert coze.exchange(scope=SCOPE).status_code == 200
    for name in SCOPE:
        half = {key: value for key, value in SCOPE.items() if key != name}
        assert coze.exchange(scope=half).json["error_code"] == "invalid_request"
    empty = {**SCOPE, "account_permission": {"permission_list": []}}
    assert coze.exchange(scope=empty).json["error_code"] == "invalid_request"


def test_the_body_must_be_json(coze: Coze) -> None:
    answer = Client(coze.stand_in).post(
        TOKEN_PATH,
        base_url=f"https://{HOST}",
        headers={"Authorization": f"Bearer {coze.assertion()}"},
        data=GRANT,
    )
    assert (answer.status_code, answer.json["error_code"]) == (400, "invalid_request")


def test_a_disabled_app_gets_no_token_and_loses_those_it_has(coze: Coze) -> None:
    token = coze.token()
    coze.stand_in.disable_app(client_id=CONFIG["client_id"])
    answer = coze.exchange()
    assert (answer.status_code, answer.json["error_code"]) == (403, "access_deny")
    assert coze.api("GET", "/v1/conversations?bot_id=7", token).status_code == 401


def test_a_forgotten_key_is_unknown(coze: Coze) -> None:
    coze.stand_in.forget_key(kid=CONFIG["public_key_id"])
    assert coze.exchange().json["error_message"] == "kid not been registred"


def test_faults_come_as_often_as_asked_and_count_as_seen(coze: Coze) -> None:
    coze.stand_in.fail_next(
        status=429, body=b"<html>slow</html>", headers={"Retry-After": "7"}, times=2
    )
    answers = [coze.exchange() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].data == b"<html>slow</html>"
    assert answers[0].headers["x-tt-logid"]
    assert coze.stand_in.requests_seen == 3
    assert len(coze.stand_in.exchanges) == 1


def test_answers_wait_as_long_as_asked(coze: Coze) -> None:
    coze.stand_in.delay_seconds = 0.05
    started = time.monotonic()
    coze.exchange()
    assert time.monotonic() - started >= 0.05


def test_conversations_are_apart_by_session(coze: Coze) -> None:
    alice, bob = coze.token(session_name="alice"), coze.token(session_name="bob")
    made = coze.api("POST", "/v1/conversation/create", alice, json={"bot_id": "7", "name": "a"})
    assert (made.status_code, made.json["code"]) == (200, 0)
    assert made.json["detail"]["logid"] == made.headers["x-tt-logid"]
    listed = coze.api("GET", "/v1/conversations?bot_id=7", alice).json["data"]
    assert [c["id"] for c in listed["conversations"]] == [made.json["data"]["id"]]
    assert not listed["has_more"]
    assert not coze.api("GET", "/v1/conversations?bot_id=7", bob).json["data"]["conversations"]
    assert not coze.api("GET", "/v1/conversations?bot_id=8", alice).json["data"]["conversations"]


def test_a_later_token_of_the_same_session_sees_the_same_conversations(coze: Coze) -> None:
    coze.api("POST", "/v1/conversation/create", coze.token(), json={"bot_id": "7"})
    listed = coze.api("GET", "/v1/conversations?bot_id=7", coze.token())
    assert len(listed.json["data"]["conversations"]) == 1


def test_tokens_without_a_session_name_share_one_history(coze: Coze) -> None:
    first, second = coze.token(session_name=...), coze.token(session_name=...)
    coze.api("POST", "/v1/conversation/create", first, json={"bot_id": "7"})
    listed = coze.api("GET", "/v1/conversations?bot_id=7", second)
    assert len(listed.json["data"]["conversations"]) == 1


def test_conversations_come_in_pages_newest_first(coze: Coze) -> None:
    token = coze.token()
    for name in "abc":
        coze.api("POST", "/v1/conversation/create", token, json={"bot_id": "7", "name": name})
    pages = [
        coze.api("GET", f"/v1/conversations?bot_id=7&page_num={n}&page_size=2", token).json["data"]
        for n in (1, 2)
    ]
    assert [[c["name"] for c in page["conversations"]] for page in pages] == [["c", "b"], ["a"]]
    assert [page["has_more"] for page in pages] == [True, False]


@pytest.mark.parametrize("token", ["", "czs_nobody"])
def test_an_unknown_token_is_4100(coze: Coze, token: str) -> None:
    answer = coze.api("GET", "/v1/conversations?bot_id=7", token)
    assert (answer.status_code, answer.json["code"]) == (401, 4100)
    assert answer.json["detail"]["logid"]


def test_an_expired_token_is_4100(coze: Coze) -> None:
    token = coze.token()
    coze.now = NOW + 900
    answer = coze.api("GET", "/v1/conversations?bot_id=7", token)
    assert (answer.status_code, answer.json["code"]) == (401, 4100)


def test_a_token_reaches_the_bots_of_its_scope_only(coze: Coze) -> None:
    coze.register(kind="channel")
    token = coze.exchange(scope=SCOPE).json["access_token"]
    assert coze.api("GET", "/v1/conversations?bot_id=7", token).status_code == 200
    answer = coze.api("GET", "/v1/conversations?bot_id=8", token)
    assert (answer.status_code, answer.json["code"]) == (403, 4101)


def test_what_is_not_there_is_told_in_cozes_shape(coze: Coze) -> None:
    token = coze.token()
    assert coze.api("GET", "/v1/elsewhere", token).json["code"] == 4200
    assert coze.api("GET", "/v1/conversations", token).json["code"] == 4000


def test_pages_of_any_origin_may_call_the_api(coze: Coze) -> None:
    preflight = Client(coze.stand_in).options("/v1/conversations")
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    refused = coze.api("GET", "/v1/conversations?bot_id=7", "")
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
