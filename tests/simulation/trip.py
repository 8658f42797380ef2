"""What is known of one request, for the rules to judge it by."""

from dataclasses import dataclass, field

from coze_sts.access_token import AccessToken, State, state
from coze_sts.cache.operations import Operation, Seen
from coze_sts.cache.row import FleetHold

from tests.simulation.process import Process

LATE_SECONDS = 5


@dataclass(kw_only=True)
class Trip:
    """One request. Times are UNIX seconds of its process's clock, except where they are true."""

    number: int
    session: str
    pk: str
    process: Process
    began: float
    """True time."""
    started: float
    remaining: float
    rejected: str | None = None
    now: float = 0.0
    """When the operation in hand was asked for; the table is told this time."""
    frozen: bool = False
    crashed: bool = False
    served: bool = False
    ended: bool = False
    last_move: Operation | None = None
    first_wait: float | None = None
    trouble: bool = False
    """Coze or the table failed in this request, or the row says that Coze did."""

    seen: Seen | None = None
    seen_true_time: float = 0.0
    """When what it read of the table was the case."""
    stale: AccessToken | None = None
    """A token that it saw while it was STALE."""
    hold: tuple[int, str | None] = (0, None)
    """Of the fleet's row, as the flight was told last."""
    fleet: FleetHold | None = None
    """The fleet's row, as it was in the table that was read last."""

    table_failed: bool = False
    blind: bool = False
    """The table failed before any lease was granted."""
    spent: bool | None = None
    spent_at: float = 0.0
    """True time."""
    leases: list[str] = field(default_factory=list)
    lease: str | None = None
    lease_until: float = 0.0
    asked_until: float = 0.0
    ended_lease: bool = False
    quickly_leased: bool = False
    """Its lease was granted as soon as it was asked for."""
    writes: list[object] = field(default_factory=list)
    holds: int = 0

    exchanges: list[object] = field(default_factory=list)
    exchange_began: float = 0.0
    """True time."""
    last_answer: float = 0.0
    """True time."""
    renewal: bool = False
    """The token that it saw was good enough when it asked Coze."""
    brought: AccessToken | None = None
    granted: int = 0
    """Tokens that Coze granted on the way."""
    lost_answer: bool = False
    """Coze may have granted a token that never came."""

    @property
    def name(self) -> str:
        """For messages."""
        return f"request {self.number} for {self.session}"

    @property
    def is_late(self) -> bool:
        """So little time is left that not all may be done."""
        return self.process.clock() - self.started > self.remaining - LATE_SECONDS

    def rejects_what_it_saw(self) -> bool:
        """Whether the row's token is the one that the caller rejects."""
        token = self.seen.token if self.seen else None
        return token is not None and token.sha256 == self.rejected

    def renews(self) -> bool:
        """Whether the row's token is still good enough for everybody."""
        token = self.seen.token if self.seen else None
        phase = state(token, now=self.process.clock())
        return phase is not State.INVALID and not self.rejects_what_it_saw()

    def may_hold(self) -> bool:
        """Whether it believes that its lease lasts; it may not even know yet that it has one."""
        until = self.lease_until if self.lease else self.asked_until
        return self.process.clock() < until and not self.ended

    def outlived_its_lease(self) -> bool:
        """Whether the process was stopped until the lease was over."""
        return self.frozen and self.process.clock() > self.lease_until
