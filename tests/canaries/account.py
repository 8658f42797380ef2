"""The AWS account: two tables and four secrets, and the variables that name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3

from tests.canaries import planted
from tests.canaries.evidence import GIVEN, Evidence

TABLES = ("TOKEN_TABLE", "BINDING_TABLE")
SECRETS = ("coze", "cache", "turnstile", "wechat")


@dataclass(kw_only=True)
class Account:
    """What a scenario arranges here is no doing of the functions, so nobody watches it."""

    evidence: Evidence

    def __post_init__(self) -> None:
        with self.evidence.looking_away():
            self._secrets = boto3.client("secretsmanager")
            self._dynamodb = boto3.client("dynamodb")
            for table in TABLES:
                self._dynamodb.create_table(
                    TableName=table.lower(),
                    BillingMode="PAY_PER_REQUEST",
                    AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                )
            for secret in SECRETS:
                self._secrets.create_secret(Name=secret, SecretString="{}")

    def wipe(self) -> None:
        """Empties the tables: no session is cached, nobody is told to wait."""
        with self.evidence.looking_away():
            for table in TABLES:
                for item in self.rows(table):
                    self._dynamodb.delete_item(TableName=table.lower(), Key={"pk": item["pk"]})

    def rows(self, table: str) -> list[dict[str, Any]]:
        with self.evidence.looking_away():
            return list(self._dynamodb.scan(TableName=table.lower())["Items"])

    def put(self, table: str, item: dict[str, Any]) -> None:
        with self.evidence.looking_away():
            self._dynamodb.put_item(TableName=table.lower(), Item=item)

    def store(self, **texts: str) -> None:
        """New values of secrets."""
        for name, text in texts.items():
            self._store(name, text, "AWSCURRENT")

    def stage(self, text: str) -> None:
        """What the operator does before a rotation."""
        self._store("coze", text, "STAGED")

    def _store(self, name: str, text: str, stage: str) -> None:
        self.evidence.add(GIVEN, text)
        with self.evidence.looking_away():
            self._secrets.put_secret_value(SecretId=name, SecretString=text, VersionStages=[stage])


def variables(*, level: str, urls: dict[str, str]) -> dict[str, str]:
    """The environment of the functions, with every way in open."""
    credentials = {
        "AWS_SECRET_ACCESS_KEY": planted.AWS_SECRET_KEY,
        "AWS_SESSION_TOKEN": planted.AWS_SESSION_TOKEN,
    }
    return credentials | {
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "COZE_SECRET_ID": "coze",
        "CACHE_KEY_SECRET_ID": "cache",
        "TURNSTILE_SECRET_ID": "turnstile",
        "WECHAT_SECRET_ID": "wechat",
        "TURNSTILE_API_BASE": urls["Cloudflare"],
        "WECHAT_API_BASE": urls["WeChat"],
        **{table: table.lower() for table in TABLES},
        "GUEST_SESSIONS": "on",
        "ALLOWED_ORIGINS": planted.ORIGIN,
        "OIDC_ISSUER": planted.ISSUERS[0],
        **{f"OIDC_ISSUER_{n}": planted.ISSUERS[n - 1] for n in (2, 3)},
        **{f"OIDC_PREFIX_{n}": planted.PREFIXES[n - 1] for n in (2, 3)},
        "SESSION_NAMING": "plain",
        "POWERTOOLS_LOG_LEVEL": level,
        "AWS_LAMBDA_LOG_LEVEL": level,
        "POWERTOOLS_METRICS_DISABLED": "false",
        "POWERTOOLS_SERVICE_NAME": "coze-sts",
    }
