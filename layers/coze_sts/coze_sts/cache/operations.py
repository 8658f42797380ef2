"""What a flight asks for and what it is told: the words between the decisions and the I/O.

Times of leases and back-off are UNIX milliseconds; all else is UNIX seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from coze_sts.access_token import AccessToken
from coze_sts.errors import (
    BudgetSpent,
    RateLimited,
    SlowDown,
    StsError,
    UnknownKey,
    UpstreamUnavailable,
)

UNKNOWN_KEY_HOLD_SECONDS = 60
BUDGET_HOLD_SECONDS = 60
"""So soon after an operator gave more, everybody hears of it."""

RATE_LIMIT_HOLD_SECONDS = 2
"""Where Coze says that it is too much, but not for how long."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A row as it was read. `gen` is None where there is no row.

    `exhausted` says that the session has had its tokens for today.

    `damaged` says that a sealed token is there that does not open. `hold_until` and `hold_error`
    are the fleet's: what Coze said to another session holds for this one too.
    """

    token: AccessToken | None = None
    damaged: bool = False
    lease_id: str | None = None
    lease_until: int = 0
    retry_at: int = 0
    fail_n: int = 0
    error: str | None = None
    gen: int | None = None
    exhausted: bool = False
    hold_until: int = 0
    hold_error: str | None = None


class Table(Enum):
    """What the table answers beside a row."""

    FAILED = "it did not answer"
    FENCED = "another lease was granted since"
    DONE = "done"


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The lease was not granted; the row that stood in the way, without the fleet's part."""

    seen: Seen


@dataclass(frozen=True, kw_only=True)
class Failed:
    """An exchange that brought nothing.

    `retry_after` in seconds is Coze's own wish. `hold_seconds` asks the whole fleet to leave
    Coze alone for so long.
    """

    error: StsError
    retry_after: float = 0
    hold_seconds: float = 0
    unknown_key: bool = False


@dataclass(frozen=True, kw_only=True)
class Read:
    """Reads the row and the fleet's: Seen or Table.FAILED."""


@dataclass(frozen=True, kw_only=True)
class Acquire:
    """Takes the lease where there is none, or the dead one `over`: Seen, Refused or FAILED.

    Granted only where the row is due: its token to be renewed and its back-off over. With
    `seen_gen` the token need not be due, but no other lease may have been granted since.
    """

    lease_id: str
    lease_until: int
    over: str | None
    seen_gen: int | None


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """Signs and exchanges within `seconds`: AccessToken or Failed.

    `counted` in the table against the limits of the day, unless that is known to be down.
    """

    seconds: float
    counted: bool = True


@dataclass(frozen=True, kw_only=True)
class Complete:
    """Writes the token and ends the lease: DONE, FENCED or FAILED."""

    lease_id: str
    token: AccessToken


@dataclass(frozen=True, kw_only=True)
class Fail:
    """Ends the lease and notes the failure; whatever comes of it changes nothing."""

    lease_id: str
    retry_at: int
    error: str


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Writes the fleet's row; whatever comes of it changes nothing. No error lifts the hold."""

    until: int
    error: str | None


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Takes the fleet's one try from `seen_until` until the next: DONE, FENCED or FAILED."""

    seen_until: int
    until: int


@dataclass(frozen=True, kw_only=True)
class Sleep:
    """Waits so many seconds."""

    seconds: float


@dataclass(frozen=True, kw_only=True)
class Spend:
    """Asks this process's small budget for exchanges without a lease: True or False."""


Operation = Read | Acquire | Exchange | Complete | Fail | Hold | Probe | Sleep | Spend


class Source(Enum):
    """Where an answer came from; the names are metrics."""

    TABLE = "TableHit"
    WAITED = "Waited"
    EXCHANGED = "Exchanged"
    DIRECT = "ExchangedWithoutTable"
    STALE = "ServedStale"


@dataclass(frozen=True, kw_only=True)
class Served:
    """The end of a flight: a token for the caller."""

    token: AccessToken
    source: Source


def failed(error: StsError) -> Failed:
    """What a failure of Coze's asks of this session and of the whole fleet."""
    asked = error.asked_seconds if isinstance(error, UpstreamUnavailable) else 0
    hold = 0
    if isinstance(error, RateLimited):
        hold = asked or RATE_LIMIT_HOLD_SECONDS
    elif isinstance(error, UnknownKey):
        hold = UNKNOWN_KEY_HOLD_SECONDS
    elif isinstance(error, BudgetSpent):
        hold = asked = BUDGET_HOLD_SECONDS
    elif isinstance(error, SlowDown):
        asked = error.retry_after or 1
    return Failed(
        error=error,
        retry_after=asked,
        hold_seconds=hold,
        unknown_key=isinstance(error, UnknownKey),
    )
