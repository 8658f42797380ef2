"""Everybody at once, in a process of their own, until so many requests were sent."""

from __future__ import annotations

import itertools
import multiprocessing
import random
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.crowd.acts import usual
from tests.crowd.directions import Directions
from tests.crowd.door import Enough
from tests.crowd.person import Person
from tests.crowd.place import Notes, Place
from tests.crowd.visits import Act

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from tests.crowd.town import Town

_processes = multiprocessing.get_context("forkserver")


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """So many people, who send so many requests between them.

    About every `strike_seconds` a worker is killed. `acts` are what people do, and how often.
    """

    requests: int
    users: int
    seed: int
    strike_seconds: float
    acts: Mapping[Act, float] = field(default_factory=usual)

    def visit(self, town: Town) -> Notes:
        """All come at once, and go when everything was sent; what they saw."""
        told, tells = _processes.Pipe(duplex=False)
        process = _processes.Process(target=self.come, args=[Directions.to(town), tells])
        process.start()
        tells.close()
        rng = self._rng("strikes")
        while not told.poll(rng.uniform(0.5, 1.5) * self.strike_seconds):
            town.kill(rng.randrange(len(town.ports)))
        notes: Notes = told.recv()
        process.join()
        return notes

    def come(self, way: Directions, tells: Connection) -> None:
        """The process that the people are in."""
        place = Place.by(way, requests=self.requests)
        people = [
            Person(
                name=f"visitor-{self.seed}-{number}",
                rng=self._rng(f"visitor {number}"),
                place=place,
            )
            for number in range(self.users)
        ]
        for person in people:
            person.neighbours = people
        lives = [
            threading.Thread(
                target=self._live, args=[person, list(self.acts)[number :: self.users]]
            )
            for number, person in enumerate(people)
        ]
        for life in lives:
            life.start()
        for life in lives:
            life.join()
        tells.send(place.notes)

    def _live(self, person: Person, first: Sequence[Act]) -> None:
        """Their share of all that there is to do, and then whatever their own seed draws."""
        acts, weights = list(self.acts), list(self.acts.values())
        drawn = iter(lambda: person.rng.choices(acts, weights)[0], None)
        try:
            for act in itertools.chain(first, drawn):
                act(person)
        except Enough:
            return
        except Exception:  # noqa: BLE001 - else nobody would hear of who stayed away
            person.place.notes.odd.append(traceback.format_exc())

    def _rng(self, whose: str) -> random.Random:
        return random.Random(f"{self.seed} {whose}")
