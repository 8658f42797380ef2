"""What signs an assertion: a private key in memory, or KMS, which never hands the key out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from coze_sts.errors import StsError, TemporarilyUnavailable, UnusableKey, code_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from mypy_boto3_kms import KMSClient


class Signer(Protocol):
    """Signs as RS256 does: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3)."""

    def sign(self, message: bytes) -> bytes:
        """The signature; raises UnusableKey or TemporarilyUnavailable."""

    def check(self) -> None:
        """Raises UnusableKey where it can be told without a signature."""


@dataclass(frozen=True, kw_only=True)
class LocalSigner:
    """Signs with a key in memory, out of PEM text.

    The text is read once, for the first signature: that costs more than a hundred of them.
    """

    pem: str = field(repr=False)

    @cached_property
    def private_key(self) -> RSAPrivateKey:
        """The key; raises UnusableKey."""
        # Imported for a signature: a request that finds a token need not load it at cold start.
        from coze_sts.coze.private_key import load_private_key  # noqa: PLC0415

        return load_private_key(self.pem)

    def check(self) -> None:
        """Raises UnusableKey where the text holds no key that can sign."""
        _ = self.private_key

    def sign(self, message: bytes) -> bytes:
        """The signature; raises UnusableKey."""
        key = self.private_key
        from coze_sts.coze.private_key import sign  # noqa: PLC0415 - loaded by the line above

        return sign(message, key=key)


@dataclass(frozen=True, kw_only=True)
class KmsSigner:
    """Asks KMS for each signature. `kms` makes the client, or returns the one it made before."""

    kms: Callable[[], KMSClient]
    key_arn: str

    def check(self) -> None:
        """Nothing: only a signature tells whether KMS has the key, and each is paid for."""

    def sign(self, message: bytes) -> bytes:
        """The signature; raises UnusableKey or TemporarilyUnavailable, never quoting AWS."""
        try:
            answer = self.kms().sign(
                KeyId=self.key_arn,
                Message=sha256(message).digest(),  # KMS takes no message over 4096 bytes
                MessageType="DIGEST",
                SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
            )
        except (ClientError, BotoCoreError) as error:
            code = code_of(error)
        else:
            return answer["Signature"]
        # Out of the clause above, or AWS's own words would hang on to this as its context.
        raise _failure(code)


def _failure(code: str) -> StsError:
    cure = CURES.get(code)
    if cure is None:
        return TemporarilyUnavailable(f"KMS did not sign ({code}).")
    return UnusableKey(
        "KMS does not sign with the key that SIGNING_KEY_ARN, or signing_key_arn in "
        f"COZE_SECRET_ID, names ({code}): {cure}."
    )


_NOT_FOUND = "there is no such key in this region; KMS keys cannot be used from another one"
_WRONG_KIND = "it is no RSA key for SIGN_VERIFY; create one that is, and import the key into it"
CURES = {
    "AccessDeniedException": (
        "name it in SigningKeyArn or NextSigningKeyArn and deploy, and let its key policy allow "
        "the account's roles to use it"
    ),
    "NotFoundException": _NOT_FOUND,
    "InvalidArnException": _NOT_FOUND,
    "DisabledException": "enable it",
    "KMSInvalidStateException": (
        "it holds no key, or it is to be deleted; import the key again, or cancel the deletion"
    ),
    "InvalidKeyUsageException": _WRONG_KIND,
    "ValidationException": _WRONG_KIND,
}
"""What the operator must mend, by KMS's code; any other code passes by itself."""
