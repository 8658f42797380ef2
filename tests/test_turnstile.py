"""Turnstile, against a stand-in for Cloudflare and against answers that Cloudflare never gives."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from coze_sts.auth.turnstile import (
    TurnstileSecret,
    hostnames_of,
    parse_turnstile_secret,
    verify_human,
)
from coze_sts.errors import AccessDenied, Misconfigured, StsError, TemporarilyUnavailable
from coze_sts.web import MAX_BODY_BYTES, new_http_session
from urllib3 import PoolManager

from tests.factories import CANARY, Clock, everything_told
from tests.http_servers import raw_server, sends
from tests.local.server import serve
from tests.local.turnstile import LIFETIME_SECONDS, PATH, TurnstileStandIn

SECRET = TurnstileSecret(secret=f"0x4AAA-{CANARY}")
HERE = "www.example.com"
KEY = "6f1c5d0e-8f0f-4c8e-9f35-0d2b6a3c1f77"


@pytest.fixture
def http() -> Iterator[PoolManager]:
    with new_http_session() as session:
        yield session


@pytest.fixture
def cloudflare(clock: Clock) -> TurnstileStandIn:
    return TurnstileStandIn(secret=SECRET.secret, clock=clock)


@pytest.fixture
def url(cloudflare: TurnstileStandIn) -> Iterator[str]:
    with serve(cloudflare) as server:
        yield server.url


def verify(url: str, http: PoolManager, token: str | None, **more: Any) -> None:
    asked = {"secret": SECRET, "remote_ip": "203.0.113.7", "hostnames": {HERE}, "seconds": 5}
    verify_human(http, api_base=url, token=token, **(asked | more))


def refusal(
    kind: type[StsError], url: str, http: PoolManager, token: str | None = "any", **more: Any
) -> str:
    """The operator's sentence of a check that must fail, and shows no secret."""
    with pytest.raises(StsError) as refused:
        verify(url, http, token, **more)
    assert type(refused.value) is kind
    assert CANARY not in everything_told(refused.value)
    return refused.value.operator or ""


# Whom Cloudflare vouches for


def test_a_visitor_who_solved_the_challenge_is_let_in(
    url: str, http: PoolManager, cloudflare: TurnstileStandIn
) -> None:
    token = cloudflare.solve(hostname=HERE)
    verify(url, http, token)
    assert cloudflare.requests == [
        {"secret": SECRET.secret, "response": token, "remoteip": "203.0.113.7"}
    ]


@pytest.mark.parametrize("unknown", [None, ""])
def test_an_address_that_is_not_known_is_left_out(
    url: str, http: PoolManager, cloudflare: TurnstileStandIn, unknown: str | None
) -> None:
    verify(url, http, cloudflare.solve(hostname=HERE), remote_ip=unknown)
    assert set(cloudflare.requests[0]) == {"secret", "response"}


def test_a_token_works_once(url: str, http: PoolManager, cloudflare: TurnstileStandIn) -> None:
    token = cloudflare.solve(hostname=HERE)
    verify(url, http, token)
    assert "timeout-or-duplicate" in refusal(AccessDenied, url, http, token)


def test_a_token_works_for_five_minutes(
    url: str, http: PoolManager, cloudflare: TurnstileStandIn, clock: Clock
) -> None:
    young, old = cloudflare.solve(hostname=HERE), cloudflare.solve(hostname=HERE)
    clock.now += LIFETIME_SECONDS - 1
    verify(url, http, young)
    clock.now += 1
    assert "timeout-or-duplicate" in refusal(AccessDenied, url, http, old)


def test_a_token_that_cloudflare_never_made_is_refused(url: str, http: PoolManager) -> None:
    assert "invalid-input-response" in refusal(AccessDenied, url, http, "made-up")


@pytest.mark.parametrize("token", [None, "", "x" * 2049, "two words", "new\nline", "ключ", "\x7f"])
def test_what_can_be_no_token_is_refused_without_asking(
    url: str, http: PoolManager, cloudflare: TurnstileStandIn, token: str | None
) -> None:
    assert refusal(AccessDenied, url, http, token) == ""
    assert cloudflare.requests == []


def test_the_longest_token_of_the_documents_is_asked_about(
    url: str, http: PoolManager, cloudflare: TurnstileStandIn
) -> None:
    refusal(AccessDenied, url, http, "x" * 2048)
    assert len(cloudflare.requests) == 1


