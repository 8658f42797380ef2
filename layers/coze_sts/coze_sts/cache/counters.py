"""What is limited by the day: counters in the table, each changed by one conditional update.

The day (UTC) is in the name of the attribute that counts, so that a new day begins at nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coze_sts.cache.dynamodb import ConditionError, Items
from coze_sts.cache.row import DAY_SECONDS, day_of
from coze_sts.errors import StoreUnavailable, StsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SITE = "n1#site"
"""The item of the whole site. While it has an attribute `stopped`, nothing is counted."""

KEEP_SECONDS = 2 * DAY_SECONDS


class LimitReachedError(Exception):
    """Nothing was counted; `stopped` says that the operator wants it so.

    `others_may` says that only the guests' share is used up.
    """

    def __init__(self, *, stopped: bool, others_may: bool = False) -> None:
        super().__init__("limit reached")
        self.stopped = stopped
        self.others_may = others_may


@dataclass(frozen=True, kw_only=True)
class Counter:
    """So many a day of whatever `pk` stands for; the site's own item stays for good.

    `share` is how many of them may be for guests, where this one is; None for anybody else.
    """

    pk: str
    per_day: int
    share: int | None = None


class Counters:
    """Counts in the table; raises StoreUnavailable where it does not answer."""

    def __init__(self, *, client: DynamoDBClient, table: str) -> None:
        self._items = Items(client=client, table=table)

    def add(self, counter: Counter, *, now: float) -> int:
        """The day's number with one more on the day of `now` (UNIX seconds).

        Raises LimitReachedError.
        """
        today, yesterday = day_of(now), day_of(now - DAY_SECONDS)
        keep = "" if counter.pk == SITE else "SET purge_at = :purge_at "
        purge_at = {":purge_at": {"N": str(int(now) + KEEP_SECONDS)}}
        share = {} if counter.share is None else {":share": {"N": str(counter.share)}}
        of_guests = f" AND (attribute_not_exists(g{today}) OR g{today} < :share)" if share else ""
        try:
            counted = self._items.update(
                counter.pk,
                update=f"{keep}REMOVE {yesterday}, g{yesterday} "
                f"ADD {today} :one{f', g{today} :one' if share else ''}",
                condition=f"attribute_not_exists(stopped) AND "
                f"(attribute_not_exists({today}) OR {today} < :per_day){of_guests}",
                values={
                    ":one": {"N": "1"},
                    ":per_day": {"N": str(counter.per_day)},
                    **(purge_at if keep else {}),
                    **share,
                },
            )
        except ConditionError as failed:
            item = failed.item or {}
            used = int(item.get(today, {}).get("N", 0))
            stopped = "stopped" in item
            others_may = bool(share) and not stopped and used < counter.per_day
            raise LimitReachedError(stopped=stopped, others_may=others_may) from None
        return int(counted[today]["N"])

    def give_back(self, counter: Counter, *, now: float) -> None:
        """Takes back one that was counted on the day of `now`."""
        today = day_of(now)
        try:
            self._items.update(
                counter.pk,
                update=f"ADD {today} :less{'' if counter.share is None else f', g{today} :less'}",
                condition=f"{today} > :none",
                values={":less": {"N": "-1"}, ":none": {"N": "0"}},
            )
        except ConditionError:
            return

    @contextmanager
    def counted(
        self, counters: Iterable[Counter], *, count: Callable[[Counter], bool], now: float
    ) -> Iterator[None]:
        """Counts each by `count`, which says whether it did, and takes all back where that fails.

        A table that fails then loses a few of the day's numbers, and hides no other error.
        """
        done: list[Counter] = []
        try:
            for counter in counters:
                if count(counter):
                    done.append(counter)
            yield
        except StsError:
            for counter in done:
                with suppress(StoreUnavailable):
                    self.give_back(counter, now=now)
            raise
