"""The site's budget of exchanges for a day, and its kill switch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from coze_sts.allowance import Allowance
from coze_sts.cache.counters import SITE, Counter, Counters, LimitReachedError
from coze_sts.cache.decision import enough_for_today
from coze_sts.cache.row import seconds_to_midnight
from coze_sts.errors import BudgetSpent, StoreUnavailable, StsError

STOPPED_SECONDS = 300
"""When to ask again while the operator has stopped everything."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """So many exchanges `per_day` (UTC) for all sessions together, and of them for guests.

    `on_failure` hears of a table that could not count what goes on all the same, `on_used` of
    the share of the day's exchanges that is used: 1 is all of them.
    """

    counters: Counters
    per_day: int
    guests_per_day: int | None = None
    allowance: Allowance
    clock: Callable[[], float]
    on_failure: Callable[[StsError], None] = lambda _failure: None
    on_used: Callable[[float], None] = lambda _share: None

    @contextmanager
    def one(self, *, guest: bool = False, session: Counter | None = None) -> Iterator[None]:
        """Counts an exchange that is about to be made, and takes it back where that fails.

        `session` is what else it counts for. Raises BudgetSpent, and SlowDown where only this
        session or the guests have had theirs. Where the table fails, this process spends its own
        small allowance, and raises StoreUnavailable when that is used up.
        """
        share = self.guests_per_day if guest else None
        site, now = Counter(pk=SITE, per_day=self.per_day, share=share), self.clock()
        counters = [site] if session is None else [session, site]
        with self.counters.counted(counters, count=partial(self._count, now=now), now=now):
            yield

    def _count(self, counter: Counter, *, now: float) -> bool:
        try:
            used = self.counters.add(counter, now=now)
        except LimitReachedError as reached:
            if counter.pk == SITE and not reached.others_may:
                raise self._spent(stopped=reached.stopped, now=now) from None
            raise enough_for_today(now) from None
        except StoreUnavailable as failure:
            if not self.allowance.spend():
                raise
            self.on_failure(failure)
            return False
        if counter.pk == SITE:
            self.on_used(used / self.per_day)
        return True

    def _spent(self, *, stopped: bool, now: float) -> BudgetSpent:
        if stopped:
            return BudgetSpent(retry_after=STOPPED_SECONDS)
        self.on_used(1)
        return BudgetSpent(retry_after=seconds_to_midnight(now))
