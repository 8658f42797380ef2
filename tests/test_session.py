"""Caller → Session: whose conversations a token opens, and that nobody else can have it."""

import base64
import hmac
import json
import re
import unicodedata
from typing import Any

import pytest
from coze_sts.auth.guest import TicketOffice
from coze_sts.auth.session import (
    GUEST_PREFIX,
    MAX_BYTES,
    MAX_CODE_POINTS,
    Caller,
    Session,
    begins_with,
    binding_key,
    cache_key,
    day_key,
    name_fault,
    session_counter_key,
    session_for,
)
from coze_sts.keyring import Keyring
from coze_sts.settings import Settings
from hypothesis import example, given
from hypothesis import strategies as st

from tests.factories import KEYRING, NOW, ROTATED, make_settings

TEXT = st.text(st.characters(), max_size=140)
NAMES = st.text(
    st.characters(categories=["L", "M", "N", "P", "S"]) | st.just(" "), min_size=1, max_size=40
).filter(lambda name: name_fault(name) is None)
GUESTS = st.binary(min_size=16, max_size=16).map(
    lambda guest_id: (
        TicketOffice(keys={"1": b"k"}, newest="1", audience="t", random_bytes=lambda _: guest_id)
        .admit(None, now=NOW)
        .caller
    )
)
PLAIN, PSEUDONYMOUS = make_settings(), make_settings(pseudonymous=True)
REFUSED_CATEGORIES = ["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"]


def user(name: str) -> Caller:
    return Caller(kind="user", name=name)


def backend(name: str, **more: Any) -> Caller:
    return Caller(kind="backend", name=name, **more)


def named(caller: Caller, settings: Settings = PLAIN) -> str:
    return session_for(caller, settings=settings, keyring=KEYRING).name


@pytest.mark.parametrize(
    "name",
    [
        *("u", "u-42", "a@b.example", "+86 138 0013 8000", "auth0|5f7c8ec7", "guest", "user_x"),
        *("张三", "é", "😀", "a" * 128, "界" * 85, "😀" * 64),
    ],
)
def test_a_name_of_128_characters_and_256_bytes_that_can_be_seen_is_accepted(name: str) -> None:
    assert name_fault(name) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "1 to 128 characters"),
        ("a" * 129, "1 to 128 characters"),
        ("a" * 10**6, "1 to 128 characters"),
        ("界" * 86, "256 bytes"),
        ("😀" * 65, "256 bytes"),
        ("e\u0301", "NFC"),
        ("\u212b", "NFC"),
        (" u", "a space"),
        ("u ", "a space"),
        (" ", "a space"),
        ("guest_x", "reserved"),
        ("GUEST_x", "reserved"),
        ("gue\u017ft_x", "reserved"),  # long s folds to s
        ("gue\ufb06_x", "reserved"),  # the ligature st folds to two letters
    ],
)
def test_a_name_that_is_refused_is_refused_for_its_reason(name: str, why: str) -> None:
    assert why in (name_fault(name) or "")


@given(st.characters(categories=REFUSED_CATEGORIES, exclude_characters=" "), st.integers(0, 2))
@example("\u200b", 1)
@example("\u202e", 1)
@example("\u00a0", 1)
@example("\u3000", 0)
@example("\n", 2)
@example("\x00", 2)
@example("\ud800", 1)
@example("\ue000", 1)
@example("\u0378", 1)
def test_a_character_that_cannot_be_seen_is_refused_wherever_it_stands(c: str, at: int) -> None:
    assert name_fault("ab"[:at] + c + "ab"[at:]) == (
        "has a character that cannot be seen or is not assigned"
    )


@given(TEXT)
def test_what_is_accepted_keeps_every_rule(name: str) -> None:
    if name_fault(name) is None:
        assert 1 <= len(name) <= MAX_CODE_POINTS == 128
        assert len(name.encode()) <= MAX_BYTES == 256
        assert unicodedata.normalize("NFC", name) == name == name.strip()
        assert name.isprintable()


