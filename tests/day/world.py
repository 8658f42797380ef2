"""The site in simulated time: Lambdas, the table and Coze, around the real decisions."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from coze_sts.allowance import Allowance
from coze_sts.broker import ANSWER_SECONDS
from coze_sts.cache.lease import Flight
from coze_sts.cache.memory import TokenMemory

from tests.day.journey import Journey
from tests.day.visitors import Requests
from tests.simulation.table import InMemoryTable

BUCKET_SECONDS = 300
IDLE_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What happens on the day; seconds since midnight."""

    outage: tuple[float, float] = (20 * 3600.0, 20.5 * 3600.0)
    deploys: tuple[float, ...] = (14 * 3600.0,)


@dataclass(kw_only=True)
class Lambda:
    """An execution environment: one request at a time."""

    memory: TokenMemory
    allowance: Allowance
    generation: int
    idle_since: float = 0.0


@dataclass(kw_only=True)
class Tally:
    """Counts of the day: in all, and by bucket of five minutes."""

    totals: Counter[str] = field(default_factory=Counter)
    buckets: dict[str, Counter[int]] = field(default_factory=dict)

    def count(self, what: str, *, at: float) -> None:
        """Adds one, at a time of the day in seconds."""
        self.totals[what] += 1
        self.buckets.setdefault(what, Counter())[int(at // BUCKET_SECONDS)] += 1

    def between(self, what: str, begin: float, end: float) -> list[int]:
        """Counts of each bucket from `begin` to `end`, in seconds of the day."""
        counts = self.buckets.get(what, Counter())
        return [counts[n] for n in range(int(begin // BUCKET_SECONDS), int(end // BUCKET_SECONDS))]


class World:
    """Runs every request of a day to its end. The same `seed` gives the same day."""

    def __init__(self, *, weather: Weather, seed: int) -> None:
        self.now = 0.0
        self.tally = Tally()
        self.table = InMemoryTable()
        self._weather = weather
        self.rng = Random(seed)
        self.numbers = itertools.count()
        self._idle: list[Lambda] = []
        self._deploys = list(weather.deploys)
        self._generation = 0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []

    def run(self, day: Requests) -> Tally:
        """Arrivals and what follows from them, in order of time."""
        for time, session in zip(day.times.tolist(), day.sessions.tolist(), strict=True):
            while self._agenda and self._agenda[0][0] <= time:
                self._next_step()
            self.now = time
            self._arrive(f"t1#{session}")
        while self._agenda:
            self._next_step()
        return self.tally

    def _next_step(self) -> None:
        self.now, _, step = heapq.heappop(self._agenda)
        step()

    def later(self, seconds: float, step: Callable[[], None]) -> None:
        """Runs `step` so many seconds from now."""
        heapq.heappush(self._agenda, (self.now + seconds, next(self.numbers), step))

    def _arrive(self, pk: str) -> None:
        self.tally.count("requests", at=self.now)
        worker = self._free_lambda()
        held = worker.memory.get(pk, now=self.now)
        if held is not None:
            self.tally.count("MemoryHit", at=self.now)
            self.release(worker)
            return
        flight = Flight(
            clock=lambda: self.now,
            deadline=self.now + ANSWER_SECONDS,
            rejected=None,
            rng=self.rng,
            new_lease_id=lambda: f"lease-{next(self.numbers)}",
        )
        Journey(self, pk=pk, worker=worker, steps=flight.run()).advance(None)

    def _free_lambda(self) -> Lambda:
        """The one that was used last, as Lambda does; a new one where all are busy."""
        while self._deploys and self.now >= self._deploys[0]:
            self._deploys.pop(0)
            self._generation += 1
            self._idle.clear()
        if self._idle and self.now - self._idle[0].idle_since > IDLE_SECONDS:
            self._idle.pop(0)
        if self._idle:
            return self._idle.pop()
        self.tally.count("cold starts", at=self.now)
        return Lambda(
            memory=TokenMemory(),
            allowance=Allowance(clock=lambda: self.now),
            generation=self._generation,
        )

    def release(self, worker: Lambda) -> None:
        """The Lambda is free again, unless a deploy has replaced it."""
        worker.idle_since = self.now
        if worker.generation == self._generation:
            self._idle.append(worker)

    @property
    def coze_is_out(self) -> bool:
        """Whether Coze answers nobody now."""
        begin, end = self._weather.outage
        return begin <= self.now < end
