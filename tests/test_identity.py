"""Who is calling, from what API Gateway's authorizers proved; never from anything weaker."""

import re
import unicodedata
from typing import Any

import pytest
from coze_sts.auth import identity
from coze_sts.auth.session import Caller, name_fault, session_for
from coze_sts.errors import AccessDenied, InvalidRequest, InvalidToken, StsError
from coze_sts.issuers import Issuer
from coze_sts.settings import WECHAT_PREFIX
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.factories import CANARY, KEYRING, everything_told, make_settings

IAM = {"userArn": "arn:aws:iam::123456789012:user/backend", "accountId": "123456789012"}
CLAIMS = {"sub": "u-42", "iss": "https://issuer.example", "aud": "site"}
NO_PROOF: list[dict[str, Any]] = [
    {},
    {"authorizer": None},
    {"authorizer": {}},
    {"authorizer": "jwt"},
    {"authorizer": []},
    {"authorizer": {"jwt": None, "iam": None}},
    {"authorizer": {"jwt": {}, "iam": {}}},
    {"authorizer": {"jwt": {"claims": None}, "iam": {"userArn": ""}}},
    {"authorizer": {"jwt": {"claims": "sub=u-42"}, "iam": "arn"}},
    {"authorizer": {"claims": CLAIMS, "userArn": IAM["userArn"]}},
    {"authorizer": {"lambda": {"sub": "u-42", "userArn": "x"}}},
    {"jwt": {"claims": CLAIMS}, "iam": IAM},
]


def context(**claims: Any) -> dict[str, Any]:
    return {"authorizer": {"jwt": {"claims": claims, "scopes": None}}}


def user(session_claim: str = "sub", **claims: Any) -> Caller:
    return identity.user(context(**claims), session_claim=session_claim)


def backend(
    session_name: str = "u-42", device_id: str | None = None, custom_consumer: str | None = None
) -> Caller:
    return identity.backend(
        session_name=session_name, device_id=device_id, custom_consumer=custom_consumer
    )


def test_the_claim_names_the_user_and_other_claims_do_not() -> None:
    assert user(**CLAIMS) == Caller(kind="user", name="u-42")
    assert user("email", **CLAIMS, email="a@b.example").name == "a@b.example"
    assert user(sub=42).name == "42"


