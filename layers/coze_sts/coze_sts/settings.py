"""The environment, read once into a frozen value; all its faults are named at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from coze_sts.errors import Misconfigured
from coze_sts.issuers import Issuer, read_issuers
from coze_sts.variables import Variables

MIN_DURATION_SECONDS = 60
MAX_DURATION_SECONDS = 86399
"""Coze's documented bound of `duration_seconds`."""

MAX_PER_DAY = 10_000_000
"""The highest of all daily limits."""

GUEST_PREFIX = "guest_"
"""Reserved: no user and no backend can have a name that anybody could take to begin so."""

WECHAT_PREFIX = "wechat_"
"""What the names of users of the mini-program begin with."""

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
PERMISSION = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""Coze's own example, of its SDKs, is `Connector.botChat`."""

ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
KEY_ARN = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")
_CLAIM = re.compile(r"[A-Za-z0-9_:/.-]{1,128}")
_NAMESPACE = re.compile(r"(?!guest$)[a-z0-9]{1,16}")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator chose: README.md explains each field, template.yaml sets them."""

    coze_secret_id: str
    cache_key_secret_id: str
    token_table: str
    binding_table: str | None
    signing_key_arn: str | None
    coze_api_base: str | None
    coze_account_id: str | None
    coze_enterprise_id: str | None
    coze_bot_ids: tuple[str, ...]
    coze_permissions: tuple[str, ...]
    token_duration_seconds: int
    issuers: tuple[Issuer, ...]
    session_claim: str
    pseudonymous: bool
    session_namespace: str
    connector_id: str | None
    end_user_quota: bool
    guest_sessions: bool
    allowed_origins: tuple[str, ...]
    allow_no_origin: bool
    new_guests_per_address: int
    new_guests_per_origin: int
    tokens_per_session: int
    exchanges_per_day: int
    turnstile_secret_id: str | None
    turnstile_api_base: str
    wechat_secret_id: str | None
    wechat_api_base: str
    api_endpoint: str | None
    canary_bot_id: str | None

    @property
    def token_path(self) -> str:
        """The path of Coze's token endpoint: one of the three that Coze documents."""
        if self.coze_account_id:
            return f"/api/permission/oauth2/account/{self.coze_account_id}/token"
        if self.coze_enterprise_id:
            return f"/api/permission/oauth2/enterprise_id/{self.coze_enterprise_id}/token"
        return "/api/permission/oauth2/token"

    @property
    def scope(self) -> dict[str, Any] | None:
        """The `scope` of the grant, for channel apps; None leaves it out."""
        if not self.coze_bot_ids:
            return None
        return {
            "account_permission": {"permission_list": list(self.coze_permissions)},
            "attribute_constraint": {
                "connector_bot_chat_attribute": {"bot_id_list": list(self.coze_bot_ids)}
            },
        }

    @property
    def guest_exchanges_per_day(self) -> int:
        """Half, where anybody signs in: strangers must not use up what users live on."""
        others = bool(self.issuers or self.wechat_secret_id)
        return max(1, self.exchanges_per_day // 2) if others else self.exchanges_per_day

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What begins the names of a door's own users, so that no other door's may begin so."""
        of_issuers = tuple(issuer.prefix for issuer in self.issuers if issuer.prefix)
        return of_issuers + ((WECHAT_PREFIX,) if self.wechat_secret_id else ())


def from_environment(**defaults: str) -> Settings:
    """Reads this process's settings, `defaults` for what it lacks; raises Misconfigured."""
    return read_settings({**defaults, **os.environ})


def starts_from_snapshot() -> bool:
    """Whether Lambda takes a snapshot of this process (SnapStart), as its runtime says."""
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Turns variables into Settings; an empty variable counts as not set.

    Raises Misconfigured with one sentence a fault, all of them together.
    """
    reader = Variables(environ)
    settings = Settings(
        coze_secret_id=reader.required("COZE_SECRET_ID"),
        cache_key_secret_id=reader.required("CACHE_KEY_SECRET_ID"),
        token_table=reader.required("TOKEN_TABLE"),
        binding_table=reader.text("BINDING_TABLE"),
        signing_key_arn=reader.matching("SIGNING_KEY_ARN", KEY_ARN),
        coze_api_base=reader.url("COZE_API_BASE"),
        coze_account_id=reader.matching("COZE_ACCOUNT_ID", ID),
        coze_enterprise_id=reader.matching("COZE_ENTERPRISE_ID", ID),
        coze_bot_ids=reader.listed("COZE_BOT_IDS", ID),
        coze_permissions=reader.listed("COZE_PERMISSIONS", PERMISSION),
        token_duration_seconds=reader.number(
            "TOKEN_DURATION_SECONDS",
            default=3600,
            least=MIN_DURATION_SECONDS,
            most=MAX_DURATION_SECONDS,
        ),
        issuers=read_issuers(reader),
        session_claim=reader.matching("SESSION_CLAIM", _CLAIM) or "sub",
        pseudonymous=reader.choice("SESSION_NAMING", "plain", "pseudonymous"),
        session_namespace=reader.matching("SESSION_NAMESPACE", _NAMESPACE) or "user",
        connector_id=reader.matching("CONNECTOR_ID", ID),
        end_user_quota=reader.choice("END_USER_QUOTA", "off", "on"),
        guest_sessions=reader.choice("GUEST_SESSIONS", "off", "on"),
        allowed_origins=reader.listed("ALLOWED_ORIGINS", ORIGIN),
        allow_no_origin=reader.choice("ALLOW_NO_ORIGIN", "off", "on"),
        new_guests_per_address=reader.number(
            "NEW_GUESTS_PER_ADDRESS", default=20, most=MAX_PER_DAY
        ),
        new_guests_per_origin=reader.number(
            "NEW_GUESTS_PER_ORIGIN", default=2000, most=MAX_PER_DAY
        ),
        tokens_per_session=reader.number("TOKENS_PER_SESSION", default=60, most=MAX_PER_DAY),
        exchanges_per_day=reader.number("EXCHANGES_PER_DAY", default=10_000, most=MAX_PER_DAY),
        turnstile_secret_id=reader.text("TURNSTILE_SECRET_ID"),
        turnstile_api_base=reader.url("TURNSTILE_API_BASE") or "https://challenges.cloudflare.com",
        wechat_secret_id=reader.text("WECHAT_SECRET_ID"),
        wechat_api_base=reader.url("WECHAT_API_BASE") or "https://api.weixin.qq.com",
        api_endpoint=reader.text("API_ENDPOINT"),
        canary_bot_id=reader.matching("CANARY_BOT_ID", ID),
    )
    faults = reader.faults + _contradictions(settings)
    if faults:
        raise Misconfigured(" ".join(faults))
    return settings


def _contradictions(settings: Settings) -> list[str]:
    faults = []
    if settings.coze_account_id and settings.coze_enterprise_id:
        faults.append("Set COZE_ACCOUNT_ID or COZE_ENTERPRISE_ID, not both.")
    if bool(settings.coze_bot_ids) != bool(settings.coze_permissions):
        faults.append("Set both COZE_BOT_IDS and COZE_PERMISSIONS, or neither.")
    if len({issuer.url for issuer in settings.issuers}) < len(settings.issuers):
        faults.append("OIDC_ISSUER, OIDC_ISSUER_2 and OIDC_ISSUER_3 must differ.")
    names = [GUEST_PREFIX, *settings.prefixes]
    if any(one.startswith(other) for one, other in permutations(names, 2)):
        faults.append(
            f"No prefix may begin with another: not OIDC_PREFIX_2, not OIDC_PREFIX_3, not "
            f"{GUEST_PREFIX} nor {WECHAT_PREFIX}."
        )
    return faults
