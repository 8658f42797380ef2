"""One request that memory did not answer: its operations, one after another."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from coze_sts.access_token import AccessToken, from_grant, outlives
from coze_sts.cache import operations as ops
from coze_sts.cache.row import FleetHold, Row, Sealed
from coze_sts.cache.store import RefusedError
from coze_sts.errors import StsError, UpstreamUnavailable
from coze_sts.settings import MAX_PER_DAY

if TYPE_CHECKING:
    from tests.day.world import Lambda, World

LIFETIME_SECONDS = 3600
TABLE_SECONDS = 0.005
COZE_SECONDS = 0.3
FLEET = "c1#fleet"
KID = "kid-1"
WRITES = (ops.Acquire, ops.Complete, ops.Fail, ops.Hold, ops.Probe)


class Journey:
    """Performs what a flight asks for, each operation after the time that it takes."""

    def __init__(
        self,
        world: World,
        *,
        pk: str,
        worker: Lambda,
        steps: Generator[ops.Operation, Any, ops.Served],
    ) -> None:
        self._world = world
        self._pk = pk
        self._worker = worker
        self._steps = steps

    def advance(self, result: object) -> None:
        """Tells the flight what came of its operation, and starts the next."""
        try:
            operation = self._steps.send(result)
        except StopIteration as end:
            self._served(end.value)
        except StsError:
            self._refused()
        else:
            self._world.later(
                self._seconds(operation), lambda: self.advance(self._perform(operation))
            )

    def _served(self, served: ops.Served) -> None:
        world = self._world
        world.tally.count(served.source.value, at=world.now)
        self._worker.memory.put(self._pk, served.token, now=world.now)
        world.release(self._worker)

    def _refused(self) -> None:
        world = self._world
        world.tally.count("refused", at=world.now)
        token = _token(world.table.row(self._pk))
        if token is not None and outlives(token, now=world.now):
            world.tally.count("refused although a token was usable", at=world.now)
        world.release(self._worker)

    def _seconds(self, operation: ops.Operation) -> float:
        match operation:
            case ops.Sleep():
                return operation.seconds
            case ops.Exchange():
                return min(COZE_SECONDS * self._world.rng.uniform(0.5, 2), operation.seconds)
            case ops.Spend():
                return 0.0
        return TABLE_SECONDS

    def _perform(self, operation: ops.Operation) -> object:
        world = self._world
        if isinstance(operation, WRITES):
            world.tally.count("write units", at=world.now)
        try:
            return self._ask(operation)
        except RefusedError as refused:
            if isinstance(operation, ops.Acquire):
                return ops.Refused(seen=_seen(refused.row, None))
            return ops.Table.FENCED

    def _ask(self, operation: ops.Operation) -> object:
        world, table = self._world, self._world.table
        match operation:
            case ops.Read():
                world.tally.count("read units", at=world.now)  # two items at half a unit each
                return _seen(*table.read(self._pk, fleet_pk=FLEET))
            case ops.Acquire():
                row = table.acquire(
                    self._pk,
                    lease_id=operation.lease_id,
                    lease_until=operation.lease_until,
                    over=operation.over,
                    seen_gen=operation.seen_gen,
                    per_day=MAX_PER_DAY,
                    now=world.now,
                )
                return _seen(row, None)
            case ops.Exchange():
                return self._exchange()
            case ops.Complete():
                table.complete(
                    self._pk,
                    lease_id=operation.lease_id,
                    sealed=_sealed(operation.token),
                    now=world.now,
                )
            case ops.Fail():
                table.fail(
                    self._pk,
                    lease_id=operation.lease_id,
                    retry_at=operation.retry_at,
                    error=operation.error,
                )
            case ops.Hold(error=str(error)):
                hold = FleetHold(until=operation.until, error=error, kid=KID)
                table.hold(FLEET, hold, now=world.now)
        return ops.Table.DONE

    def _exchange(self) -> AccessToken | ops.Failed:
        world = self._world
        if world.coze_is_out:
            world.tally.count("failed exchanges", at=world.now)
            return ops.failed(UpstreamUnavailable("Coze is out."))
        world.tally.count("exchanges", at=world.now)
        return from_grant(
            f"czs_{next(world.numbers)}",
            kid=KID,
            sent_at=world.now,
            granted_until=int(world.now) + LIFETIME_SECONDS,
            duration_seconds=LIFETIME_SECONDS,
        )


def _sealed(token: AccessToken) -> Sealed:
    """Nobody reads this table, so the seal is left out."""
    return Sealed(
        ct=token.value.encode(),
        ek="1",
        kid=token.kid,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        refresh_at=token.refresh_at,
        forced=token.forced,
    )


def _token(row: Row | None) -> AccessToken | None:
    if row is None or row.sealed is None:
        return None
    return AccessToken(
        value=row.sealed.ct.decode(),
        kid=row.sealed.kid,
        issued_at=row.sealed.issued_at,
        expires_at=row.sealed.expires_at,
        refresh_at=row.sealed.refresh_at,
        forced=row.sealed.forced,
    )


def _seen(row: Row | None, hold: FleetHold | None) -> ops.Seen:
    held = {} if hold is None else {"hold_until": hold.until, "hold_error": hold.error}
    if row is None:
        return ops.Seen(**held)
    return ops.Seen(
        token=_token(row),
        lease_id=row.lease_id,
        lease_until=row.lease_until,
        retry_at=row.retry_at,
        fail_n=row.fail_n,
        error=row.error,
        gen=row.gen,
        **held,
    )
