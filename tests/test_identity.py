"""Who is calling, from what API Gateway's authorizers proved; never from anything weaker."""

from typing import Any

import pytest
from coze_sts.auth import identity
from coze_sts.auth.session import Caller, name_fault
from coze_sts.errors import AccessDenied, InvalidRequest, InvalidToken
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import CANARY, everything_told

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


@given(st.text(st.characters()))
def test_a_user_keeps_the_name_of_the_claim_or_has_none(name: str) -> None:
    try:
        assert user(sub=name).name == name
    except AccessDenied:
        assert name_fault(name) or name.startswith(("[", "map["))


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
