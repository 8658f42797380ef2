"""WeChat's jscode2session, against a stand-in and against answers that WeChat never gives."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from coze_sts.auth.session import name_fault
from coze_sts.auth.wechat import WechatApp, openid_of, parse_wechat_app
from coze_sts.errors import (
    AccessDenied,
    InvalidRequest,
    InvalidToken,
    Misconfigured,
    SlowDown,
    StsError,
    TemporarilyUnavailable,
    UpstreamRejected,
)
from coze_sts.web import MAX_BODY_BYTES, new_http_session
from urllib3 import PoolManager

from tests.factories import CANARY, Clock, everything_told
from tests.http_servers import answer, raw_server, sends
from tests.local.server import serve
from tests.local.wechat import LIFETIME_SECONDS, MESSAGES, PATH, WechatStandIn

APP = WechatApp(appid="wx0123456789abcdef", secret=f"s3cr3t-{CANARY}")
CODE = "0716AVll20uHk94SLDml27etM946AVlq"
OPENID = "omQk44_8-cNOV_rX2ATufITJEP3Y"


@pytest.fixture
def http() -> Iterator[PoolManager]:
    with new_http_session() as session:
        yield session


@pytest.fixture
def wechat(clock: Clock) -> WechatStandIn:
    stand_in = WechatStandIn(clock=clock)
    stand_in.register_app(appid=APP.appid, secret=APP.secret)
    return stand_in


@pytest.fixture
def url(wechat: WechatStandIn) -> Iterator[str]:
    with serve(wechat) as server:
        yield server.url


def openid(url: str, http: PoolManager, code: str = CODE, **more: Any) -> str:
    return openid_of(http, api_base=url, code=code, **({"app": APP, "seconds": 5} | more))


def refusal(
    kind: type[StsError], url: str, http: PoolManager, code: str = CODE, **more: Any
) -> StsError:
    """The error of a sign-in that must fail, and shows no secret and no code."""
    with pytest.raises(StsError) as refused:
        openid(url, http, code, **more)
    assert type(refused.value) is kind
    for hidden in filter(None, (CANARY, "rid:", code)):
        assert hidden not in everything_told(refused.value)
    return refused.value


def told(error: StsError) -> str:
    return error.operator or ""


# Who signs in


def test_a_user_gets_the_same_openid_each_time_and_nobody_elses(
    url: str, http: PoolManager, wechat: WechatStandIn
) -> None:
    names = [openid(url, http, wechat.log_in(appid=APP.appid, user=u)) for u in ("a", "b", "a")]
    assert names[0] == names[2] == wechat.openid(appid=APP.appid, user="a") != names[1]


def test_what_is_asked_is_what_the_documents_say(
    url: str, http: PoolManager, wechat: WechatStandIn
) -> None:
    code = wechat.log_in(appid=APP.appid, user="a")
    openid(url, http, code)
    assert wechat.requests == [
        {
            "appid": APP.appid,
            "secret": APP.secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
    ]


def test_a_code_goes_into_the_query_as_one_value(
    url: str, http: PoolManager, wechat: WechatStandIn
) -> None:
    code = "a&secret=b#c?d=%26+"
    refusal(InvalidToken, url, http, code)
    assert (wechat.requests[0]["js_code"], wechat.requests[0]["secret"]) == (code, APP.secret)


def test_an_openid_names_a_session(url: str, http: PoolManager, wechat: WechatStandIn) -> None:
    found = openid(url, http, wechat.log_in(appid=APP.appid, user="a"))
    assert name_fault(f"wechat_{found}") is None


@pytest.mark.parametrize("errcode", [{}, {"errcode": 0}, {"errcode": 0, "errmsg": "ok"}])
def test_a_success_has_an_errcode_of_zero_or_none(
    url: str, http: PoolManager, wechat: WechatStandIn, errcode: dict[str, Any]
) -> None:
    wechat.fail_next(body=json.dumps({"openid": OPENID, "session_key": "k"} | errcode).encode())
    assert openid(url, http) == OPENID


# Codes


def test_a_code_works_once(url: str, http: PoolManager, wechat: WechatStandIn) -> None:
    code = wechat.log_in(appid=APP.appid, user="a")
    openid(url, http, code)
    assert "40163" in told(refusal(InvalidToken, url, http, code))


def test_a_code_works_for_five_minutes(
    url: str, http: PoolManager, wechat: WechatStandIn, clock: Clock
) -> None:
    young, old = (wechat.log_in(appid=APP.appid, user="a") for _ in range(2))
    clock.now += LIFETIME_SECONDS - 1
    openid(url, http, young)
    clock.now += 1
    assert "40029" in told(refusal(InvalidToken, url, http, old))


def test_a_code_of_another_mini_program_is_refused_and_the_operator_told_what_it_may_be(
    url: str, http: PoolManager, wechat: WechatStandIn
) -> None:
    wechat.register_app(appid="wx-other", secret="other")
    error = refusal(InvalidToken, url, http, wechat.log_in(appid="wx-other", user="a"))
    assert "appid in WECHAT_SECRET_ID" in told(error)


@pytest.mark.parametrize("code", ["", "x" * 129, "two words", "new\nline", "\x7f", "код", "码"])
def test_what_can_be_no_code_is_refused_without_asking(
    url: str, http: PoolManager, wechat: WechatStandIn, code: str
) -> None:
    refusal(InvalidRequest, url, http, code)
    assert wechat.requests == []


def test_the_longest_code_is_asked_about(
    url: str, http: PoolManager, wechat: WechatStandIn
) -> None:
    refusal(InvalidToken, url, http, "x" * 128)
    assert len(wechat.requests) == 1


# What WeChat says no to


@pytest.mark.parametrize(
    ("errcode", "kind"),
    [
        (-1, TemporarilyUnavailable),
        *((errcode, InvalidToken) for errcode in (40029, 40163, 41008, 42003)),
        *((errcode, SlowDown) for errcode in (45009, 45011)),
        (40226, AccessDenied),
        *((errcode, UpstreamRejected) for errcode in (40001, 40002, 40013, 40125, 41002, 41004)),
        *((errcode, UpstreamRejected) for errcode in (1, 50002, 48001, 99999999)),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_each_error_code_has_its_meaning_and_is_told_to_the_operator(
    url: str,
    http: PoolManager,
    wechat: WechatStandIn,
    *,
    errcode: int,
    kind: type[StsError],
    status: int,
) -> None:
    wechat.fail_next(errcode, status=status)
    error = refusal(kind, url, http)
    host = url.removeprefix("http://")
    assert told(error).startswith(f"{host} answered errcode {errcode}")
    assert ("WECHAT_SECRET_ID" in told(error)) == (kind in (UpstreamRejected, InvalidToken))
    assert error.retry_after == {SlowDown: 60, TemporarilyUnavailable: 1}.get(kind)
    assert "WECHAT" not in error.description


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [({"secret": f"other-{CANARY}"}, 40125), ({"appid": "wx-nobody"}, 40013)],
)
def test_a_wrong_secret_or_appid_is_the_operators_to_mend(
    url: str, http: PoolManager, changed: dict[str, str], errcode: int
) -> None:
    error = refusal(UpstreamRejected, url, http, app=WechatApp(**(vars(APP) | changed)))
    assert f"errcode {errcode}: store the AppID and the AppSecret" in told(error)


def test_nothing_that_wechat_says_is_repeated(
    url: str, http: PoolManager, wechat: WechatStandIn
) -> None:
    said = {"errcode": 40125, "errmsg": f"invalid appsecret {APP.secret}, rid: 6-5-4"}
    wechat.fail_next(body=json.dumps(said).encode())
    refusal(UpstreamRejected, url, http)


@pytest.mark.parametrize("errcode", ["40029", None, [40029], 40029.5, 10**300, {"a": 1}, True])
def test_an_errcode_of_another_kind_is_a_fault_of_the_call(
    url: str, http: PoolManager, wechat: WechatStandIn, errcode: object
) -> None:
    wechat.fail_next(body=json.dumps({"errcode": errcode, "openid": OPENID}).encode())
    assert len(told(refusal(UpstreamRejected, url, http))) < 200


# What counts as no answer


@pytest.mark.parametrize(
    "found",
    [None, "", 7, [OPENID], "x" * 65, "two words", f"{OPENID}\n", "guest/../x", "опен"],
)
def test_an_openid_of_another_shape_names_nobody(
    url: str, http: PoolManager, wechat: WechatStandIn, found: object
) -> None:
    wechat.fail_next(body=json.dumps({"openid": found, "session_key": CANARY}).encode())
    error = refusal(UpstreamRejected, url, http)
    assert told(error).endswith("answered 200 without a usable openid.")


@pytest.mark.parametrize("status", [201, 302, 403])
def test_an_openid_counts_in_a_good_answer_only(
    url: str, http: PoolManager, wechat: WechatStandIn, status: int
) -> None:
    wechat.fail_next(status=status, body=json.dumps({"openid": OPENID}).encode())
    assert f"answered {status} without" in told(refusal(UpstreamRejected, url, http))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, json.dumps({"openid": OPENID}).encode()),
        (502, b"<html>"),
        (429, b'{"errcode": 40029}'),
        (200, b"<html>" + CANARY.encode()),
        (200, b""),
        (200, json.dumps([OPENID]).encode()),
        (200, json.dumps({"openid": OPENID}).encode() + b" " * MAX_BODY_BYTES),
    ],
)
def test_an_answer_that_makes_no_sense_is_temporary(
    url: str, http: PoolManager, wechat: WechatStandIn, status: int, body: bytes
) -> None:
    wechat.fail_next(status=status, body=body)
    assert f"answered {status}" in told(refusal(TemporarilyUnavailable, url, http))


def test_no_answer_is_temporary_and_shows_nothing_of_the_url(http: PoolManager) -> None:
    with raw_server(sends(b"", pause=1)) as server:
        error = refusal(TemporarilyUnavailable, server.url, http, seconds=0.1)
        host = server.url.removeprefix("http://")
    causes = ("TimeoutError", "ReadTimeoutError")
    assert told(error) in {f"{host} did not answer: {cause}." for cause in causes}
    assert len(server.requests) == 1
    assert "NewConnectionError" in told(refusal(TemporarilyUnavailable, server.url, http))


def test_a_redirect_takes_the_secret_nowhere(http: PoolManager) -> None:
    with raw_server(sends(answer(b"{}"))) as elsewhere:
        moved = answer(b"{}", status="302 Found", headers=f"Location: {elsewhere.url}\r\n")
        with raw_server(sends(moved)) as server:
            refusal(UpstreamRejected, server.url, http)
    assert elsewhere.connections == []


# The secret


def test_a_stored_secret_is_read_as_windows_and_people_leave_it() -> None:
    stored = json.dumps({"appid": f" {APP.appid}", "secret": f"{APP.secret}\n", "note": 7})
    assert parse_wechat_app("\ufeff" + stored) == APP
    assert CANARY not in repr(APP)


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", f'"{CANARY}"', CANARY, "{}"),
        json.dumps({"secret": CANARY}),
        json.dumps({"appid": APP.appid}),
        json.dumps({"appid": APP.appid, "secret": ""}),
        json.dumps({"appid": 7, "secret": CANARY}),
        json.dumps({"appid": f"{CANARY} {CANARY}", "secret": CANARY}),
    ],
)
def test_a_stored_secret_of_another_shape_is_the_operators_to_mend(text: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        parse_wechat_app(text)
    expected = 'WECHAT_SECRET_ID must hold the JSON object {"appid": "…", "secret": "…"}'
    assert (refused.value.operator or "").startswith(expected)
    assert CANARY not in everything_told(refused.value)


# The stand-in


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
        ({"js_code": ""}, 41008),
        ({"grant_type": "password"}, 40002),
        ({"appid": "wx-nobody"}, 40013),
        ({"secret": "other"}, 40125),
        ({"js_code": "made-up"}, 40029),
    ],
)
def test_the_stand_in_refuses_in_wechats_words_and_leaves_the_code_good(
    url: str, wechat: WechatStandIn, changed: dict[str, str], errcode: int
) -> None:
    good = {
        "appid": APP.appid,
        "secret": APP.secret,
        "js_code": wechat.log_in(appid=APP.appid, user="a"),
        "grant_type": "authorization_code",
    }
    refused = requests.get(url + PATH, params=good | changed).json()
    assert (refused["errcode"], refused["errmsg"].partition(", rid: ")[0]) == (
        errcode,
        MESSAGES[errcode],
    )
    accepted = requests.get(url + PATH, params=good)
    assert set(accepted.json()) == {"openid", "session_key", "unionid"}
    assert accepted.headers["Content-Type"].startswith("text/plain")


def test_the_stand_in_has_one_door(url: str) -> None:
    assert requests.post(url + PATH).status_code == requests.get(url + "/other").status_code == 404
