"""Limits on what agencies send: how much a second, and how deep JSON may nest."""

import re
import threading
import time
from collections.abc import Callable
from typing import Final

BURST_SECONDS: Final = 2.0
"""How many seconds' worth of reports an agency may send at once after a pause."""
_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_OTHERS: Final = bytes(set(range(256)) - set(b"{}[]"))
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)


class Rate:
    """A token bucket for each agency, in this process; threads share it."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        """``per_second`` 0 = no limit."""
        self._rate = float(per_second)
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at: dict[str, float] = {}

    def take(self, agency: str, reports: int = 1) -> float:
        """Take ``reports`` from the agency's bucket: 0, or the seconds to wait before trying again."""
        wait = self.wait(agency)
        if wait == 0:
            self.charge(agency, reports)
        return wait

    def wait(self, agency: str) -> float:
        """Seconds until the agency may send again; 0 = now."""
        if not self._rate:
            return 0.0
        return max(0.0, self._free_at.get(agency, 0.0) - self._clock() - BURST_SECONDS)

    def charge(self, agency: str, reports: int) -> None:
        """Count reports that were taken, even past the limit: what follows waits the longer."""
        if self._rate:
            with self._lock:
                start = max(self._clock(), self._free_at.get(agency, 0.0))
                self._free_at[agency] = start + reports / self._rate


def deeper_than(raw: bytes, levels: int) -> bool:
    """Whether JSON text nests deeper than ``levels``, whatever else may be wrong with it.

    Brackets outside of strings are all that counts; each round takes away the innermost pairs.
    """
    if raw.count(b"{") + raw.count(b"[") <= levels:
        return False
    outside = _STRING.sub(b"", raw) if b"\\" in raw else b"".join(raw.split(b'"')[::2])
    brackets = left = outside.translate(_SQUARE, _OTHERS)
    for _ in range(levels):
        left = left.replace(b"[]", b"")
        if not left:
            return False
    return _deepest(brackets, levels + 1) > levels


def _deepest(brackets: bytes, enough: int) -> int:
    """The deepest nesting of text whose brackets may not match, counted up to ``enough``."""
    depth = deepest = 0
    for bracket in brackets:
        depth += 1 if bracket == 0x5B else -1
        deepest = max(deepest, depth)
        if deepest >= enough:
            break
    return deepest
