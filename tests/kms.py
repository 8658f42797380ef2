"""moto's KMS, with what it lacks: imported private keys, and digests signed as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import boto3
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from moto import mock_aws
from moto.kms import kms_backends
from moto.kms import utils as moto_utils

ACCOUNT_ID = "123456789012"
SIGNERS = ["its own key", "KMS"]


def import_key(private_key: RSAPrivateKey, *, region: str = "eu-west-1") -> str:
    """The ARN of a new KMS key that holds this private key, as after import-key-material."""
    made = kms_backends[ACCOUNT_ID][region].create_key(
        policy=None,
        key_usage="SIGN_VERIFY",
        key_spec=f"RSA_{private_key.key_size}",
        description="",
        tags=None,
        origin="EXTERNAL",
    )
    made.private_key.private_key = private_key
    return str(made.arn)


@contextmanager
def kms_client() -> Iterator[Any]:
    """A client of moto's KMS; other calls of this process to AWS are moto's meanwhile, too."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    with mock_aws(), digests_signed():
        yield boto3.client("kms", region_name="eu-west-1", **keys)


@contextmanager
def digests_signed() -> Iterator[None]:
    """moto hashes what it is given once more; KMS signs a digest as it is."""

    def sign(self: moto_utils.RSAPrivateKey, message: bytes, signing_algorithm: str) -> bytes:
        assert signing_algorithm == "RSASSA_PKCS1_V1_5_SHA_256"
        return self.private_key.sign(message, PKCS1v15(), Prehashed(SHA256()))

    with mock.patch.object(moto_utils.RSAPrivateKey, "sign", sign):
        yield
