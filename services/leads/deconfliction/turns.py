"""A lock that is handed on in the order in which it was asked for.

Python's own goes to whoever is running when it is free: a thread that takes it again and again keeps it from
all others, here submissions under load from the matcher that must tell both sides.
"""

import threading
from collections import deque
from types import TracebackType


class Turns:
    """Whoever comes first is served first; use it in a ``with`` statement."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
