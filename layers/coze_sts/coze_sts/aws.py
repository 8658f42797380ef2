"""The clients for AWS: botocore's own. What boto3 puts around them is paid at each cold start."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.session import Session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

CALLS = Config(
    connect_timeout=1,
    read_timeout=1,
    retries={"total_max_attempts": 2},
    # Botocore writes down anew, twice for each call, what it runs on: a sixth of the call.
    user_agent="coze-sts",
)
"""Seconds. A call to AWS that is slower has failed: a visitor is waiting."""


def dynamodb(session: Session) -> DynamoDBClient:
    """A client for the tables."""
    return cast("DynamoDBClient", session.create_client("dynamodb", config=CALLS))


def secrets_manager(session: Session, *, config: Config = CALLS) -> SecretsManagerClient:
    """A client for the secrets."""
    return cast("SecretsManagerClient", session.create_client("secretsmanager", config=config))


def kms(session: Session) -> KMSClient:
    """A client for the key that signs."""
    return cast("KMSClient", session.create_client("kms", config=CALLS))
