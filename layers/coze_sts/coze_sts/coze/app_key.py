"""The operator's OAuth app: `coze_oauth_config.json`, taken as Coze hands it out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coze_sts.api_base import parse_api_base
from coze_sts.coze.signer import KmsSigner, LocalSigner, Signer
from coze_sts.errors import Misconfigured
from coze_sts.settings import KEY_ARN

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


@dataclass(frozen=True, kw_only=True)
class CozeApp:
    """An OAuth app of type JWT and what signs for it; `kid` names the public key at Coze."""

    client_id: str
    kid: str
    api_base: str
    signer: Signer = field(repr=False)

    @property
    def identity(self) -> tuple[str, str]:
        """What stays when the key is replaced: where the app is, and which it is."""
        return self.api_base, self.client_id


def parse_app(
    secret: str,
    *,
    api_base: str | None = None,
    signing_key_arn: str | None = None,
    kms: Callable[[], KMSClient] | None = None,
) -> CozeApp:
    """Reads the JSON text of the secret; `api_base` overrides the one in it.

    The private key itself is read when it first signs, or by the signer's `check`.

    `signing_key_arn` names the KMS key where the secret names none; the secret's own goes first,
    so that a new version replaces `public_key_id` and the key in one step. Without `kms` only
    the secret's private key can sign.

    Raises Misconfigured with a sentence that names the field and never its value.
    """
    config = _json_object(secret)
    if config.get("client_type") != "jwt":
        raise Misconfigured(
            "client_type in COZE_SECRET_ID must be jwt: create the OAuth app with the type JWT."
        )
    return CozeApp(
        client_id=_text(config, "client_id"),
        kid=_text(config, "public_key_id"),
        api_base=api_base or _api_base(_text(config, "coze_api_base")),
        signer=_signer(config, default=signing_key_arn, kms=kms),
    )


def _signer(
    config: dict[str, Any], *, default: str | None, kms: Callable[[], KMSClient] | None
) -> Signer:
    named = "signing_key_arn" in config
    key_arn = _text(config, "signing_key_arn") if named else default
    if key_arn is None or kms is None:
        return LocalSigner(pem=_text(config, "private_key"))
    if "private_key" in config:
        raise Misconfigured(
            "private_key must not be in COZE_SECRET_ID where KMS signs: store the file without "
            "it. This key has been in a secret: better make a new one at Coze."
        )
    if not KEY_ARN.fullmatch(key_arn):
        raise Misconfigured(
            "signing_key_arn in COZE_SECRET_ID must be the ARN of a KMS key, not of an alias."
        )
    return KmsSigner(kms=kms, key_arn=key_arn)


def _json_object(secret: str) -> dict[str, Any]:
    try:
        config = json.loads(secret.removeprefix("\ufeff"))  # Windows editors put it there
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise Misconfigured(
            "COZE_SECRET_ID must hold the JSON of coze_oauth_config.json, as Coze hands it out."
        )
    return config


def _text(config: dict[str, Any], name: str) -> str:
    value = config.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Misconfigured(f"{name} in COZE_SECRET_ID is missing, empty or not a string.")
    return value.strip()


def _api_base(value: str) -> str:
    try:
        return parse_api_base(value)
    except ValueError as fault:
        raise Misconfigured(f"coze_api_base in COZE_SECRET_ID {fault}.") from None