@given(NAMES)
def test_a_name_is_never_changed(name: str) -> None:
    assert named(user(name)) == named(backend(name)) == name


@given(NAMES, NAMES)
def test_two_names_are_two_sessions(one: str, other: str) -> None:
    for settings in (PLAIN, PSEUDONYMOUS):
        met = named(user(one), settings) == named(backend(other), settings)
        assert met == (one == other)


@given(GUESTS, NAMES)
def test_a_guest_cannot_meet_a_user_or_a_backend(guest: Caller, name: str) -> None:
    for settings in (PLAIN, PSEUDONYMOUS):
        for caller in (user(name), backend(name)):
            assert named(guest, settings) != named(caller, settings)
            assert not named(caller, settings).casefold().startswith(GUEST_PREFIX)
    assert named(guest) == named(guest, PSEUDONYMOUS)


@given(GUESTS, st.lists(st.booleans(), min_size=40, max_size=40))
def test_no_one_can_be_named_like_a_guest_in_any_case(guest: Caller, upper: list[bool]) -> None:
    spelled = "".join(c.upper() if u else c for c, u in zip(guest.name, upper, strict=False))
    assert name_fault(spelled) is not None
    assert guest.name == guest.name.casefold()


@given(NAMES)
def test_a_pseudonym_is_a_keyed_digest_and_stays_when_keys_are_added(name: str) -> None:
    rings = KEYRING, ROTATED, Keyring(keys={"2": ROTATED.keys["2"]})
    now, later, elsewhere = (
        session_for(user(name), settings=PSEUDONYMOUS, keyring=ring).name for ring in rings
    )
    assert re.fullmatch(r"user_[a-z2-7]{40}", now)
    assert now == later != elsewhere


def test_a_pseudonym_never_changes_between_releases() -> None:
    """Else every user would lose their history; the value was computed once and is kept."""
    assert named(user("u-42"), PSEUDONYMOUS) == "user_xdo7xnvrzat3ivtjduazzdkqa52j7qj3ttdwumgb"


def test_another_namespace_changes_the_prefix_and_nothing_else() -> None:
    member = named(user("u-42"), make_settings(pseudonymous=True, session_namespace="member"))
    assert member == "member_xdo7xnvrzat3ivtjduazzdkqa52j7qj3ttdwumgb"
    assert named(user("u-42"), make_settings(session_namespace="member")) == "u-42"


@given(NAMES, GUESTS)
def test_who_was_a_guest_keeps_the_guests_session_whoever_asks_and_however_they_are_named(
    name: str, guest: Caller
) -> None:
    sessions = {
        session_for(caller, settings=settings, keyring=ring, guest=guest.name)
        for caller in (user(name), backend(name))
        for settings in (PLAIN, PSEUDONYMOUS)
        for ring in (KEYRING, ROTATED)
    }
    assert sessions == {session_for(guest, settings=PLAIN, keyring=KEYRING)}


def test_quota_of_who_was_a_guest_is_counted_by_the_guest() -> None:
    settings = make_settings(end_user_quota=True)
    session = session_for(user("u"), settings=settings, keyring=KEYRING, guest="guest_a")
    assert session.custom_consumer == "guest_a"


@given(NAMES, NAMES, GUESTS)
def test_a_user_and_a_backend_that_names_them_have_one_binding_and_nobody_else_has_it(
    one: str, other: str, guest: Caller
) -> None:
    key = KEYRING.binding_key
    mine = binding_key(user(one), key=key)
    assert re.fullmatch(r"u1#[A-Za-z0-9_-]{43}", mine)
    assert mine == binding_key(backend(one, device_id="d"), key=key)
    assert (mine == binding_key(user(other), key=key)) == (one == other)
    assert binding_key(guest, key=key).startswith("g1#")


def test_a_bindings_key_never_changes_between_releases() -> None:
    """Else every user would lose what they said as a guest; computed once and kept."""
    key = KEYRING.binding_key
    assert binding_key(user("u-42"), key=key) == "u1#92coQQdxpUAXoLSKmmofOaDMCeG6Zl64e6TzsHl37UE"
    assert (
        binding_key(Caller(kind="guest", name="guest_a"), key=key)
        == "g1#sRul5j3QJkHLe1-v0DbFtNVf_kugwvX_RSIaErte874"
    )


