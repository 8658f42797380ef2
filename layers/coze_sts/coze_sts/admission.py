"""Who may become a new guest: so many a day of an address and of an origin, humans only."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

from coze_sts.auth.session import day_key
from coze_sts.cache.counters import Counter, Counters, LimitReachedError
from coze_sts.cache.row import day_of, seconds_to_midnight
from coze_sts.errors import SlowDown, StoreUnavailable
from coze_sts.http_event import Request
from coze_sts.keyring import Keyring
from coze_sts.settings import Settings
from coze_sts.telemetry import Telemetry

IPV6_HOUSEHOLD_BITS = 64
"""Whoever has one address of IPv6 has all that share its first half."""


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Counts new guests by the day (UTC). Addresses are kept as a digest under that day's key."""

    counters: Counters
    keyring: Callable[[], Keyring]
    telemetry: Telemetry
    clock: Callable[[], float]

    @contextmanager
    def new_guest(self, request: Request, *, settings: Settings) -> Iterator[None]:
        """Counts a guest who is about to get a first token, and takes it back where none comes.

        Raises SlowDown where there were enough today. A table that fails stops nobody here: the
        exchange has its own limit for that.
        """
        now = self.clock()
        counters = self._counters(request, settings=settings, now=now)
        with self.counters.counted(counters, count=partial(self._count, now=now), now=now):
            yield

    def _counters(self, request: Request, *, settings: Settings, now: float) -> list[Counter]:
        key = self.keyring().day_key(day_of(now))
        address = day_key("address", network(request.source_ip), key=key)
        origin = day_key("origin", request.origin or "", key=key)
        return [
            Counter(pk=address, per_day=settings.new_guests_per_address),
            Counter(pk=origin, per_day=settings.new_guests_per_origin),
        ]

    def _count(self, counter: Counter, *, now: float) -> bool:
        try:
            self.counters.add(counter, now=now)
        except LimitReachedError:
            self._refuse(now)
        except StoreUnavailable as failure:
            self.telemetry.table_failed(failure)
            return False
        return True

    def _refuse(self, now: float) -> NoReturn:
        self.telemetry.count("GuestRefused")
        raise SlowDown(
            "Too many new visitors from here today. Send the guest_ticket that you have, sign "
            "in, or come back tomorrow.",
            operator="NEW_GUESTS_PER_ADDRESS or NEW_GUESTS_PER_ORIGIN is reached.",
            retry_after=seconds_to_midnight(now),
        )


def network(source_ip: str) -> str:
    """What counts as one address; whatever is none counts as one, too."""
    try:
        address = ipaddress.ip_address(source_ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        prefix = f"{address}/{IPV6_HOUSEHOLD_BITS}"
        return str(mapped or ipaddress.ip_network(prefix, strict=False))
    return str(address)
