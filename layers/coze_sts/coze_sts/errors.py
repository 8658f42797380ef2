"""Every error this service answers with: status, OAuth code, and whether waiting helps.

A description is for the caller and tells a stranger nothing. What the operator needs goes into
`operator`, which is logged and shown only to the site's own servers.
"""

from __future__ import annotations

from typing import ClassVar


class StsError(Exception):
    """An answer that is not a token.

    The body has the shape of RFC 6749 section 5.2. `retry_after` is in seconds; None leaves the
    header out.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "server_error"
    retryable: ClassVar[bool] = False

    def __init__(
        self, description: str, *, operator: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(description)
        self.description = description
        self.operator = operator
        self.retry_after = retry_after


class InvalidRequest(StsError):
    """The request itself is wrong; sending it again changes nothing."""

    status = 400
    code = "invalid_request"


class InvalidToken(StsError):
    """The caller's proof of who they are is missing, broken or out of date."""

    status = 401
    code = "invalid_token"


class AccessDenied(StsError):
    """The caller is known, or the way in is closed, and the answer is no."""

    status = 403
    code = "access_denied"


class NotFound(StsError):
    """There is no such route."""

    status = 404
    code = "not_found"


class SlowDown(StsError):
    """The caller asks too often."""

    status = 429
    code = "slow_down"
    retryable = True


class BudgetSpent(SlowDown):
    """The whole site has had its exchanges for today, or its operator stopped them."""

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(
            "This site has no more tokens to give for now.",
            operator="EXCHANGES_PER_DAY is reached, or StopCommand was given: see ResumeCommand.",
            retry_after=retry_after,
        )


class Misconfigured(StsError):
    """The operator has to mend a setting or a secret. The message names it, never its value."""

    def __init__(self, operator: str) -> None:
        super().__init__(
            "The service is not set up correctly. Its operator finds the reason in the log, "
            "under this request_id.",
            operator=operator,
        )

    def __str__(self) -> str:
        return self.operator or self.description


class UnusableKey(Misconfigured):
    """The key does not sign, in memory or in KMS: another one may."""


class UpstreamRejected(StsError):
    """Coze refuses our key or our request: trying again changes nothing, the operator must act.

    `unauthorized` where it does not accept who signed: key, app, region or clock.
    """

    status = 502
    code = "upstream_rejected"

    def __init__(self, operator: str, *, unauthorized: bool = False) -> None:
        super().__init__(
            "This service's key or request was refused. Its operator finds the reason in the "
            "log, under this request_id.",
            operator=operator,
        )
        self.unauthorized = unauthorized


class UnknownKey(UpstreamRejected):
    """Coze does not know the key that signed: another one may work."""


class TemporarilyUnavailable(StsError):
    """Coze or AWS is failing for now; the same request may succeed later."""

    status = 503
    code = "temporarily_unavailable"
    retryable = True

    def __init__(self, operator: str, *, retry_after: int = 1) -> None:
        super().__init__(
            "The service is busy. Try again after the time in Retry-After.",
            operator=operator,
            retry_after=retry_after,
        )


class UpstreamUnavailable(TemporarilyUnavailable):
    """Coze is failing. `asked_seconds` is its own Retry-After, 0 where it named none."""

    def __init__(self, operator: str, *, asked_seconds: int = 0) -> None:
        super().__init__(operator, retry_after=asked_seconds or 1)
        self.asked_seconds = asked_seconds


class RateLimited(UpstreamUnavailable):
    """Coze wants fewer requests, from all of us."""


class StoreUnavailable(TemporarilyUnavailable):
    """The token table did not answer."""


def code_of(error: Exception) -> str:
    """What may be said of a refusal by AWS: its code, never its words.

    Where no answer came, the class of what botocore raised.
    """
    answer = getattr(error, "response", None)
    return answer.get("Error", {}).get("Code", "ClientError") if answer else type(error).__name__
