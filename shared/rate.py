"""How much a second each agency may send."""

import threading
import time
from collections.abc import Callable
from typing import Final

BURST_SECONDS: Final = 2.0
"""How many seconds' worth an agency may send at once after a pause."""


class Rate:
    """A token bucket for each agency, in this process; threads share it."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        """``per_second`` 0 = no limit."""
        self._rate = float(per_second)
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at: dict[str, float] = {}

    def take(self, agency: str, things: int = 1) -> float:
        """Take ``things`` from the agency's bucket: 0, or the seconds to wait before trying again."""
        wait = self.wait(agency)
        if wait == 0:
            self.charge(agency, things)
        return wait

    def wait(self, agency: str) -> float:
        """Seconds until the agency may send again; 0 = now."""
        if not self._rate:
            return 0.0
        return max(0.0, self._free_at.get(agency, 0.0) - self._clock() - BURST_SECONDS)

    def charge(self, agency: str, things: int) -> None:
        """Count things that were taken, even past the limit: what follows waits the longer."""
        if self._rate:
            with self._lock:
                start = max(self._clock(), self._free_at.get(agency, 0.0))
                self._free_at[agency] = start + things / self._rate
