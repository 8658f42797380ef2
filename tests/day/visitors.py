"""Who comes when: visits over a day, with an evening peak, and the page views of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DAY_SECONDS = 86_400
PEAK_HOUR = 20.5
RETURNS = 0.5
"""Visits that a session makes after its first, on average."""
VIEWS = 1.2
"""Page views that a visit has after its first, on average; each asks for a token."""
VIEW_GAP_SECONDS = 150
SECOND_TAB_SHARE = 0.02
"""Page views that happen in two tabs at once."""


@dataclass(frozen=True, kw_only=True)
class Requests:
    """Every request of the day in order of time: seconds since midnight, and whose it is."""

    times: NDArray[np.float64]
    sessions: NDArray[np.int64]


def requests(*, sessions: int, seed: int) -> Requests:
    """The requests of `sessions` visitors; the same seed gives the same day."""
    rng = np.random.default_rng(seed)
    visitor = np.repeat(np.arange(sessions), 1 + rng.poisson(RETURNS, sessions))
    start = _visit_starts(rng, len(visitor))
    views = 1 + rng.poisson(VIEWS, len(visitor))
    session, visit_start = np.repeat(visitor, views), np.repeat(start, views)
    nth = np.arange(len(session)) - np.repeat(np.cumsum(views) - views, views)
    gaps = np.where(nth > 0, rng.exponential(VIEW_GAP_SECONDS, len(session)), 0.0)
    total = np.cumsum(gaps)
    time = visit_start + total - np.repeat(total[np.cumsum(views) - views], views)
    twice = rng.random(len(time)) < SECOND_TAB_SHARE
    time, session = (
        np.concatenate([time, time[twice] + 0.01]),
        np.concatenate([session, session[twice]]),
    )
    within = time < DAY_SECONDS
    order = np.argsort(time[within], kind="stable")
    return Requests(times=time[within][order], sessions=session[within][order])


def _visit_starts(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Times of day drawn from a curve that is lowest in the small hours."""
    minute = np.arange(0, DAY_SECONDS, 60)
    hours = minute / 3600
    weight = 1 + 0.85 * np.cos((hours - PEAK_HOUR) / 24 * 2 * np.pi)
    chosen = rng.choice(minute, size=count, p=weight / weight.sum())
    return chosen + rng.uniform(0, 60, count)


def least_exchanges(day: Requests, *, window: float) -> int:
    """The fewest exchanges that serve the day: one for a session and `window` of its activity."""
    order = np.lexsort((day.times, day.sessions))
    needed, session, covered_until = 0, -1, 0.0
    pairs = zip(day.sessions[order].tolist(), day.times[order].tolist(), strict=True)
    for who, when in pairs:
        if who != session or when >= covered_until:
            needed, session, covered_until = needed + 1, who, when + window
    return needed
