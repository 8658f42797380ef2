"""One request from its arrival to its end, with all that may happen to it on the way."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from coze_sts.access_token import AccessToken, State, from_grant, state
from coze_sts.cache import operations as ops
from coze_sts.coze.answer import read_grant
from coze_sts.coze.app_key import CozeApp
from coze_sts.errors import StsError, UpstreamUnavailable

from tests.simulation.rules import Violation
from tests.simulation.trip import Trip
from tests.simulation.upstream import HOST
from tests.simulation.watch_answers import in_trouble
from tests.simulation.watch_moves import check_move
from tests.simulation.wire import SDK_SECONDS, DroppedError, Wire, draw_fate

if TYPE_CHECKING:
    from tests.simulation.world import World

ANSWER_SECONDS = 14
READ_SECONDS = 5
"""After which the HTTP library gives up on a silent Coze."""
QUICK_SECONDS = 0.2

Steps = Generator[float, None, Any]


class CrashedError(Exception):
    """The process is gone."""


class Request:
    """Drives one flight in `world`, operation by operation."""

    def __init__(self, world: World, trip: Trip) -> None:
        self._world = world
        self._trip = trip
        self._process = trip.process
        self._wire = Wire(watch=world.tables, trip=trip)
        self._performer = world.performer(trip, store=self._wire, clock=lambda: trip.now)

    def life(self) -> Steps:
        trip, world = self._trip, self._world
        try:
            served = yield from self._answer()
        except StsError as error:
            world.refused(trip, error)
        except CrashedError:
            world.crash(trip)
        except Violation:
            raise
        except Exception as error:
            raise Violation("crash", f"{trip.name}: {error!r}") from error
        else:
            world.served(trip, served)
        trip.process.busy = False

    def _answer(self) -> Generator[float, None, ops.Served]:
        """What Broker.token_for does, with virtual time in between."""
        trip, core, now = self._trip, self._world.core, self._process.clock()
        held = self._process.memory.get(trip.pk, now=now)
        if held is not None and not core.decision.is_rejected(held, trip.rejected):
            return ops.Served(token=held, source=ops.Source.TABLE)
        if held is not None:
            core.decision.refuse_storm(held, now=now)
        flight = core.lease.Flight(
            clock=self._process.clock,
            deadline=now + min(ANSWER_SECONDS, trip.remaining - 1),
            rejected=trip.rejected,
            rng=self._world.rng,
            new_lease_id=self._world.new_lease_id,
        )
        steps = flight.run()
        result: Any = None
        while True:
            try:
                operation = steps.send(result)
            except StopIteration as end:
                return end.value
            yield from self._stumble()
            result = yield from self._perform(operation)
            self._observe(operation, result)
            yield from self._stumble()

    def _stumble(self) -> Steps:
        """A process may die, or be stopped and go on, before and after everything it does."""
        env, rng = self._world.env, self._world.rng
        luck = rng.random()
        if luck < env.crash:
            raise CrashedError
        if luck < env.crash + env.freeze:
            self._trip.frozen = True
            yield rng.uniform(5, 40)

    def _perform(self, operation: ops.Operation) -> Steps:
        check_move(self._trip, operation)
        match operation:
            case ops.Sleep():
                yield operation.seconds
                return ops.Table.DONE
            case ops.Spend():
                return self._process.allowance.spend()
            case ops.Exchange():
                return (yield from self._exchange(operation))
            case ops.Acquire():
                self._trip.leases.append(operation.lease_id)
                self._trip.asked_until = operation.lease_until / 1000
            case ops.Complete():
                self._trip.brought = operation.token
        return (yield from self._call_table(operation))

    def _call_table(self, operation: ops.Operation) -> Steps:
        world = self._world
        fate = draw_fate(world.rng, world.env, down=world.table_down)
        self._wire.fate, self._trip.now = fate, self._process.clock()
        yield fate.out
        if fate.doubled and not isinstance(operation, ops.Read):
            self._wire.drop_reply = True
            try:
                self._performer.perform(operation)
            except DroppedError:
                yield SDK_SECONDS
        result = self._performer.perform(operation)
        yield fate.back
        return result

    def _exchange(self, operation: ops.Exchange) -> Steps:
        """Coze decides at once; the answer takes its time."""
        trip, process, world = self._trip, self._process, self._world
        world.cozes.begins(trip, operation)
        trip.exchange_began, trip.renewal = world.scheduler.now, trip.renews()
        deadline = process.clock() + operation.seconds
        try:
            answer = process.keys.exchange(lambda app: self._mint(app, deadline=deadline))
        except StsError as error:
            answer = ops.failed(error)
        seconds, process.ahead = process.ahead, 0.0
        world.cozes.lasts(trip, until=world.scheduler.now + seconds)
        yield seconds
        world.cozes.ends(trip, answer)
        world.fleet.ends(trip, answer)
        return answer

    def _mint(self, app: CozeApp, *, deadline: float) -> AccessToken:
        """What `coze_sts.coze.mint` does, without HTTP and signatures."""
        process, world, sent_at = self._process, self._world, self._process.clock()
        patience = max(min(deadline - sent_at, READ_SECONDS), 0)
        granted = len(world.coze.granted)
        answer, took = world.coze.post(
            session=self._trip.session, kid=app.kid, now=world.scheduler.now + process.ahead
        )
        self._trip.granted += len(world.coze.granted) - granted
        process.ahead += min(took, patience)
        if answer is None or took > patience:
            process.ahead += max(patience - took, 0)
            self._trip.lost_answer = True
            raise UpstreamUnavailable("time-out")
        grant = read_grant(answer, host=HOST, sent_at=sent_at)
        token = from_grant(
            grant.access_token,
            kid=app.kid,
            sent_at=sent_at,
            granted_until=grant.expires_at,
            duration_seconds=world.env.lifetime,
        )
        world.answers.minted[token.value] = token
        return token

    def _observe(self, operation: ops.Operation, result: object) -> None:
        """Keeps for the rules what the flight is told."""
        trip = self._trip
        trip.trouble = trip.trouble or in_trouble(result)
        if result is ops.Table.FAILED:
            trip.table_failed = True
            trip.blind = trip.blind or isinstance(operation, ops.Read | ops.Acquire)
        seen = result.seen if isinstance(result, ops.Refused) else result
        if isinstance(seen, ops.Seen):
            self._see(seen, operation)
        match operation:
            case ops.Exchange():
                trip.exchanges.append(result)
                trip.last_answer = self._world.scheduler.now
                trip.brought = result if isinstance(result, AccessToken) else trip.brought
            case ops.Complete():
                trip.writes.append(result)
                trip.ended_lease = True
            case ops.Fail():
                trip.ended_lease = True
            case ops.Spend():
                trip.spent, trip.spent_at = result is True, self._world.scheduler.now
            case ops.Probe() if result is ops.Table.FENCED:
                trip.trouble = True

    def _see(self, seen: ops.Seen, operation: ops.Operation) -> None:
        trip, now = self._trip, self._process.clock()
        trip.seen = seen
        if isinstance(operation, ops.Read):
            trip.hold = seen.hold_until, seen.hold_error
        if isinstance(operation, ops.Acquire) and seen.lease_id == operation.lease_id:
            trip.lease, trip.lease_until = seen.lease_id, operation.lease_until / 1000
            trip.quickly_leased = now - trip.now < QUICK_SECONDS
        if trip.rejects_what_it_saw():
            trip.stale = None  # an older one was read out of date
        elif state(seen.token, now=now) is State.STALE:
            trip.stale = seen.token
        waits = (seen.retry_at / 1000 - now, seen.hold_until / 1000 - now)
        trip.trouble = trip.trouble or max(waits) > 0 or seen.hold_error is not None