@given(st.sampled_from(["address", "origin"]), TEXT, st.sampled_from(["address", "origin"]), TEXT)
def test_a_days_counter_is_one_subjects_and_tells_nobody_whose(
    kind: str, subject: str, other_kind: str, other: str
) -> None:
    mine = day_key(kind, subject, key=b"k")
    assert re.fullmatch(r"n1#[A-Za-z0-9_-]{43}", mine)
    same = (kind, subject) == (other_kind, other)
    assert (mine == day_key(other_kind, other, key=b"k")) == same
    assert mine != day_key(kind, subject, key=b"j")


@given(NAMES, NAMES)
def test_a_session_is_counted_as_one_whatever_page_it_is_on(one: str, other: str) -> None:
    """Its rows differ by what the page's tokens may do; the counter does not."""
    app = ("https://api.coze.cn", "1")
    mine = session_counter_key(Session(name=one), index_key=b"i", app=app)
    assert re.fullmatch(r"n1#[A-Za-z0-9_-]{43}", mine)
    assert mine == session_counter_key(Session(name=one, device_id="d"), index_key=b"i", app=app)
    theirs = session_counter_key(Session(name=other), index_key=b"i", app=app)
    assert (mine == theirs) == (one == other)
    assert mine != session_counter_key(Session(name=one), index_key=b"i", app=(app[0], "2"))
    assert mine != session_counter_key(Session(name=one), index_key=b"j", app=app)


@pytest.mark.parametrize("name", ["two_x", "TWO_x", "ｔｗｏ_x", "two＿x", "ＴＷＯ_"])
def test_a_name_that_some_system_folds_into_a_prefix_begins_with_it(name: str) -> None:
    assert begins_with(name, "wechat_", "two_")
    assert not begins_with(name, "wechat_", "two_x_")
    assert not begins_with(name)


def test_the_context_is_left_out_where_there_is_nothing_to_say() -> None:
    assert Session(name="u").context is None
    assert session_for(user("u"), settings=PLAIN, keyring=KEYRING).context is None


@pytest.mark.parametrize(
    ("caller", "quota", "device_info"),
    [
        (backend("u", device_id="d"), False, {"device_id": "d"}),
        (backend("u", custom_consumer="c"), False, {"custom_consumer": "c"}),
        (backend("u", device_id="d"), True, {"device_id": "d"}),
        (backend("u", custom_consumer="c"), True, {"custom_consumer": "c"}),
        (user("u"), True, {"custom_consumer": "u"}),
    ],
)
def test_quota_is_counted_by_what_the_backend_says_else_by_session(
    caller: Caller, quota: bool, device_info: dict[str, str]
) -> None:
    settings = make_settings(end_user_quota=quota, connector_id="2001")
    assert session_for(caller, settings=settings, keyring=KEYRING).context == {
        "device_info": device_info,
        "connector_info": {"connector_id": "2001"},
    }


def test_quota_never_reveals_the_name_behind_a_pseudonym() -> None:
    settings = make_settings(pseudonymous=True, end_user_quota=True)
    session = session_for(user("u-42"), settings=settings, keyring=KEYRING)
    assert session.custom_consumer == session.name
    assert "u-42" not in repr(session)


SMALL = st.sampled_from(["", "a", "b", "ab", ",", '"', '","', "null", "a,b", '["a"]'])
MAYBE = st.none() | SMALL
PARTS = st.fixed_dictionaries(
    {
        "api_base": SMALL,
        "client_id": SMALL,
        "name": SMALL,
        "device_id": MAYBE,
        "custom_consumer": MAYBE,
        "connector_id": MAYBE,
        "coze_account_id": MAYBE,
        "coze_bot_ids": st.lists(SMALL, max_size=2).map(tuple),
        "coze_permissions": st.lists(SMALL, max_size=2).map(tuple),
        "token_duration_seconds": st.integers(60, 62),
    }
)