@pytest.mark.parametrize("request_context", NO_PROOF)
def test_without_the_authorizers_block_nobody_is_let_in(request_context: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        identity.user(request_context, session_claim="sub")
    with pytest.raises(InvalidToken):
        identity.iam_principal(request_context)


def test_the_proof_of_one_way_in_does_not_open_the_other() -> None:
    with pytest.raises(InvalidToken):
        identity.iam_principal(context(**CLAIMS))
    with pytest.raises(InvalidToken):
        identity.user({"authorizer": {"iam": IAM}}, session_claim="sub")


def test_iam_lets_in_whoever_it_verified() -> None:
    assert identity.iam_principal({"authorizer": {"iam": IAM}}) == IAM["userArn"]


@pytest.mark.parametrize(
    "claim",
    [
        *(None, True, 1.5, ["u-42"], {"name": "u-42"}),
        *("", " u", "a\u200bb", "e\u0301", "guest_abc", "Guest_abc", "x" * 129),
        *("[u-42]", "[u-42 u-43]", "map[name:u-42]", f"{CANARY}\x00"),
    ],
)
def test_a_claim_that_cannot_name_a_session_is_denied_and_not_quoted(claim: object) -> None:
    """API Gateway writes a list as [a b] and an object as map[a:b]: neither names somebody."""
    with pytest.raises(AccessDenied) as refused:
        user("https://example.com/id", **{"https://example.com/id": claim}, sub="u-42")
    assert "https://example.com/id" in (refused.value.operator or "")
    assert "example.com" not in refused.value.description
    assert CANARY not in everything_told(refused.value)


def test_a_claim_that_is_absent_never_falls_back_to_another() -> None:
    with pytest.raises(AccessDenied):
        user("email", **CLAIMS)


GATEWAY_WROTE = re.compile(
    r"\[.*|\{.*|map\[.*|<nil>|null|true|false|NaN|[+-]?Inf|[+-]?[0-9]+[.e][0-9.e+-]+", re.DOTALL
)
"""How API Gateway writes what is neither a string nor a plain integer."""


@given(st.text(st.characters()))
def test_a_user_keeps_the_name_of_the_claim_or_has_none(name: str) -> None:
    try:
        assert user(sub=name).name == name
    except AccessDenied:
        assert name_fault(name) or GATEWAY_WROTE.fullmatch(name)


ONE, TWO, THREE = (
    Issuer(url="https://one.example/"),
    Issuer(url="https://two.example", prefix="two_"),
    Issuer(url="https://three.example", prefix="3:"),
)
ISSUERS = ONE, TWO, THREE
RESERVED = ("two_", "3:", WECHAT_PREFIX)


def of(issuer: Issuer, sub: object) -> Caller:
    """The user `sub` of this issuer, at a site with three of them and a mini-program."""
    claims = context(iss=issuer.url, sub=sub)
    return identity.user(claims, session_claim="sub", issuers=ISSUERS, reserved=RESERVED)


@pytest.mark.parametrize("sub", ["u-42", 42])
def test_equal_subjects_of_two_issuers_are_two_users(sub: str | int) -> None:
    callers = [of(issuer, sub) for issuer in ISSUERS]
    assert [caller.name for caller in callers] == [f"{sub}", f"two_{sub}", f"3:{sub}"]
    assert [caller.issuer for caller in callers] == [issuer.url for issuer in ISSUERS]


@pytest.mark.parametrize("sub", [None, True, False, 1.5, 1e400, ["u"], {"id": "u"}, b"u"])
@pytest.mark.parametrize("issuer", ISSUERS)
def test_only_text_and_whole_numbers_name_somebody(issuer: Issuer, sub: object) -> None:
    with pytest.raises(AccessDenied):
        of(issuer, sub)


@pytest.mark.parametrize("prefix", RESERVED)
@pytest.mark.parametrize("spelled", [str.lower, str.upper, str.title, str.swapcase])
def test_a_user_of_the_first_issuer_cannot_be_named_like_another_doors(
    prefix: str, spelled: Any
) -> None:
    for name in (spelled(prefix), spelled(prefix) + "u-42"):
        with pytest.raises(AccessDenied, match="does not name a session") as refused:
            of(ONE, name)
        assert "reserved for another way in" in (refused.value.operator or "")


@pytest.mark.parametrize("name", ["ｔｗｏ_u", "two＿u", "ⓦechat_u", "3：u"])
def test_nor_like_what_some_system_would_normalise_into_it(name: str) -> None:
    with pytest.raises(AccessDenied):
        of(ONE, name)


@pytest.mark.parametrize("prefix", [*RESERVED, "guest_"])
def test_where_a_prefix_is_not_configured_it_is_an_ordinary_name_but_for_guests(
    prefix: str,
) -> None:
    claims = context(iss=ONE.url, sub=f"{prefix}u")
    if prefix == "guest_":
        with pytest.raises(AccessDenied):
            identity.user(claims, session_claim="sub", issuers=(ONE,))
        return
    assert identity.user(claims, session_claim="sub", issuers=(ONE,)).name == f"{prefix}u"


def test_a_later_issuers_user_may_have_any_name_behind_their_prefix() -> None:
    assert of(TWO, "two_u").name == "two_two_u"
    assert of(TWO, "wechat_u").name == "two_wechat_u"
    assert of(THREE, "two_u").name == "3:two_u"
    with pytest.raises(AccessDenied):
        of(TWO, "guest_u")


def test_a_name_is_not_too_long_with_its_prefix() -> None:
    assert of(TWO, "u" * 124).name == "two_" + "u" * 124
    with pytest.raises(AccessDenied):
        of(TWO, "u" * 125)


@pytest.mark.parametrize(
    "iss", [None, "", "https://one.example", "https://TWO.example", "https://two.example/", 2]
)
def test_with_several_issuers_the_claim_says_which_to_the_letter(iss: object) -> None:
    with pytest.raises(AccessDenied) as refused:
        of(Issuer(url=iss), "u-42")  # type: ignore[arg-type]
    assert "iss" in (refused.value.operator or "")


def test_with_a_single_issuer_the_authorizer_is_the_proof() -> None:
    """As it was before there could be several: no site's users change."""
    for issuers, issuer in (((), None), ((ONE,), ONE.url)):
        caller = identity.user(context(sub="u"), session_claim="sub", issuers=issuers)
        assert caller == Caller(kind="user", name="u", issuer=issuer)


def test_a_backend_may_name_the_user_of_any_way_in() -> None:
    for prefixed in (of(TWO, "u").name, of(THREE, "u").name, "wechat_oU-42"):
        assert backend(prefixed).name == prefixed


PIECES = ["two_", "3:", "wechat_", "guest_", "TWO_", "ｔ", "wo_", "u", "_", ":", "\u0301"]
SUBS = st.lists(st.sampled_from(PIECES), max_size=4).map("".join) | st.text(max_size=6)
OPENIDS = st.text("abTW_-3", min_size=1, max_size=8)
IDENTITIES = st.one_of(
    st.tuples(st.sampled_from(ISSUERS), SUBS),
    st.tuples(st.just("wechat"), OPENIDS),
    st.tuples(st.just("guest"), st.text("ab234567", min_size=26, max_size=26)),
)


def session_of(who: tuple[Any, str], *, pseudonymous: bool) -> str | None:
    """The session's name, or None for who gets none."""
    way, name = who
    try:
        caller = of(way, name) if isinstance(way, Issuer) else stranger(way, name)
    except StsError:
        return None
    settings = make_settings(pseudonymous=pseudonymous)
    return session_for(caller, settings=settings, keyring=KEYRING).name


def stranger(way: str, name: str) -> Caller:
    return Caller(kind="guest" if way == "guest" else "user", name=f"{way}_{name}")  # type: ignore[arg-type]


@given(IDENTITIES, IDENTITIES, st.booleans())
def test_two_people_never_meet_whatever_way_they_came_in(
    one: tuple[Any, str], other: tuple[Any, str], pseudonymous: bool
) -> None:
    """Not even at a system that folds letters, where the ways differ."""
    assume(one != other)
    first, second = (session_of(who, pseudonymous=pseudonymous) for who in (one, other))
    if first is None or second is None:
        return
    assert first != second
    assert one[0] == other[0] or folded(first) != folded(second)


def folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def test_a_backend_names_its_user() -> None:
    assert backend() == Caller(kind="backend", name="u-42")
    assert backend(device_id="d").device_id == "d"
    assert backend(custom_consumer="c").custom_consumer == "c"


def test_device_and_consumer_exclude_each_other() -> None:
    with pytest.raises(InvalidRequest, match="not both"):
        backend(device_id="d", custom_consumer="c")


@pytest.mark.parametrize("field", ["session_name", "device_id", "custom_consumer"])
@pytest.mark.parametrize("value", ["", " u", f"{CANARY}\x00", "guest_abc", "GUEST_abc", "e\u0301"])
def test_a_name_that_is_not_fit_is_refused_by_its_field_and_not_quoted(
    field: str, value: str
) -> None:
    with pytest.raises(InvalidRequest, match=rf"^{field} (must|has)") as refused:
        backend(**{field: value})
    assert CANARY not in everything_told(refused.value)
