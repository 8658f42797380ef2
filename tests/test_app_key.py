"""coze_oauth_config.json, taken as Coze hands it out; and what is refused, never quoted."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from coze_sts.coze import private_key
from coze_sts.coze.app_key import CozeApp, parse_app
from coze_sts.coze.assertion import claims, sign
from coze_sts.coze.private_key import load_private_key
from coze_sts.coze.signer import KmsSigner, LocalSigner
from coze_sts.errors import Misconfigured
from coze_sts.stored_secret import TTL_SECONDS, SecretVersion, StoredSecret
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.factories import CANARY, NOW, Clock, everything_told

LOCK = BestAvailableEncryption(b"passphrase")


@pytest.fixture
def config(private_pem: str) -> dict[str, Any]:
    return {
        "client_type": "jwt",
        "client_id": "1234567890123",
        "coze_www_base": "https://www.coze.cn",
        "coze_api_base": "https://api.coze.cn",
        "private_key": private_pem,
        "public_key_id": "Ab-kid_1",
    }


def pem(
    key: Any,
    form: PrivateFormat = PrivateFormat.PKCS8,
    lock: KeySerializationEncryption | None = None,
) -> str:
    text: bytes = key.private_bytes(Encoding.PEM, form, lock or NoEncryption())
    return text.decode()


def certificate(key: rsa.RSAPrivateKey) -> str:
    name, now = x509.Name([]), datetime.fromtimestamp(NOW, UTC)
    signed = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    return signed.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def public(key: rsa.RSAPrivateKey, form: PublicFormat) -> str:
    return key.public_key().public_bytes(Encoding.PEM, form).decode()


def refusal(secret: str | dict[str, Any], *never: str) -> str:
    """The operator's sentence, after a look that nothing shows what was in the secret."""
    with pytest.raises(Misconfigured, match="COZE_SECRET_ID") as refused:
        parse_app(secret if isinstance(secret, str) else json.dumps(secret)).signer.check()
    told = everything_told(refused.value)
    assert not [words for words in (CANARY, *never) if words and words in told]
    assert "COZE_SECRET_ID" not in refused.value.description
    return str(refused.value)


def test_the_file_is_taken_as_coze_hands_it_out(
    config: dict[str, Any], rsa_key: rsa.RSAPrivateKey
) -> None:
    app = parse_app(json.dumps(config | {"something_new": 1}))
    assert (app.client_id, app.kid) == ("1234567890123", "Ab-kid_1")
    assert app.api_base == "https://api.coze.cn"
    assert isinstance(app.signer, LocalSigner)
    assert app.signer.private_key.private_numbers() == rsa_key.private_numbers()


def test_the_setting_overrides_the_base_of_the_file(config: dict[str, Any]) -> None:
    del config["coze_api_base"]
    app = parse_app(json.dumps(config), api_base="https://api.coze.com")
    assert app.api_base == "https://api.coze.com"


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize(
    "pasted",
    [
        lambda text: text,
        lambda text: text.rstrip("\n"),
        lambda text: f"\n  {text}\n\n",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\\n"),
        lambda text: text.replace("\n", "\\r\\n"),
        lambda text: text.rstrip("\n").replace("\n", "\\n"),
    ],
    ids=["as it is", "end cut", "space around", "CRLF", "escaped", "escaped CRLF", "escaped, cut"],
)
def test_a_key_is_read_however_it_was_pasted(
    rsa_key: rsa.RSAPrivateKey, form: PrivateFormat, pasted: Callable[[str], str]
) -> None:
    key = load_private_key(pasted(pem(rsa_key, form)))
    assert key.private_numbers() == rsa_key.private_numbers()


REFUSED_KEYS: dict[str, tuple[str, Callable[[rsa.RSAPrivateKey], str]]] = {
    "1024 bits": (
        "shorter than 2048 bits",
        lambda _: pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
    ),
    "EC": ("not an RSA key", lambda _: pem(ec.generate_private_key(ec.SECP256R1()))),
    "Ed25519": ("not an RSA key", lambda _: pem(ed25519.Ed25519PrivateKey.generate())),
    "DSA": ("not an RSA key", lambda _: pem(dsa.generate_private_key(1024))),
    "public": ("a public key", lambda key: public(key, PublicFormat.SubjectPublicKeyInfo)),
    "public PKCS#1": ("a public key", lambda key: public(key, PublicFormat.PKCS1)),
    "certificate": ("a public key", certificate),
    "locked PKCS#8": ("a passphrase", lambda key: pem(key, PrivateFormat.PKCS8, LOCK)),
    "locked PKCS#1": ("a passphrase", lambda key: pem(key, PrivateFormat.TraditionalOpenSSL, LOCK)),
    "OpenSSH": ("not a PEM private key", lambda key: pem(key, PrivateFormat.OpenSSH)),
    "cut": ("not a PEM private key", lambda key: pem(key)[:900]),
    "a byte less": ("not a PEM private key", lambda key: pem(key).replace("\n", "\n!", 1)),
    "no frame": ("not a PEM private key", lambda key: "".join(pem(key).splitlines()[1:-1])),
    "garbage": ("not a PEM private key", lambda _: CANARY),
    "not text": ("not a PEM private key", lambda _: f"\ud800{CANARY}"),
}


@pytest.mark.parametrize("name", REFUSED_KEYS)
def test_a_key_that_cannot_sign_rs256_is_refused_and_not_shown(
    name: str, config: dict[str, Any], rsa_key: rsa.RSAPrivateKey
) -> None:
    why, make = REFUSED_KEYS[name]
    key = make(rsa_key)
    told = refusal(config | {"private_key": key}, *key.splitlines()[1:-1])
    assert why in told
    assert told.startswith("private_key in COZE_SECRET_ID")