def key_of(parts: dict[str, Any], index_key: bytes = b"i") -> str:
    session = ("name", "device_id", "custom_consumer", "connector_id")
    settings = {k: v for k, v in parts.items() if k.startswith(("coze_", "token_"))}
    return cache_key(
        Session(**{name: parts[name] for name in session}),
        index_key=index_key,
        app=(parts["api_base"], parts["client_id"]),
        settings=make_settings(**settings),
    )


def meaning(parts: dict[str, Any]) -> tuple[Any, ...]:
    """What Coze would be asked: two requests that differ in it must never share a token."""
    settings = make_settings(
        **{name: value for name, value in parts.items() if name.startswith("coze_")}
    )
    context = Session(
        **{n: parts[n] for n in ("name", "device_id", "custom_consumer", "connector_id")}
    ).context
    asked = (context, settings.scope, settings.token_path)
    return (
        *(parts[n] for n in ("api_base", "client_id", "name", "token_duration_seconds")),
        *asked,
    )


@given(PARTS, PARTS, st.sets(st.sampled_from(["api_base", "client_id", "name", "device_id"])))
def test_two_requests_share_a_row_exactly_when_they_ask_for_the_same(
    one: dict[str, Any], other: dict[str, Any], same: set[str]
) -> None:
    near = {**one, **{name: other[name] for name in same}}
    for second in (near, other):
        assert (key_of(one) == key_of(second)) == (meaning(one) == meaning(second))


BASE = {
    "api_base": "https://api.coze.cn",
    "client_id": "1",
    "name": "u-42",
    "device_id": None,
    "custom_consumer": None,
    "connector_id": None,
    "token_duration_seconds": 3600,
}


CHANGES: list[dict[str, Any]] = [
    {},
    {"api_base": "https://api.coze.com"},
    {"client_id": "2"},
    {"name": "u-43"},
    {"device_id": "d"},
    {"custom_consumer": "d"},
    {"connector_id": "d"},
    {"token_duration_seconds": 3601},
    {"coze_account_id": "7"},
    {"coze_enterprise_id": "7"},
    {"coze_bot_ids": ("7",), "coze_permissions": ("p",)},
    {"coze_bot_ids": ("7",), "coze_permissions": ("q",)},
    {"coze_bot_ids": ("7", "8"), "coze_permissions": ("p",)},
]


def test_everything_that_makes_a_token_another_makes_another_row() -> None:
    assert len({key_of({**BASE, **change}) for change in CHANGES}) == len(CHANGES)


def test_parts_that_meet_at_their_edge_are_told_apart() -> None:
    moved = {**BASE, "client_id": "12", "name": "3"}, {**BASE, "client_id": "1", "name": "23"}
    assert key_of(moved[0]) != key_of(moved[1])


def test_the_key_of_a_row_is_a_keyed_digest_and_tells_no_name() -> None:
    key = key_of(BASE)
    assert re.fullmatch(r"t1#[A-Za-z0-9_-]{43}", key)
    assert key != key_of(BASE, index_key=b"j")
    assert len(base64.urlsafe_b64decode(key[3:] + "=")) == 32


def test_the_key_of_a_row_is_cut_from_the_list_that_the_design_names() -> None:
    listed = json.dumps(
        ["https://api.coze.cn", "1", "/api/permission/oauth2/token", "u-42", None, None, 3600],
        separators=(",", ":"),
    )
    digest = hmac.digest(b"i", listed.encode(), "sha256")
    assert key_of(BASE) == "t1#" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.mark.parametrize("unseen", ["\u034f", "\u115f", "\u17b4", "\u2800", "\u3164", "\ufe0f"])
def test_what_no_font_shows_neither_names_nor_hides_anybody(unseen: str) -> None:
    assert "cannot be seen" in (name_fault(f"ali{unseen}ce") or "")
    assert begins_with(f"sta{unseen}ff_alice", "staff_")
