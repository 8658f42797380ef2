"""Limits the processor time of a process as Lambda does: so much of each 20 ms, then it waits.

Signals do it, so that no privilege is needed. What a process used too much before the signal came
is taken from its next periods, so that the rate is exact over time.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.bench import clocks

PERIOD_SECONDS = 0.02
FULL_PROCESSOR_MB = 1769
"""With so much memory a function has one vCPU (Lambda's documentation)."""

SHORTEST_LOOK_SECONDS = 0.0002


def quota_seconds(memory_mb: int) -> float:
    """Processor time in each period."""
    return PERIOD_SECONDS * min(memory_mb / FULL_PROCESSOR_MB, 1)


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a process may still use, in seconds; less than nothing is a debt."""

    left: float

    def used(self, seconds: float) -> Account:
        """After so much processor time."""
        return Account(left=self.left - seconds)

    def next_period(self, quota: float) -> Account:
        """What was not used is lost; what was used too much is not forgiven."""
        return Account(left=min(self.left + quota, quota))

    @property
    def must_wait(self) -> bool:
        return self.left <= 0


class Throttle:
    """Holds a process to the share of `memory_mb` from now on, in the ``with`` block."""

    def __init__(self, pid: int, *, memory_mb: int) -> None:
        self._pid = pid
        self._quota = quota_seconds(memory_mb)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._hold, daemon=True)

    def __enter__(self) -> Self:
        if self._quota < PERIOD_SECONDS:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _hold(self) -> None:
        account, seen = Account(left=self._quota), 0.0
        period_ends = clocks.wall() + PERIOD_SECONDS
        stopped = False
        try:
            while not self._over.is_set():
                used = clocks.processor(self._pid)
                account, seen = account.used(used - seen), used
                now = clocks.wall()
                while now >= period_ends:
                    account = account.next_period(self._quota)
                    period_ends += PERIOD_SECONDS
                if account.must_wait != stopped:
                    stopped = account.must_wait
                    os.kill(self._pid, signal.SIGSTOP if stopped else signal.SIGCONT)
                to_period = period_ends - now
                pause = to_period if stopped else min(account.left, to_period)
                time.sleep(max(pause, SHORTEST_LOOK_SECONDS))
            os.kill(self._pid, signal.SIGCONT)
        except OSError:
            return  # the process has ended
