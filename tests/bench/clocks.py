"""Two clocks: of the wall, and of the processor time that another process used."""

from __future__ import annotations

import time

_SCHEDULER_CLOCK_OF_A_PROCESS = 2


def wall() -> float:
    """Seconds, for differences."""
    return time.perf_counter()


def processor(pid: int) -> float:
    """Seconds that all threads of a process used, those that ended among them. Linux only.

    The clock's id is what clock_getcpuclockid(3) makes of a process id; Python has no such call.
    """
    return time.clock_gettime(~pid << 3 | _SCHEDULER_CLOCK_OF_A_PROCESS)
