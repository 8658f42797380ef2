"""What Coze's answer means: a grant, or an error that tells the operator what to do."""

import json
from typing import Any

import pytest
from coze_sts.coze.answer import Grant, read_grant
from coze_sts.errors import StsError, TemporarilyUnavailable, UpstreamRejected
from coze_sts.web import MAX_BODY_BYTES, WebAnswer
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW, everything_told

HOST = "api.coze.cn"
GRANTED = {"access_token": "czs_one", "expires_in": NOW + 3600, "token_type": "Bearer"}
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2ln-_c2ln"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def answer(body: object, *, status: int = 200, **headers: str) -> WebAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WebAnswer(status=status, headers=named, body=raw)


def grant(body: object, **more: Any) -> Grant:
    return read_grant(answer(body, **more), host=HOST, sent_at=NOW + 0.5)


def failure(body: object, **more: Any) -> StsError:
    with pytest.raises(StsError, match=r"\.$") as refused:
        grant(body, **more)
    assert HOST not in refused.value.description
    return refused.value


def told(error: StsError) -> str:
    return error.operator or ""


@pytest.mark.parametrize(
    ("expires_in", "expires_at"),
    [
        (NOW + 3600, NOW + 3600),
        (3600, NOW + 3600),
        (str(NOW + 3600), NOW + 3600),
        ("3600", NOW + 3600),
        (3600.0, NOW + 3600),
        (10**9 - 1, NOW + 10**9 - 1),
        (10**9, 10**9),
    ],
)
def test_expires_in_is_a_unix_time_or_else_a_duration(expires_in: object, expires_at: int) -> None:
    assert grant(GRANTED | {"expires_in": expires_in}).expires_at == expires_at


def test_a_grant_needs_no_token_type_and_keeps_the_log_id() -> None:
    body = {"access_token": "czs_one", "expires_in": 900, "something_new": [1]}
    expected = Grant(access_token="czs_one", expires_at=NOW + 900, log_id="0123AB")
    assert grant(body, x_tt_logid="0123AB") == expected
    assert "czs_one" not in repr(expected) + repr(answer(body))


@pytest.mark.parametrize(
    "body",
    [GRANTED | {"access_token": token} for token in ("", None, 7, [], "a b", "a\nb", "é", "\ud800")]
    + [GRANTED | {"expires_in": time} for time in (None, True, 0, -1, "soon", "-1", "٣", 2**53, [])]
    + [GRANTED | {"expires_in": float("nan")}, GRANTED | {"expires_in": float("inf")}]
    + [{"access_token": "czs_one"}],
)
def test_a_success_without_a_usable_token_is_a_rejection(body: dict[str, Any]) -> None:
    error = failure(body, x_tt_logid="0123AB")
    assert isinstance(error, UpstreamRejected)
    assert "without a usable token" in told(error)
    assert "0123AB" in told(error)
    assert "czs_one" not in everything_told(error)


REFUSALS: list[tuple[int, dict[str, Any], str]] = [
    (400, {"error_code": "invalid_request", "error_message": "m"}, "TOKEN_DURATION_SECONDS"),
    (401, {"error_code": "invalid_client", "error_message": "m"}, "client_id"),
    (401, {"error": "invalid_client"}, "public_key_id"),
    (403, {"error_code": "access_deny", "error_message": "m"}, "permissions"),
    (400, {"error_code": "unsupported_grant_type", "error_message": "m"}, "type JWT"),
    (200, {"code": 4101, "msg": "m", "detail": {"logid": "x"}}, "support asks for the log id"),
    (404, {}, "support asks for the log id"),
    (302, {}, "302"),
    (201, GRANTED, "201"),
]


@pytest.mark.parametrize(("status", "body", "cure"), REFUSALS)
def test_a_refusal_tells_what_to_do_and_is_not_to_be_tried_again(
    status: int, body: dict[str, Any], cure: str
) -> None:
    error = failure(body, status=status, x_tt_logid="0123AB")
    assert isinstance(error, UpstreamRejected)
    for part in (cure, f"{HOST} answered {status}", "x-tt-logid 0123AB"):
        assert part in told(error)


@pytest.mark.parametrize(
    ("status", "body"),
    [(status, {}) for status in (408, 429, 500, 502, 503, 504)]
    + [
        (500, {"error_code": "internal_error", "error_message": "m", "error": "internal_error"}),
        (400, {"error_code": "internal_error"}),
        (200, {"code": "slow_down", "msg": "m"}),
        (503, b"<html>bad gateway</html>"),
        (502, b"x" * (MAX_BODY_BYTES + 1)),
    ],
)
def test_a_failure_that_may_pass_is_temporary(status: int, body: object) -> None:
    error = failure(body, status=status, x_tt_logid="0123AB")
    assert isinstance(error, TemporarilyUnavailable)
    assert error.retry_after == 1
    assert "x-tt-logid 0123AB" in told(error)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("300", 300),
        ("301", 300),
        *((header, 1) for header in ("9" * 400, "-5", "1.5", "٣", "", "Wed, 21 Oct 2026 07:28:00")),
    ],
)
def test_cozes_wish_to_wait_is_kept_within_bounds(header: str, seconds: int) -> None:
    assert failure({}, status=429, retry_after=header).retry_after == seconds


