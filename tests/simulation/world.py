"""One run: a fleet, a table and Coze, from a seed to the end of their story."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from coze_sts.access_token import AccessToken
from coze_sts.cache.operations import Served
from coze_sts.errors import StsError
from coze_sts.performer import Performer

from tests.factories import NOW
from tests.simulation.core import Core
from tests.simulation.ending import calm_down, check_exchanges, check_fetches, come_back
from tests.simulation.environment import draw
from tests.simulation.process import CURRENT, KeyStore, Process
from tests.simulation.request import Request
from tests.simulation.scheduler import Scheduler, Steps
from tests.simulation.stubs import QuickKeyring, Quiet
from tests.simulation.trip import Trip
from tests.simulation.upstream import Coze
from tests.simulation.visitors import visit
from tests.simulation.watch_answers import AnswerWatch
from tests.simulation.watch_coze import CozeWatch
from tests.simulation.watch_fleet import FleetWatch
from tests.simulation.watch_table import TableWatch
from tests.simulation.weather import learn
from tests.simulation.wire import Wire

KEYRING, QUIET = QuickKeyring(), Quiet()


class World:
    """Everything that a run has; `seen` counts what came to pass, so that nothing is missed."""

    fleet_pk = "c1#fleet"

    def __init__(self, *, seed: int, core: Core) -> None:
        self.rng = random.Random(seed)
        random.seed(seed)  # secrets are fetched at random times, by the module's own generator
        self.core = core
        self.env = draw(self.rng)
        self.scheduler = Scheduler(now=NOW + self.rng.random())
        self.sessions = [f"session-{n}" for n in range(self.env.sessions)]
        self.table = core.table.InMemoryTable()
        self.coze = Coze(rng=self.rng, duration=self.env.lifetime)
        self.coze.kids = {"kid-1"}
        self.key_store = KeyStore(stages={CURRENT: "kid-1"})
        self.table_down = False
        self.processes: list[Process] = []
        self.seen: Counter[str] = Counter()
        self.trips = 0
        self.handed: dict[str, list[AccessToken]] = {}
        self.secrets_failed = self.over = False
        self.all_processes: list[Process] = []
        self.meddled_at: dict[str, float] = {}
        self.fleet = FleetWatch(true_time=self.true_time)
        self.cozes = CozeWatch(
            true_time=self.true_time, meddled_at=self.meddled_at, lifetime=self.env.lifetime
        )
        self.tables = TableWatch(
            table=self.table,
            fleet=self.fleet,
            true_time=self.true_time,
            meddled_at=self.meddled_at,
        )
        self.answers = AnswerWatch(
            granted=self.coze.granted, forced=self.cozes.forced, meddled_at=self.meddled_at
        )
        self.excuses: Counter[str] = Counter()

    def true_time(self) -> float:
        return self.scheduler.now

    def pk(self, session: str) -> str:
        return "t1#" + session

    def new_lease_id(self) -> str:
        self.seen["leases asked for"] += 1
        return f"lease-{self.seen['leases asked for']}"

    def run(self) -> None:
        """The whole story; raises Violation."""
        self.scheduler.start(self._story())
        self.scheduler.run()
        check_exchanges(self)
        check_fetches(self)

    def _story(self) -> Steps:
        yield from visit(self)
        yield self.rng.uniform(0, 5)
        calm_down(self)
        for session in self.sessions:
            self.scheduler.start(come_back(self, session))

    def arrival(self, session: str) -> Steps:
        """A request that comes in; now and then one that forgets the session."""
        process = self._idle_process()
        trip = self.trip(session, process=process)
        if self.rng.random() < self.env.forget:
            process.memory.forget(trip.pk)
            self.tables.drop_token(trip)
            return
        process.busy = True
        handed = self.handed.get(session)
        if handed and self.rng.random() < self.env.rejects:
            trip.rejected = self.rng.choice(handed[-2:]).sha256
            self.seen["requests that reject"] += 1
        if self.rng.random() < self.env.short:
            trip.remaining = self.rng.choice((4, 5, 6, 7, 8, 10))
        yield from Request(self, trip).life()

    def trip(self, session: str, *, process: Process) -> Trip:
        """A new request, on its way to `process`."""
        self.trips += 1
        return Trip(
            number=self.trips,
            session=session,
            pk=self.pk(session),
            process=process,
            started=process.clock(),
            remaining=20,
            began=self.scheduler.now,
        )

    def performer(self, trip: Trip, *, store: Wire, clock: Callable[[], float]) -> Performer:
        """The service's own performer; Coze and time are the request's."""
        performer: Performer = self.core.performer.Performer(
            exchanger=None,
            keys=trip.process.keys,
            keyring=KEYRING,
            store=store,
            allowance=trip.process.allowance,
            telemetry=QUIET,
            clock=clock,
            sleep=None,
            pk=trip.pk,
            fleet=lambda: self.fleet_pk,
        )
        return performer

    def _idle_process(self) -> Process:
        idle = [process for process in self.processes if not process.busy]
        if idle and self.rng.random() < self.env.reuse:
            return self.rng.choice(idle[:2])
        return self.new_process()

    def new_process(self) -> Process:
        """A Lambda that just started, with a clock of its own."""
        process = Process(
            true_time=self.true_time,
            offset=self.rng.choice((-1, 1, 0, self.rng.uniform(-1, 1))),
            key_store=self.key_store,
            memory=self.core.memory.TokenMemory(),
        )
        self.processes.append(process)
        self.all_processes.append(process)
        return process

    def rotate(self, *, forget_old: bool, after: float) -> None:
        """A new key in the secret, which Coze learns of some seconds later."""
        old, new = self.key_store.stages[CURRENT], f"kid-{self.rng.random()}"
        self.key_store.rotate(new)
        self.fleet.one_key = False
        self.scheduler.start(learn(self, new, forget=old if forget_old else None), after=after)

    def served(self, trip: Trip, served: Served) -> None:
        """A request has its token."""
        trip.served = True
        self.answers.served(trip, served.token)
        trip.process.memory.put(trip.pk, served.token, now=trip.process.clock())
        self.handed.setdefault(trip.session, []).append(served.token)
        self._ended(trip, served.source.value)

    def refused(self, trip: Trip, error: StsError) -> None:
        """A request has an error."""
        self.answers.refused(trip, error)
        self._ended(trip, error.code)

    def crash(self, trip: Trip) -> None:
        """A process is gone, and its memory with it."""
        trip.crashed = True
        self.processes.remove(trip.process)
        self._ended(trip, "crashed")

    def _ended(self, trip: Trip, how: str) -> None:
        trip.ended = True
        self.seen["requests"] += 1
        self.seen[f"ended: {how}"] += 1
        self.seen["requests that were frozen"] += trip.frozen
        self.seen["exchanges"] += len(trip.exchanges)
        unstored = trip.crashed or trip.frozen or trip.table_failed or trip.lost_answer
        if unstored or trip.rejected is not None:
            self.excuses[trip.pk] += trip.granted
