"""Small values of the service's own types, each valid unless a test says otherwise."""

import traceback
from dataclasses import dataclass, replace
from typing import Any

from coze_sts.access_token import AccessToken
from coze_sts.errors import StsError
from coze_sts.keyring import Keyring
from coze_sts.settings import Settings, read_settings

NOW = 1_795_000_000
REQUIRED = {"COZE_SECRET_ID": "coze", "CACHE_KEY_SECRET_ID": "cache", "TOKEN_TABLE": "tokens"}
KEYRING = Keyring(keys={"1": b"a" * 64})
ROTATED = Keyring(keys={"1": b"a" * 64, "2": b"b" * 64})
CANARY = "canary7f3c9a"


@dataclass
class Clock:
    """A clock that moves only when told; UNIX seconds."""

    now: float = float(NOW)

    def __call__(self) -> float:
        return self.now


def make_settings(**overrides: Any) -> Settings:
    """The defaults of an environment that names only what it must, with fields replaced."""
    return replace(read_settings(REQUIRED), **overrides)


def make_token(value: str = "czs_one", *, lifetime: int = 3600, **overrides: Any) -> AccessToken:
    """A token issued at NOW and to be renewed after 60 % of its lifetime."""
    token = AccessToken(
        value=value,
        kid="kid-1",
        issued_at=NOW,
        expires_at=NOW + lifetime,
        refresh_at=NOW + lifetime * 6 // 10,
    )
    return replace(token, **overrides)


def everything_told(error: BaseException) -> str:
    """All that a log, a debugger or an answer could show of an error and of what caused it."""
    words = [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
    if isinstance(error, StsError):
        words += [error.description, error.operator or ""]
    return "\n".join(words)
