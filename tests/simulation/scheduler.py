"""Virtual time: steps that are generators of the seconds until they go on."""

import heapq
from collections.abc import Generator
from itertools import count

Steps = Generator[float, None, None]


class Scheduler:
    """Runs what is due; `now` is the true time in UNIX seconds, which no process knows."""

    def __init__(self, *, now: float) -> None:
        self.now = now
        self._queue: list[tuple[float, int, Steps]] = []
        self._numbers = count()

    def start(self, steps: Steps, *, after: float = 0) -> None:
        """Lets `steps` begin so many seconds from now."""
        heapq.heappush(self._queue, (self.now + after, next(self._numbers), steps))

    def run(self, *, until: float = float("inf")) -> None:
        """Runs until nothing is left to do, or until that time."""
        while self._queue and self._queue[0][0] <= until:
            self.now, _, steps = heapq.heappop(self._queue)
            seconds = next(steps, None)
            if seconds is not None:
                self.start(steps, after=seconds)
