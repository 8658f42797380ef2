"""Carries out what a flight asks for, for one session: the table, Coze, time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from coze_sts.access_token import AccessToken
from coze_sts.allowance import Allowance
from coze_sts.auth.session import Session
from coze_sts.cache import operations as ops
from coze_sts.cache.decision import UNKNOWN_KEY
from coze_sts.cache.row import DamagedRowError, FleetHold, Row
from coze_sts.cache.seal import seal, unseal
from coze_sts.cache.store import RefusedError, TokenStore
from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.keys import AppKeys
from coze_sts.errors import (
    StoreUnavailable,
    StsError,
    TemporarilyUnavailable,
)
from coze_sts.keyring import Keyring
from coze_sts.settings import Settings
from coze_sts.telemetry import Telemetry

if TYPE_CHECKING:
    from requests import Session as HttpSession


@dataclass(frozen=True, kw_only=True)
class Performer:
    """Performs operations on the row `pk`; `failures` are those that the caller may not feel."""

    settings: Settings
    keys: AppKeys
    keyring: Keyring
    store: TokenStore
    allowance: Allowance
    http: Callable[[], HttpSession]
    telemetry: Telemetry
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    app: tuple[str, str]
    session: Session
    pk: str
    fleet_pk: str
    failures: list[StsError] = field(default_factory=list)

    def perform(self, operation: ops.Operation) -> object:
        """The result that the operation names; only its own kind of failure is told so."""
        try:
            return self._perform(operation)
        except RefusedError as refused:
            if isinstance(operation, ops.Acquire):
                return ops.Refused(seen=self._seen(refused.row, None))
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
                seen = self._seen(*self.store.read(self.pk, fleet_pk=self.fleet_pk))
                if seen.damaged:
                    self.telemetry.count("RowDamaged")
                return seen
            case ops.Acquire():
                return self._acquire(operation)
            case ops.Exchange():
                return self._exchange(operation.seconds)
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
                return self.allowance.spend()
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

    def _exchange(self, seconds: float) -> AccessToken | ops.Failed:
        # Imported on a miss: a request that finds a token need not load them at cold start.
        from coze_sts.coze.mint import mint  # noqa: PLC0415

        deadline = self.clock() + seconds

        def attempt(app: CozeApp) -> AccessToken:
            if app.identity != self.app:
                raise TemporarilyUnavailable("The OAuth app was replaced during this request.")
            self.telemetry.count("Exchange")
            now = self.clock()
            token, log_id = mint(
                self.http(),
                app=app,
                settings=self.settings,
                session_name=self.session.name,
                session_context=self.session.context,
                now=now,
                seconds=deadline - now,
            )
            self.telemetry.note(coze_log_id=log_id)
            return token

        try:
            return self.keys.exchange(attempt)
        except StsError as error:
            session = self.session
            error.hide(session.name, session.device_id, session.custom_consumer)
            self.telemetry.count("ExchangeFailed")
            self.failures.append(error)
            return ops.failed(error)