# On whose page


def test_a_challenge_that_was_solved_on_another_site_counts_for_nothing(
    url: str, http: PoolManager, cloudflare: TurnstileStandIn
) -> None:
    token = cloudflare.solve(hostname="evil.example")
    told = refusal(AccessDenied, url, http, token)
    assert told.startswith("The challenge was solved on evil.example, which")


def test_without_hostnames_a_challenge_counts_wherever_it_was_solved(
    url: str, http: PoolManager, cloudflare: TurnstileStandIn
) -> None:
    verify(url, http, cloudflare.solve(hostname="any.example"), hostnames=set())


def test_a_hostname_counts_in_capitals_too(
    url: str, http: PoolManager, cloudflare: TurnstileStandIn
) -> None:
    verify(url, http, cloudflare.solve(hostname="WWW.Example.com"))


@pytest.mark.parametrize("hostname", [None, 7, [HERE], "", "<script>"])
def test_a_hostname_that_is_none_counts_for_nothing_and_is_not_repeated(
    url: str, http: PoolManager, cloudflare: TurnstileStandIn, hostname: object
) -> None:
    cloudflare.fail_next(status=200, body={"success": True, "hostname": hostname})
    assert "solved on no host, which" in refusal(AccessDenied, url, http)


def test_the_hosts_of_origins_have_neither_scheme_nor_port() -> None:
    origins = ("https://www.example.com", "http://localhost:8080", "http://[::1]:3000")
    assert hostnames_of(origins) == {"www.example.com", "localhost", "::1"}
    assert hostnames_of(()) == frozenset()


# What Cloudflare says no to


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (["missing-input-secret"], Misconfigured),
        (["invalid-input-secret"], Misconfigured),
        (["missing-input-response"], AccessDenied),
        (["invalid-input-response"], AccessDenied),
        (["timeout-or-duplicate"], AccessDenied),
        (["bad-request"], AccessDenied),
        (["internal-error"], TemporarilyUnavailable),
        (["of-next-year"], TemporarilyUnavailable),
        ([], TemporarilyUnavailable),
        (["invalid-input-response", "invalid-input-secret"], Misconfigured),
        (["internal-error", "timeout-or-duplicate"], AccessDenied),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_each_error_code_has_its_meaning_and_is_told_to_the_operator(
    url: str,
    http: PoolManager,
    cloudflare: TurnstileStandIn,
    *,
    codes: list[str],
    kind: type[StsError],
    status: int,
) -> None:
    cloudflare.fail_next(status=status, body={"success": False, "error-codes": codes})
    told = refusal(kind, url, http)
    assert f"answered {status} ({', '.join(codes) or 'no code'})" in told
    assert ("TURNSTILE_SECRET_ID" in told) == (kind is Misconfigured)


def test_a_secret_of_another_widget_is_the_operators_to_mend(
    url: str, http: PoolManager, cloudflare: TurnstileStandIn
) -> None:
    other = TurnstileSecret(secret=f"other-{CANARY}")
    told = refusal(Misconfigured, url, http, cloudflare.solve(hostname=HERE), secret=other)
    assert "invalid-input-secret" in told


@pytest.mark.parametrize("codes", [None, "internal-error", {"a": 1}, [7, None], [CANARY * 20]])
def test_error_codes_of_another_shape_are_not_repeated(
    url: str, http: PoolManager, cloudflare: TurnstileStandIn, codes: object
) -> None:
    cloudflare.fail_next(status=200, body={"success": False, "error-codes": codes})
    assert "(no code)" in refusal(TemporarilyUnavailable, url, http)


# What counts as no answer


@pytest.mark.parametrize("success", ["true", 1, None, [True], {}])
def test_only_true_is_a_success(
    url: str, http: PoolManager, cloudflare: TurnstileStandIn, success: object
) -> None:
    cloudflare.fail_next(status=200, body={"success": success, "hostname": HERE})
    refusal(TemporarilyUnavailable, url, http)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"success": True, "hostname": HERE}),
        (503, {"success": False, "error-codes": ["invalid-input-secret"]}),
        (429, {"success": False, "error-codes": ["invalid-input-response"]}),
        (302, {"success": True, "hostname": HERE}),
        (201, {"success": True, "hostname": HERE}),
        (200, b"<html>" + CANARY.encode()),
        (200, b""),
        (200, b'["success"]'),
        (200, b'{"success": true, "hostname": "' + HERE.encode() + b'"}' + b" " * MAX_BODY_BYTES),
        (403, b"blocked"),
    ],
)
def test_an_answer_that_cloudflare_never_gives_lets_nobody_in(
    url: str, http: PoolManager, cloudflare: TurnstileStandIn, status: int, body: Any
) -> None:
    cloudflare.fail_next(status=status, body=body)
    told = refusal(TemporarilyUnavailable, url, http)
    assert f"answered {status}" in told


