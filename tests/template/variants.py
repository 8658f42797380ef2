"""Every combination of the template's conditions, in both partitions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.local import template

REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1"}
ORIGINS = ["https://www.example.com", "http://localhost:8080"]


@dataclass(frozen=True, kw_only=True)
class Variant:
    partition: str
    issuer: bool
    origins: bool
    kms_key: bool
    own_secret: bool

    def __str__(self) -> str:
        chosen = [
            name for name in ("issuer", "origins", "kms_key", "own_secret") if vars(self)[name]
        ]
        return "-".join([self.partition, *chosen])

    @property
    def region(self) -> str:
        return REGIONS[self.partition]

    @property
    def kms_key_arn(self) -> str:
        return f"arn:{self.partition}:kms:{self.region}:{template.ACCOUNT_ID}:key/0a1b2c3d"

    @property
    def coze_secret(self) -> str:
        """The secret with Coze's key: the operator's own, or the one that the stack creates."""
        prefix = f"arn:{self.partition}:secretsmanager:{self.region}:{template.ACCOUNT_ID}:secret"
        return f"{prefix}:coze/site-a1B2c3" if self.own_secret else "${CozeSecret}"

    @property
    def parameters(self) -> dict[str, object]:
        chosen: dict[str, object] = {}
        if self.issuer:
            chosen |= {"OidcIssuer": "https://login.example.com/", "OidcAudience": "web,app"}
        if self.origins:
            chosen["AllowedOrigins"] = ",".join(ORIGINS)
        if self.kms_key:
            chosen["KmsKeyArn"] = self.kms_key_arn
        if self.own_secret:
            chosen["CozeSecretId"] = self.coze_secret
        return chosen

    @cached_property
    def resources(self) -> dict[str, Any]:
        return template.expand(self.parameters, partition=self.partition, region=self.region)

    @cached_property
    def outputs(self) -> dict[str, str]:
        return template.outputs(self.parameters, partition=self.partition, region=self.region)

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of each resource of that type, by logical ID."""
        return {
            name: resource["Properties"]
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }


EVERY = [
    Variant(partition=partition, issuer=issuer, origins=origins, kms_key=kms_key, own_secret=own)
    for partition, issuer, origins, kms_key, own in itertools.product(REGIONS, *[(False, True)] * 4)
]
