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
    own_cache_key: bool

    def __str__(self) -> str:
        chosen = [name for name, value in vars(self).items() if value is True]
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
        return self._secret("coze/site-a1B2c3") if self.own_secret else "${CozeSecret}"

    @property
    def cache_key_secret(self) -> str:
        """The secret with the stack's own keys: an earlier stack's, or one that is created."""
        return self._secret("cache-a1B2c3") if self.own_cache_key else "${CacheKeySecret}"

    def _secret(self, name: str) -> str:
        prefix = f"arn:{self.partition}:secretsmanager:{self.region}:{template.ACCOUNT_ID}"
        return f"{prefix}:secret:{name}"

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
        if self.own_cache_key:
            chosen["CacheKeySecretId"] = self.cache_key_secret
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


CONDITIONS = ("issuer", "origins", "kms_key", "own_secret", "own_cache_key")
EVERY = [
    Variant(partition=partition, **dict(zip(CONDITIONS, chosen, strict=True)))
    for partition in REGIONS
    for chosen in itertools.product((False, True), repeat=len(CONDITIONS))
]
