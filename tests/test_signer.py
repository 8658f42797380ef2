"""What signs: KMS is asked for exactly one thing, and its refusals say what to do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from coze_sts.coze.signer import KmsSigner, LocalSigner
from coze_sts.errors import Misconfigured, StsError, TemporarilyUnavailable, UnusableKey
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from moto.kms import kms_backends

from tests.factories import CANARY, everything_told
from tests.kms import ACCOUNT_ID, import_key, kms_client

MESSAGE = b"header.payload"
ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT_ID}:key/{CANARY}"


@pytest.fixture
def kms() -> Iterator[Any]:
    with kms_client() as client:
        yield client


@pytest.fixture
def signer(kms: Any, rsa_key: RSAPrivateKey) -> KmsSigner:
    return KmsSigner(kms=lambda: kms, key_arn=import_key(rsa_key))


def refusal(signer: KmsSigner) -> StsError:
    """What a failed signature raises, after a look that it quotes nothing of AWS's."""
    with pytest.raises(StsError) as failed:
        signer.sign(MESSAGE)
    assert CANARY not in everything_told(failed.value)
    assert failed.value.__context__ is None
    return failed.value


def test_both_sign_as_rs256_does(
    signer: KmsSigner, rsa_key: RSAPrivateKey, private_pem: str
) -> None:
    for each in (signer, LocalSigner(pem=private_pem)):
        rsa_key.public_key().verify(each.sign(MESSAGE), MESSAGE, PKCS1v15(), SHA256())
        with pytest.raises(InvalidSignature):
            rsa_key.public_key().verify(each.sign(MESSAGE), b"another", PKCS1v15(), SHA256())


def test_kms_gets_the_digest_and_nothing_of_the_message(signer: KmsSigner, kms: Any) -> None:
    """A message of more than 4096 bytes, which KMS refuses, is a long session name away."""
    asked: list[tuple[str, dict[str, Any]]] = []
    kms.meta.events.register(
        "provide-client-params.kms.*",
        lambda params, model, **_: asked.append((model.name, params)),
    )
    signer.sign(MESSAGE * 1000)
    assert asked == [
        (
            "Sign",
            {
                "KeyId": signer.key_arn,
                "Message": hashlib.sha256(MESSAGE * 1000).digest(),
                "MessageType": "DIGEST",
                "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
            },
        )
    ]


def failing(error: Exception) -> KmsSigner:
    class Client:
        def sign(self, **_: object) -> None:
            raise error

    return KmsSigner(kms=Client, key_arn=ARN)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        ("AccessDeniedException", "SigningKeyArn or NextSigningKeyArn"),
        ("NotFoundException", "no such key in this region"),
        ("InvalidArnException", "no such key in this region"),
        ("DisabledException", "enable it"),
        ("KMSInvalidStateException", "import the key again"),
        ("InvalidKeyUsageException", "SIGN_VERIFY"),
        ("ValidationException", "SIGN_VERIFY"),
    ],
)
def test_what_the_operator_must_mend_is_said_with_its_cure(code: str, cure: str) -> None:
    error = ClientError({"Error": {"Code": code, "Message": CANARY}}, "Sign")
    refused = refusal(failing(error))
    assert isinstance(refused, UnusableKey)
    assert isinstance(refused, Misconfigured)
    assert all(words in str(refused) for words in (code, cure, "SIGNING_KEY_ARN"))
    assert "KMS" not in refused.description


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (
            ClientError({"Error": {"Code": name, "Message": CANARY}}, "Sign"),
            name,
        )
        for name in (
            "ThrottlingException",
            "KMSInternalException",
            "DependencyTimeoutException",
            "KeyUnavailableException",
            "ServiceUnavailable",
        )
    ]
    + [
        (ConnectTimeoutError(endpoint_url=CANARY), "ConnectTimeoutError"),
        (ReadTimeoutError(endpoint_url=CANARY), "ReadTimeoutError"),
    ],
)
def test_what_passes_is_worth_another_try(error: Exception, code: str) -> None:
    refused = refusal(failing(error))
    assert isinstance(refused, TemporarilyUnavailable)
    assert refused.operator == f"KMS did not sign ({code})."
    assert refused.retryable


def test_a_key_that_is_gone_cannot_be_used(signer: KmsSigner) -> None:
    del kms_backends[ACCOUNT_ID]["eu-west-1"].keys[signer.key_arn.rpartition("/")[2]]
    assert isinstance(refusal(signer), UnusableKey)
