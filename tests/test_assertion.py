"""The assertion that Coze exchanges: its header, its claims, its signature."""

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import jwt
import pytest
from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.assertion import claims, new_jti, sign
from coze_sts.coze.signer import KmsSigner, LocalSigner
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW
from tests.kms import SIGNERS, import_key, kms_client

MakeApp = Callable[..., CozeApp]
CONTEXT = {"device_info": {"device_id": "d-1"}, "connector_info": {"connector_id": "2001"}}


@pytest.fixture(scope="module", params=SIGNERS)
def app(request: pytest.FixtureRequest, make_app: MakeApp, rsa_key: Any) -> Iterator[CozeApp]:
    """An app whose key signs here, and the same one where the key is in KMS."""
    if request.param != "KMS":
        yield make_app()
        return
    with kms_client() as client:
        signer = KmsSigner(kms=lambda: client, key_arn=import_key(rsa_key))
        yield replace(make_app(), signer=signer)


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


def test_the_header_names_the_algorithm_the_type_and_the_key(app: CozeApp) -> None:
    signed = sign(payload(app), app=replace(app, kid="kid-7"))
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", signed, re.ASCII), "no padding, RFC 7515 says"
    assert jwt.get_unverified_header(signed) == {"alg": "RS256", "typ": "JWT", "kid": "kid-7"}


def test_kms_and_the_key_itself_sign_the_same(private_pem: str, app: CozeApp) -> None:
    """The padding of RS256 has nothing random in it."""
    local = replace(app, signer=LocalSigner(pem=private_pem))
    assert sign(payload(app), app=app) == sign(payload(app), app=local)


def test_only_the_apps_own_public_key_verifies(app: CozeApp, public_pem: str) -> None:
    signed = sign(payload(app), app=app)
    assert verified(signed, public_pem) == payload(app)
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    with pytest.raises(jwt.InvalidSignatureError):
        verified(signed, other)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128))
def test_a_session_name_arrives_as_it_was_sent(app: CozeApp, public_pem: str, name: str) -> None:
    signed = sign(payload(app, session_name=name), app=app)
    assert verified(signed, public_pem)["session_name"] == name


def test_a_jti_is_random_and_longer_than_32_bytes() -> None:
    ids = {new_jti() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(base64.urlsafe_b64decode(jti)) == 48 for jti in ids)
    for position in range(64):
        assert len({jti[position] for jti in ids}) > 16, "no part of it is fixed"
