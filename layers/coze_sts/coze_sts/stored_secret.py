"""A secret held in memory: fetched seldom, parsed once per version, kept when AWS fails."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from coze_sts.errors import Misconfigured, StsError, TemporarilyUnavailable, code_of

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

T = TypeVar("T")

TTL_SECONDS = 15 * 60
KEEP_SECONDS = 24 * 3600
MIN_AGE_SECONDS = 60
"""A value younger than this is not asked for anew, whatever speaks against it."""

RETRY_SECONDS = 5
"""How long a failure is remembered, so that a flood of requests does not become one at AWS."""

_OPERATOR_MUST_ACT = frozenset(
    {
        "AccessDeniedException",
        "DecryptionFailure",
        "InvalidParameterException",
        "InvalidRequestException",
        "ValidationException",
    }
)


@dataclass(frozen=True, kw_only=True)
class SecretVersion:
    """One version of a secret as Secrets Manager returns it."""

    version_id: str
    text: str = field(repr=False)


def fetch_secret(
    client: SecretsManagerClient, *, secret_id: str, stage: str = "AWSCURRENT"
) -> SecretVersion:
    """Reads a version; raises Misconfigured or TemporarilyUnavailable, never quoting AWS."""
    try:
        answer = client.get_secret_value(SecretId=secret_id, VersionStage=stage)
    except (ClientError, BotoCoreError) as error:
        raise _failure(secret_id, code_of(error)) from None
    return SecretVersion(version_id=answer["VersionId"], text=answer.get("SecretString", ""))


def _failure(secret_id: str, code: str) -> StsError:
    if code == "ResourceNotFoundException":
        return Misconfigured(
            f"Secret {secret_id} does not exist or holds no value ({code}). If it is the one of "
            f"COZE_SECRET_ID, store the key: aws secretsmanager put-secret-value --secret-id "
            f"{secret_id} --secret-string file://coze_oauth_config.json"
        )
    if code in _OPERATOR_MUST_ACT:
        return Misconfigured(
            f"Secret {secret_id} cannot be read ({code}): see the role of the function."
        )
    return TemporarilyUnavailable(f"Secrets Manager did not answer for {secret_id} ({code}).")


class StoredSecret(Generic[T]):
    """The parsed value of a secret, at most about 15 minutes old.

    A new version replaces the old one only when it parses and passes `check`. When it does not,
    or when Secrets Manager fails, the last good value serves for up to 24 hours; `on_failure`
    hears of it. The first version of a process replaces none, and is not checked: that may take
    long, and a request is waiting.
    """

    def __init__(
        self,
        *,
        fetch: Callable[[], SecretVersion],
        parse: Callable[[str], T],
        clock: Callable[[], float],
        on_failure: Callable[[StsError], None],
        check: Callable[[T], None] = lambda _value: None,
    ) -> None:
        self._fetch = fetch
        self._parse = parse
        self._clock = clock
        self._on_failure = on_failure
        self._check = check
        self.forget()

    def forget(self) -> None:
        """Holds nothing any more, as at the start."""
        self._version_id: str | None = None
        self._value: T | None = None
        self._good_until = 0.0
        self._next_fetch = 0.0
        self._renewable_at = 0.0
        self._failure: StsError | None = None

    def get(self) -> T:
        """The value; raises Misconfigured or TemporarilyUnavailable where there is none."""
        now = self._clock()
        if now >= self._next_fetch:
            self._refresh(now)
        if self._value is not None and now < self._good_until:
            return self._value
        raise self._failure or TemporarilyUnavailable("A secret in memory is too old to be used.")

    def renewed(self) -> T:
        """The value, asked for anew unless that was done within the last minute."""
        if self._clock() >= self._renewable_at:
            self._refresh(self._clock())
        return self.get()

    def _refresh(self, now: float) -> None:
        self._renewable_at = now + MIN_AGE_SECONDS
        try:
            fetched = self._fetch()
            if fetched.version_id != self._version_id:
                value = self._parse(fetched.text)
                if self._value is not None:
                    self._check(value)
                self._value = value
                self._version_id = fetched.version_id
        except StsError as failure:
            self._failure = failure
            self._next_fetch = now + RETRY_SECONDS
            self._on_failure(failure)
            return
        self._good_until = now + KEEP_SECONDS
        # Jitter: processes that started together must not all ask again together.
        self._next_fetch = now + TTL_SECONDS * random.SystemRandom().uniform(0.5, 1)