@pytest.mark.parametrize("message", ["kid not been registred", "The Kid: x\nis not REGISTERED"])
def test_a_key_of_the_other_region_is_recognised_and_the_host_is_named(message: str) -> None:
    error = failure({"error_code": "invalid_client", "error_message": message}, status=401)
    assert isinstance(error, UpstreamRejected)
    for part in (
        f"Coze's host {HOST} does not know this key",
        "https://api.coze.com",
        "coze_api_base",
    ):
        assert part in told(error)


@pytest.mark.parametrize(
    ("status", "body", "unauthorized"),
    [
        (401, {"error_code": "invalid_client", "error_message": "kid not been registred"}, True),
        (401, {"error_code": "invalid_client", "error_message": "jwt signature is invalid"}, True),
        (400, {"error_code": "invalid_client"}, True),
        (401, {}, True),
        (403, {"error_code": "access_deny"}, False),
        (400, {"error_code": "invalid_request"}, False),
        (404, {}, False),
    ],
)
def test_a_refusal_of_who_signed_is_told_from_one_of_the_request(
    status: int, body: dict[str, str], unauthorized: bool
) -> None:
    error = failure(body, status=status)
    assert isinstance(error, UpstreamRejected)
    assert error.unauthorized is unauthorized


@pytest.mark.parametrize("code", ["invalid_request", "access_deny", "4000"])
def test_a_name_that_coze_repeats_cannot_make_the_key_unknown(code: str) -> None:
    error = failure(
        {"error_code": code, "error_message": "bad name: kid not registered"}, status=400
    )
    assert type(error) is UpstreamRejected


@pytest.mark.parametrize("field", ["error_message", "msg", "error", "error_code", "code"])
@pytest.mark.parametrize(
    "secret",
    [
        JWT,
        "czs_ab-cd_ef.gh",
        "pat_abcdefgh",
        "sat_abcdefgh",
        "cztei_abc",
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
    ],
)
def test_whatever_coze_repeats_of_a_secret_is_cut_out(field: str, secret: str) -> None:
    error = failure({field: f"no: {secret}"}, status=400)
    for part in secret.replace(".", "-").split("-"):
        assert len(part) < 3 or part not in everything_told(error)


def test_a_log_line_stays_one_short_line() -> None:
    error = failure({"msg": "a\r\nb\x00 " * 1000}, status=400, x_tt_logid="0\r\nX: 1" * 99)
    assert len(told(error)) < 600
    assert "\n" not in told(error)
    assert "\r" not in told(error)


def test_an_answer_past_the_limit_is_refused_unread() -> None:
    body = json.dumps(GRANTED).encode()
    assert grant(body.ljust(MAX_BODY_BYTES)).access_token == "czs_one"
    error = failure(body.ljust(MAX_BODY_BYTES + 1))
    assert isinstance(error, UpstreamRejected)
    assert "65536" in told(error)


@given(
    body=st.binary(max_size=80)
    | st.just(b"[" * 50_000)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(
        st.sampled_from([*GRANTED, "error", "error_code", "error_message", "code", "msg"]), JSON
    ).map(lambda value: json.dumps(value).encode()),
    status=st.sampled_from([200, 204, 301, 400, 401, 403, 404, 418, 429, 500, 503]),
    header=st.text(max_size=20),
)
def test_no_answer_whatever_makes_us_crash(body: bytes, status: int, header: str) -> None:
    try:
        granted = grant(body, status=status, retry_after=header, x_tt_logid=header)
    except (UpstreamRejected, TemporarilyUnavailable):
        return
    assert granted.access_token.isascii()
    assert granted.expires_at > 0


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("alice@bank.cn", "session_name alice@bank.cn is bad"),
        ("alice@bank.cn", "SESSION_NAME ALICE@BANK.CN IS BAD"),
        ("jane.doe@students.university.edu", "bad: jane.doe@students.univers"),
        ("Jane Straße", "bad name: JANE STRASSE"),
        ("O'Brien & Sons", "bad name: O&#39;Brien &amp; Sons"),
        ("\u0130smail Bey", "bad name: i\u0307smail bey"),
        ("jane doe smith", "bad name: jane%20doe smith"),
        ("bob", "no such user: bob"),
    ],
)
def test_a_name_that_coze_repeats_in_any_way_is_not_told(name: str, told: str) -> None:
    said = answer({"error_code": "invalid_request", "error_message": told}, status=400)
    with pytest.raises(UpstreamRejected) as refused:
        read_grant(said, host="api.coze.cn", sent_at=NOW, names=("u-1", name))
    assert "(invalid_request): [removed] x-tt-logid" in str(refused.value.operator)


def test_words_that_tell_no_name_stay() -> None:
    said = answer({"error_code": "access_deny", "error_message": "not installed"}, status=403)
    with pytest.raises(UpstreamRejected) as refused:
        read_grant(said, host="api.coze.cn", sent_at=NOW, names=("al", "alice", "device-1"))
    assert "(access_deny): not installed" in str(refused.value.operator)
