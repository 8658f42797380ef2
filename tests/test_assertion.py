"""The assertion that Coze exchanges: its header, its claims, its signature."""

import base64
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from coze_sts.coze import assertion
from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.assertion import claims, new_jti, sign
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW

MakeApp = Callable[..., CozeApp]
CONTEXT = {"device_info": {"device_id": "d-1"}, "connector_info": {"connector_id": "2001"}}


def payload(app: CozeApp, **overrides: Any) -> dict[str, Any]:
    parts = {"session_name": "u-42", "session_context": None, "now": NOW + 0.9, "jti": "j"}
    return claims(app=app, **(parts | overrides))


def verified(signed: str, key: rsa.RSAPublicKey | str) -> dict[str, Any]:
    """The claims, if the signature holds; Coze's own checks are the stand-in's."""
    return jwt.decode(signed, key, ["RS256"], options={"verify_aud": False, "verify_exp": False})


def test_the_claims_are_those_of_cozes_documents_and_no_more(make_app: MakeApp) -> None:
    expected = {
        "iss": "1234567890123",
        "aud": "api.coze.cn",
        "iat": NOW,
        "exp": NOW + 120,
        "jti": "j",
        "session_name": "u-42",
    }
    assert payload(make_app()) == expected
    assert payload(make_app(), session_context=CONTEXT) == {**expected, "session_context": CONTEXT}


@pytest.mark.parametrize(
    ("api_base", "aud"),
    [("https://api.coze.com", "api.coze.com"), ("http://127.0.0.1:4000", "127.0.0.1:4000")],
)
def test_the_audience_is_the_host_of_the_region(api_base: str, aud: str, make_app: MakeApp) -> None:
    assert payload(make_app(api_base))["aud"] == aud


def test_the_header_names_the_algorithm_the_type_and_the_key(make_app: MakeApp) -> None:
    signed = sign(payload(make_app(kid="kid-7")), app=make_app(kid="kid-7"))
    assert jwt.get_unverified_header(signed) == {"alg": "RS256", "typ": "JWT", "kid": "kid-7"}


def test_pyjwt_is_told_the_algorithm_and_given_a_key_object(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its default is HS256, and with a PEM text it would parse the key for each signature."""
    seen: dict[str, Any] = {}

    def encode(payload: object, key: object, **more: object) -> str:
        seen.update(key=key, **more)
        return "signed"

    monkeypatch.setattr(assertion.jwt, "encode", encode)
    app = make_app()
    assert sign(payload(app), app=app) == "signed"
    assert seen == {"key": app.private_key, "algorithm": "RS256", "headers": {"kid": "kid-1"}}


def test_only_the_apps_own_public_key_verifies(make_app: MakeApp, public_pem: str) -> None:
    app = make_app()
    signed = sign(payload(app), app=app)
    assert verified(signed, public_pem) == payload(app)
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    with pytest.raises(jwt.InvalidSignatureError):
        verified(signed, other)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128))
def test_a_session_name_arrives_as_it_was_sent(
    make_app: MakeApp, public_pem: str, name: str
) -> None:
    app = make_app()
    signed = sign(payload(app, session_name=name), app=app)
    assert verified(signed, public_pem)["session_name"] == name


def test_a_jti_is_random_and_longer_than_32_bytes() -> None:
    ids = {new_jti() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(base64.urlsafe_b64decode(jti)) == 48 for jti in ids)
    for position in range(64):
        assert len({jti[position] for jti in ids}) > 16, "no part of it is fixed"
