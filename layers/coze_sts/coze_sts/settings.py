"""The environment, read once into a frozen value; all its faults are named at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coze_sts.api_base import parse_api_base
from coze_sts.errors import Misconfigured

MIN_DURATION_SECONDS = 60
MAX_DURATION_SECONDS = 86399
"""Coze's documented bound of `duration_seconds`."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PERMISSION = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""Coze's own example, of its SDKs, is `Connector.botChat`."""

_CLAIM = re.compile(r"[A-Za-z0-9_:/.-]{1,128}")
_SECONDS = re.compile(r"[0-9]{1,5}")
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator chose: README.md explains each field, template.yaml sets them."""

    coze_secret_id: str
    cache_key_secret_id: str
    token_table: str
    coze_api_base: str | None
    coze_account_id: str | None
    coze_enterprise_id: str | None
    coze_bot_ids: tuple[str, ...]
    coze_permissions: tuple[str, ...]
    token_duration_seconds: int
    session_claim: str
    pseudonymous: bool
    connector_id: str | None
    end_user_quota: bool
    guest_sessions: bool
    allowed_origins: tuple[str, ...]

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


def from_environment() -> Settings:
    """Reads the settings of this process; raises Misconfigured."""
    return read_settings(os.environ)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Turns variables into Settings; an empty variable counts as not set.

    Raises Misconfigured with one sentence a fault, all of them together.
    """
    reader = _Reader(environ)
    settings = Settings(
        coze_secret_id=reader.required("COZE_SECRET_ID"),
        cache_key_secret_id=reader.required("CACHE_KEY_SECRET_ID"),
        token_table=reader.required("TOKEN_TABLE"),
        coze_api_base=reader.url("COZE_API_BASE"),
        coze_account_id=reader.matching("COZE_ACCOUNT_ID", _ID),
        coze_enterprise_id=reader.matching("COZE_ENTERPRISE_ID", _ID),
        coze_bot_ids=reader.listed("COZE_BOT_IDS", _ID),
        coze_permissions=reader.listed("COZE_PERMISSIONS", _PERMISSION),
        token_duration_seconds=reader.duration("TOKEN_DURATION_SECONDS", default=3600),
        session_claim=reader.matching("SESSION_CLAIM", _CLAIM) or "sub",
        pseudonymous=reader.choice("SESSION_NAMING", "plain", "pseudonymous"),
        connector_id=reader.matching("CONNECTOR_ID", _ID),
        end_user_quota=reader.choice("END_USER_QUOTA", "off", "on"),
        guest_sessions=reader.choice("GUEST_SESSIONS", "off", "on"),
        allowed_origins=reader.listed("ALLOWED_ORIGINS", _ORIGIN),
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
    return faults


class _Reader:
    """Reads variables one by one and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def text(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            self.faults.append(f"{name} is not set.")
        return value or ""

    def matching(self, name: str, pattern: re.Pattern[str]) -> str | None:
        value = self.text(name)
        if value is not None and not pattern.fullmatch(value):
            self.faults.append(f"{name} must match {pattern.pattern}.")
        return value

    def listed(self, name: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        items = tuple(item.strip() for item in (self.text(name) or "").split(",") if item.strip())
        if not all(pattern.fullmatch(item) for item in items):
            self.faults.append(f"Each item of {name} must match {pattern.pattern}.")
        return items

    def choice(self, name: str, default: str, other: str) -> bool:
        """Whether `other` was chosen."""
        value = self.text(name) or default
        if value not in (default, other):
            self.faults.append(f"{name} must be {default} or {other}.")
        return value == other

    def url(self, name: str) -> str | None:
        value = self.text(name)
        try:
            return parse_api_base(value) if value else None
        except ValueError as fault:
            self.faults.append(f"{name} {fault}.")
            return None

    def duration(self, name: str, *, default: int) -> int:
        value = self.text(name) or str(default)
        seconds = int(value) if _SECONDS.fullmatch(value) else 0
        if not MIN_DURATION_SECONDS <= seconds <= MAX_DURATION_SECONDS:
            self.faults.append(
                f"{name} must be a whole number of seconds from {MIN_DURATION_SECONDS} to "
                f"{MAX_DURATION_SECONDS}."
            )
        return seconds
