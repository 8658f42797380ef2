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

    `on_failure` hears of a table that could not count what goes on all the same.
    """

    counters: Counters
    per_day: int
    guests_per_day: int | None = None
    allowance: Allowance
    clock: Callable[[], float]
    on_failure: Callable[[StsError], None] = lambda _failure: None

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
            self.counters.add(counter, now=now)
        except LimitReachedError as reached:
            if counter.pk == SITE and not reached.others_may:
                wait = STOPPED_SECONDS if reached.stopped else seconds_to_midnight(now)
                raise BudgetSpent(retry_after=wait) from None
            raise enough_for_today(now) from None
        except StoreUnavailable as failure:
            if not self.allowance.spend():
                raise
            self.on_failure(failure)
            return False
        return True
