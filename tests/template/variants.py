"""Combinations of the template's conditions, in both partitions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.local import template

CANARY = {"CanarySchedule": "rate(15 minutes)", "CanaryBotId": "7000000000000000001"}
CANARY |= {"CozeApiBase": "https://api.coze.cn"}
REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1"}
ORIGINS = ["https://www.example.com", "http://localhost:8080"]
ALARM_EMAIL = "ops@example.com"
ISSUERS = {
    "": ("https://login.example.com/", ["web", "app"]),
    "2": ("https://staff.example.org", ["intranet"]),
    "3": ("https://partner.example.net/tenant", ["shop", "kiosk"]),
}


@dataclass(frozen=True, kw_only=True)
class Variant:
    partition: str
    issuer: bool
    origins: bool
    kms_key: bool
    own_secret: bool
    own_cache_key: bool
    issuer_2: bool = False
    issuer_3: bool = False
    turnstile: bool = False
    wechat: bool = False
    canary: bool = False
    alarm_email: bool = False
    tracing: bool = False
    signing_key: bool = False
    next_signing_key: bool = False

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
    def signing_key_arns(self) -> list[str]:
        """The keys that the functions may sign with."""
        chosen = {"signing": self.signing_key, "mrk-next": self.next_signing_key}
        return [
            f"arn:{self.partition}:kms:{self.region}:{template.ACCOUNT_ID}:key/{name}"
            for name, there in chosen.items()
            if there
        ]

    @property
    def coze_secret(self) -> str:
        """The secret with Coze's key: the operator's own, or the one that the stack creates."""
        return self._secret("coze/site-a1B2c3") if self.own_secret else "${CozeSecret}"

    @property
    def cache_key_secret(self) -> str:
        """The secret with the stack's own keys: an earlier stack's, or one that is created."""
        return self._secret("cache-a1B2c3") if self.own_cache_key else "${CacheKeySecret}"

    @property
    def turnstile_secret(self) -> str:
        """The secret of the widget, which is always the operator's own."""
        return self._secret("turnstile-a1B2c3")

    @property
    def wechat_secret(self) -> str:
        """The secret of the mini-program, which is always the operator's own."""
        return self._secret("wechat-a1B2c3")

    @property
    def issuers(self) -> dict[str, tuple[str, list[str]]]:
        """The URL and the audiences of each issuer, by what its routes and names end with."""
        issuers = {"": self.issuer, "2": self.issuer_2, "3": self.issuer_3}
        return {number: ISSUERS[number] for number, there in issuers.items() if there}

    def _secret(self, name: str) -> str:
        prefix = f"arn:{self.partition}:secretsmanager:{self.region}:{template.ACCOUNT_ID}"
        return f"{prefix}:secret:{name}"

    @property
    def parameters(self) -> dict[str, object]:
        chosen: dict[str, object] = {}
        for number, (url, audiences) in self.issuers.items():
            chosen |= {f"OidcIssuer{number}": url, f"OidcAudience{number}": ",".join(audiences)}
            if number:
                chosen[f"OidcPrefix{number}"] = f"tenant{number}_"
        keys = iter(self.signing_key_arns)
        given: dict[str, tuple[bool, Callable[[], object]]] = {
            "AllowedOrigins": (self.origins, lambda: ",".join(ORIGINS)),
            "KmsKeyArn": (self.kms_key, lambda: self.kms_key_arn),
            "CozeSecretId": (self.own_secret, lambda: self.coze_secret),
            "CacheKeySecretId": (self.own_cache_key, lambda: self.cache_key_secret),
            "SigningKeyArn": (self.signing_key, lambda: next(keys)),
            "NextSigningKeyArn": (self.next_signing_key, lambda: next(keys)),
            "TurnstileSecretId": (self.turnstile, lambda: self.turnstile_secret),
            "WechatSecretId": (self.wechat, lambda: self.wechat_secret),
            "AlarmEmail": (self.alarm_email, lambda: ALARM_EMAIL),
            "Tracing": (self.tracing, lambda: "on"),
        }
        chosen |= {name: value() for name, (wanted, value) in given.items() if wanted}
        if self.canary:
            chosen |= CANARY
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
EXTRAS = (
    *("issuer_2", "issuer_3", "turnstile", "wechat", "canary", "alarm_email", "tracing"),
    *("signing_key", "next_signing_key"),
)
"""They change little but their own resources, so each is on alone, and all of them together."""


def _variants(partition: str) -> Iterator[Variant]:
    for chosen in itertools.product((False, True), repeat=len(CONDITIONS)):
        yield Variant(partition=partition, **dict(zip(CONDITIONS, chosen, strict=True)))
    usual = dict.fromkeys(CONDITIONS, False) | {"issuer": True}
    for extras in [*((extra,) for extra in EXTRAS), EXTRAS]:
        yield Variant(partition=partition, **usual, **dict.fromkeys(extras, True))
    yield Variant(partition=partition, **dict.fromkeys(CONDITIONS + EXTRAS, True))


PLAIN = Variant(partition="aws", **dict.fromkeys(CONDITIONS, False))
"""A stack with the defaults."""

EVERY = [variant for partition in REGIONS for variant in _variants(partition)]