@pytest.mark.parametrize("name", ["client_id", "public_key_id", "coze_api_base", "private_key"])
@pytest.mark.parametrize("value", [None, "", " \n", 7, [CANARY], {"a": CANARY}, True])
def test_a_field_that_is_missing_or_no_text_is_named(
    name: str, value: object, config: dict[str, Any]
) -> None:
    assert refusal(config | {name: value}).startswith(f"{name} in COZE_SECRET_ID is missing")
    del config[name]
    assert refusal(config).startswith(f"{name} in COZE_SECRET_ID is missing")


@pytest.mark.parametrize("kind", [None, "", "JWT", CANARY, ["jwt"], "web", "pkce"])
def test_an_app_of_another_type_is_refused(kind: object, config: dict[str, Any]) -> None:
    assert refusal(config | {"client_type": kind}).startswith("client_type in COZE_SECRET_ID")


@pytest.mark.parametrize(
    "base", [f"http://{CANARY}.cn", f"https://api.coze.cn/{CANARY}", f"https://[{CANARY}]", CANARY]
)
def test_a_base_that_is_no_bare_host_is_refused(base: str, config: dict[str, Any]) -> None:
    assert refusal(config | {"coze_api_base": base}).startswith("coze_api_base in COZE_SECRET_ID")


@pytest.mark.parametrize(
    "secret", ["", CANARY, f'["{CANARY}"]', f'"{CANARY}"', "null", "[" * 10**5]
)
def test_a_secret_that_is_no_json_object_is_refused(secret: str) -> None:
    assert "coze_oauth_config.json" in refusal(secret)


def test_an_app_does_not_show_its_key(make_app: Callable[[], CozeApp]) -> None:
    app = make_app()
    assert "private_key" not in repr(app) + repr(app.signer)


def test_a_thousand_signatures_take_one_reading_of_the_key(
    config: dict[str, Any], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    real = private_key.load_pem_private_key

    def load(pem: bytes, password: None) -> Any:
        read.append(pem)
        return real(pem, password=password)

    monkeypatch.setattr(private_key, "load_pem_private_key", load)
    stored = StoredSecret(
        fetch=lambda: SecretVersion(version_id="1", text=json.dumps(config)),
        parse=parse_app,
        clock=clock,
        on_failure=pytest.fail,
    )
    for number in range(1000):
        clock.now += TTL_SECONDS / 10
        app = stored.get()
        sign(
            claims(app=app, session_name="u", session_context=None, now=NOW, jti=str(number)),
            app=app,
        )
    assert len(read) == 1


# Where KMS signs

ARN = "arn:aws-cn:kms:cn-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_ARN = "arn:aws:kms:eu-west-1:123456789012:key/mrk-1234abcd"


def no_client() -> Any:
    raise AssertionError("a client was made before anything was to be signed")


def parse_for_kms(config: dict[str, Any], *, arn: str | None = ARN) -> CozeApp:
    return parse_app(json.dumps(config), signing_key_arn=arn, kms=no_client)


@pytest.fixture
def without_key(config: dict[str, Any]) -> dict[str, Any]:
    del config["private_key"]
    return config


@pytest.mark.parametrize(
    ("of_the_secret", "of_the_setting", "signs"),
    [(None, ARN, ARN), (OTHER_ARN, ARN, OTHER_ARN), (OTHER_ARN, None, OTHER_ARN)],
)
def test_the_key_that_the_secret_names_goes_before_the_one_of_the_setting(
    without_key: dict[str, Any], of_the_secret: str | None, of_the_setting: str | None, signs: str
) -> None:
    """So one new version replaces public_key_id and the key that signs in one step."""
    named = {"signing_key_arn": of_the_secret} if of_the_secret else {}
    app = parse_for_kms(without_key | named, arn=of_the_setting)
    assert app.signer == KmsSigner(kms=no_client, key_arn=signs)


def test_without_either_the_private_key_signs(config: dict[str, Any]) -> None:
    assert isinstance(parse_for_kms(config, arn=None).signer, LocalSigner)


@pytest.mark.parametrize("named", [{}, {"signing_key_arn": OTHER_ARN}])
def test_a_private_key_in_the_secret_is_refused_where_kms_signs(
    config: dict[str, Any], named: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else functions would hold it, and the operator believe that none does."""
    monkeypatch.setattr(private_key, "load_pem_private_key", pytest.fail)
    with pytest.raises(Misconfigured, match="private_key must not be in COZE_SECRET_ID") as refused:
        parse_for_kms(config | named)
    assert config["private_key"][60:90] not in everything_told(refused.value)
    assert "store the file without it" in str(refused.value)


@pytest.mark.parametrize(
    "arn", [CANARY, "alias/coze", ARN.replace("key/", "alias/"), ARN + "\n.", None, 7, ""]
)
def test_what_is_no_arn_of_a_key_is_refused_and_not_shown(
    without_key: dict[str, Any], arn: object
) -> None:
    with pytest.raises(Misconfigured, match="signing_key_arn in COZE_SECRET_ID") as refused:
        parse_for_kms(without_key | {"signing_key_arn": arn})
    assert CANARY not in everything_told(refused.value)


def test_a_secret_without_any_key_is_refused(without_key: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match="private_key in COZE_SECRET_ID is missing"):
        parse_for_kms(without_key, arn=None)
