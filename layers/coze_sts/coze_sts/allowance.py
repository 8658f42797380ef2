"""What one process may spend on its own: a burst, then a little at a time."""

from __future__ import annotations

from collections.abc import Callable


class Allowance:
    """A token bucket: `burst` at once, then one every `seconds`."""

    def __init__(self, *, clock: Callable[[], float], burst: int = 3, seconds: float = 5) -> None:
        self._clock = clock
        self._burst = burst
        self._seconds = seconds
        self._left = float(burst)
        self._counted_at = clock()

    def spend(self) -> bool:
        """Takes one if there is one."""
        now = self._clock()
        earned = max(now - self._counted_at, 0) / self._seconds
        self._left = min(self._left + earned, self._burst)
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
