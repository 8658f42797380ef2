"""One round: everybody asks for the same sessions, and whoever holds a lease is struck."""

import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Literal

from coze_sts.cache.operations import Source
from coze_sts.cache.row import Row
from coze_sts.cache.store import TokenStore

from tests.engines import client_of
from tests.herd.clients import pk_of
from tests.herd.fleet import Fleet, Worker
from tests.herd.orders import Answer, Stage

PATIENCE_SECONDS = 30
FREEZE_SECONDS = (0.2, 4.0)


class Rows:
    """What the table holds of a session, read past everybody."""

    def __init__(self, *, place: Stage, store: TokenStore) -> None:
        self._place = place
        self._store = store

    @classmethod
    @contextmanager
    def at(cls, place: Stage) -> Iterator["Rows"]:
        with closing(client_of(place.table_url)) as client:
            yield cls(place=place, store=TokenStore(client=client, table=place.table))

    def of(self, session: str) -> Row | None:
        pk = pk_of(session, stage=self._place)
        return self._store.read(pk, fleet_pk="c1#")[0]

    def holder(self, session: str, fleet: Fleet) -> Worker | None:
        """The process whose lease it is, once there is one; None where nobody took any."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            row = self.of(session)
            if row is not None and row.lease_id is not None:
                return fleet.holder(row.lease_id)
            if row is not None and row.sealed is not None:
                return None
            time.sleep(0.02)
        raise TimeoutError(session)


@dataclass(frozen=True, kw_only=True)
class Blow:
    """What happened to a holder; `at` is when it was killed, or continued."""

    session: str
    kind: Literal["kill", "freeze"]
    at: float


@dataclass(kw_only=True)
class Round:
    """Sessions that nobody asked for before, and what becomes of them and of their holders."""

    fleet: Fleet
    rows: Rows
    sessions: list[str]
    rng: random.Random
    exchange_seconds: float
    blows: list[Blow] = field(default_factory=list)
    struck: set[Worker] = field(default_factory=set)
    answers: list[Answer] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def play(self) -> None:
        """Everybody asks, holders are struck, and whoever survives is waited for."""
        asked = list(self.fleet.workers)
        for index, worker in enumerate(asked):
            asks = [(index, session) for session in self.sessions]
            worker.ask(asks, kind="service", at=time.time() + 0.2, patience=PATIENCE_SECONDS)
        strikes = [self._strike(session, number) for number, session in enumerate(self.sessions)]
        for strike in strikes:
            strike.join()
        self.fleet.replenish()
        survivors = [index for index, worker in enumerate(asked) if worker.alive]
        self._collect({(index, session) for index in survivors for session in self.sessions})

    def _strike(self, session: str, number: int) -> threading.Thread:
        """The first is a kill and the second a freeze, so that each round has both."""
        kinds: list[Literal["kill", "freeze"]] = ["kill", "freeze"]
        kind = kinds[number] if number < len(kinds) else self.rng.choice(kinds)
        wait = self.rng.uniform(0, self.exchange_seconds)
        freeze = self.rng.uniform(*FREEZE_SECONDS)

        def strike() -> None:
            holder = self.rows.holder(session, self.fleet)
            time.sleep(wait)
            with self._lock:
                if holder is None or holder in self.struck:
                    return
                self.struck.add(holder)
            if kind == "kill":
                holder.kill()
            else:
                holder.freeze(freeze)
            self.blows.append(Blow(session=session, kind=kind, at=time.time()))

        thread = threading.Thread(target=strike)
        thread.start()
        return thread

    def _collect(self, awaited: set[tuple[int, str]]) -> None:
        """A process may have answered some before it was killed: those count, too."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while awaited:
            try:
                answer = self.fleet.answer(within=deadline - time.monotonic())
            except queue.Empty:
                raise AssertionError(f"{awaited} were not answered") from None
            self.answers.append(answer)
            awaited.discard((answer.number, answer.session))

    def waited(self, answer: Answer) -> float:
        """Seconds since it was asked for, or since the last blow before it was answered."""
        blows = [blow.at for blow in self.blows if blow.at < answer.answered_at]
        return answer.answered_at - max([answer.asked_at, *blows])

    def leases(self, session: str) -> int:
        """How many were granted on it."""
        row = self.rows.of(session)
        return 0 if row is None else row.gen

    def spare_exchanges(self, session: str) -> int:
        """Those beyond one a lease: a holder slept through the answer, or the table was slow."""
        frozen = sum(blow.kind == "freeze" for blow in self.blows)
        sources = Counter(answer.source for answer in self.answers if answer.session == session)
        return frozen + sources[Source.DIRECT.value]
