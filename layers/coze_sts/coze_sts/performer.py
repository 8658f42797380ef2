"""Carries out what a flight asks for, for one session: the table, Coze, time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from coze_sts.access_token import AccessToken
from coze_sts.allowance import Allowance
from coze_sts.cache import operations as ops
from coze_sts.cache.decision import UNKNOWN_KEY
from coze_sts.cache.fleet import RefusedError
from coze_sts.cache.row import DamagedRowError, FleetHold, Row, day_of
from coze_sts.cache.seal import seal, unseal
from coze_sts.cache.store import TokenStore
from coze_sts.coze.keys import AppKeys
from coze_sts.errors import StoreUnavailable, StsError
from coze_sts.keyring import Keyring
from coze_sts.settings import MAX_PER_DAY
from coze_sts.telemetry import Telemetry

if TYPE_CHECKING:
    from coze_sts.exchanger import Exchanger


@dataclass(frozen=True, kw_only=True)
class Performer:
    """Performs operations on the row `pk`; `failures` are those that the caller may not feel.

    `per_day` limits the session's tokens. `binding_pk` is where it says whether this session
    is a user's by now who was a `guest`, or a guest's who is a user by now.
    """

    exchanger: Callable[[], Exchanger]
    keys: AppKeys
    keyring: Keyring
    store: TokenStore
    allowance: Allowance
    telemetry: Telemetry
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    pk: str
    fleet: Callable[[], str]
    per_day: int = MAX_PER_DAY
    binding_pk: str | None = None
    guest: bool = False
    guests_become_users: bool = True
    failures: list[StsError] = field(default_factory=list)

    @property
    def fleet_pk(self) -> str:
        """The row of what all sessions have in common. A hit in memory does not ask for it."""
        return self.fleet()

    @property
    def memory_key(self) -> str:
        """A guest who became a user finds nothing of the user's in this process's memory."""
        return f"guest {self.pk}" if self.guest else self.pk

    @property
    def _may_be_anothers(self) -> bool:
        """Without the table nobody knows whether a returning guest's session still is theirs."""
        return self.guest and self.guests_become_users and self.binding_pk is not None

    def perform(self, operation: ops.Operation) -> object:
        """The result that the operation names; only its own kind of failure is told so.

        Raises BoundError where the session turns out not to be the caller's any more.
        """
        try:
            return self._perform(operation)
        except RefusedError as refused:
            if isinstance(operation, ops.Acquire):
                return ops.Refused(seen=self._seen(refused.row, None))
            if isinstance(operation, ops.Complete | ops.Fail):
                self.telemetry.count("LeaseLost")
            return ops.Table.FENCED
        except StoreUnavailable as failure:
            self.telemetry.count("TableFailed")
            self.failures.append(failure)
            return ops.Table.FAILED
        except DamagedRowError as damaged:
            return self._clear_away(operation, damaged.hold)

    def _perform(self, operation: ops.Operation) -> object:
        match operation:
            case ops.Read():
                row, hold = self.store.read(
                    self.pk, fleet_pk=self.fleet_pk, binding_pk=self.binding_pk
                )
                seen = self._seen(row, hold)
                if seen.damaged:
                    self.telemetry.count("RowDamaged")
                return seen
            case ops.Acquire():
                return self._acquire(operation)
            case ops.Exchange():
                return self._exchange(operation)
            case ops.Complete():
                return self._complete(operation)
            case ops.Fail():
                self.store.fail(
                    self.pk,
                    lease_id=operation.lease_id,
                    retry_at=operation.retry_at,
                    error=operation.error,
                )
            case ops.Hold():
                self._hold(operation)
            case ops.Probe():
                self.store.probe(
                    self.fleet_pk, seen_until=operation.seen_until, until=operation.until
                )
            case ops.Sleep():
                self.sleep(operation.seconds)
            case ops.Spend():
                return not self._may_be_anothers and self.allowance.spend()
        return ops.Table.DONE

    def _seen(self, row: Row | None, hold: FleetHold | None) -> ops.Seen:
        if row is None:
            return self._with_hold(ops.Seen(), hold)
        token = unseal(row.sealed, pk=self.pk, keyring=self.keyring) if row.sealed else None
        damaged = row.sealed_damaged or (row.sealed is not None and token is None)
        seen = ops.Seen(
            token=token,
            damaged=damaged,
            lease_id=row.lease_id,
            lease_until=row.lease_until,
            retry_at=row.retry_at,
            fail_n=row.fail_n,
            error=row.error,
            gen=row.gen,
            exhausted=row.tokens.get(day_of(self.clock()), 0) >= self.per_day,
        )
        return self._with_hold(seen, hold)

    def _with_hold(self, seen: ops.Seen, hold: FleetHold | None) -> ops.Seen:
        """A hold for a key that is current no more concerns nobody."""
        if hold is None or (hold.error == UNKNOWN_KEY and not self._signs_with(hold.kid)):
            return seen
        return replace(seen, hold_until=hold.until, hold_error=hold.error)

    def _signs_with(self, kid: str) -> bool:
        """Whether this key is current, after a look at the secret: it may have been replaced."""
        return self.keys.current().kid == kid and self.keys.renewed().kid == kid

    def _clear_away(self, operation: ops.Operation, hold: FleetHold | None) -> object:
        """An item of another shape can hold no lease: it goes, and the session begins anew."""
        self.telemetry.count("RowDamaged")
        try:
            self.store.forget(self.pk)
        except StoreUnavailable as failure:
            self.failures.append(failure)
            return ops.Table.FAILED
        seen = self._with_hold(ops.Seen(), hold)
        return ops.Refused(seen=seen) if isinstance(operation, ops.Acquire) else seen

    def _acquire(self, operation: ops.Acquire) -> ops.Seen:
        row = self.store.acquire(
            self.pk,
            lease_id=operation.lease_id,
            lease_until=operation.lease_until,
            over=operation.over,
            seen_gen=operation.seen_gen,
            per_day=self.per_day,
            now=self.clock(),
        )
        return self._seen(row, None)

    def _complete(self, operation: ops.Complete) -> ops.Table:
        sealed = seal(operation.token, pk=self.pk, keyring=self.keyring)
        self.store.complete(self.pk, lease_id=operation.lease_id, sealed=sealed, now=self.clock())
        return ops.Table.DONE

    def _hold(self, operation: ops.Hold) -> None:
        if operation.error is None:
            self.store.forget(self.fleet_pk)
            return
        hold = FleetHold(until=operation.until, error=operation.error, kid=self.keys.current().kid)
        self.store.hold(self.fleet_pk, hold, now=self.clock())

    def _exchange(self, operation: ops.Exchange) -> AccessToken | ops.Failed:
        try:
            return self.exchanger().exchange(operation.seconds, counted=operation.counted)
        except StsError as error:
            self.failures.append(error)
            return ops.failed(error)