def test_no_answer_lets_nobody_in(http: PoolManager) -> None:
    with raw_server(sends(b"", pause=1)) as server:
        told = refusal(TemporarilyUnavailable, server.url, http, seconds=0.1)
        host = server.url.removeprefix("http://")
    assert told in {
        f"{host} did not answer: {cause}." for cause in ("TimeoutError", "ReadTimeoutError")
    }
    assert len(server.requests) == 1


# The secret


def test_a_stored_secret_is_read_as_windows_and_people_leave_it() -> None:
    stored = json.dumps({"secret": f" {SECRET.secret}\n", "note": 7})
    assert parse_turnstile_secret("\ufeff" + stored) == SECRET
    assert CANARY not in repr(SECRET)


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "[" * 60_000, f'"{CANARY}"', CANARY),
        *("{}", '{"secret": ""}', '{"secret": " "}', '{"secret": 7}', '{"secret": null}'),
        json.dumps({"Secret": CANARY}),
        json.dumps({"secret": f"{CANARY} {CANARY}"}),
        json.dumps({"secret": f"{CANARY}é"}),
        json.dumps({"secret": CANARY * 30}),
    ],
)
def test_a_stored_secret_of_another_shape_is_the_operators_to_mend(text: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        parse_turnstile_secret(text)
    assert refused.value.operator == (
        'TURNSTILE_SECRET_ID must hold the JSON object {"secret": "…"}, its texts in visible ASCII.'
    )
    assert CANARY not in everything_told(refused.value)


# The stand-in


def asked(url: str, **parameters: Any) -> dict[str, Any]:
    """The stand-in's answer to JSON, as Cloudflare takes it besides forms."""
    with requests.Session() as session:
        answered = session.post(url + PATH, json=parameters)
    assert answered.status_code == 200
    found: dict[str, Any] = answered.json()
    return found


def test_the_stand_in_tells_what_cloudflare_tells(url: str, cloudflare: TurnstileStandIn) -> None:
    token = cloudflare.solve(hostname=HERE, action="login", cdata="seven")
    answered = asked(url, secret=SECRET.secret, response=token)
    assert answered.pop("challenge_ts").startswith("2026-")
    assert answered == {
        "success": True,
        "error-codes": [],
        "hostname": HERE,
        "action": "login",
        "cdata": "seven",
    }


def test_the_stand_in_lets_a_check_be_repeated_under_its_own_key_only(
    url: str, cloudflare: TurnstileStandIn
) -> None:
    token = cloudflare.solve(hostname=HERE)
    same = {"secret": SECRET.secret, "response": token}
    assert [
        asked(url, **same, idempotency_key=KEY)["success"],
        asked(url, **same, idempotency_key=KEY)["success"],
        asked(url, **same, idempotency_key=KEY.replace("6", "7"))["success"],
        asked(url, **same)["success"],
    ] == [True, True, False, False]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"secret": ""}, "missing-input-secret"),
        ({"secret": "other"}, "invalid-input-secret"),
        ({"response": ""}, "missing-input-response"),
        ({"response": "made-up"}, "invalid-input-response"),
        ({"idempotency_key": "no UUID"}, "bad-request"),
    ],
)
def test_the_stand_in_refuses_in_cloudflares_words(
    url: str, cloudflare: TurnstileStandIn, changed: dict[str, str], code: str
) -> None:
    good = {"secret": SECRET.secret, "response": cloudflare.solve(hostname=HERE)}
    assert asked(url, **(good | changed))["error-codes"] == [code]
    assert asked(url, **good)["success"]


def test_the_stand_in_has_one_door(url: str) -> None:
    assert requests.get(url + PATH).status_code == requests.post(url + "/other").status_code == 404
