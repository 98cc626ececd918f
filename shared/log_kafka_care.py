"""Care with a cluster that may be away: clients made at first use, and one attempt at a time while in doubt.

Without it, every thread of a service would wait out the same timeout.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

from shared.errors import Transient

BREATHER: Final = 1.0
"""Seconds without another attempt to connect after one has failed."""


def away() -> Transient:
    """The answer to whoever should not wait for a cluster that does not answer."""
    return Transient("Kafka does not answer", retry_after=2.0)


class Lazy:
    """A client made at first use; safe in threads. After a failure it takes a breather."""

    def __init__(self, make: Callable[[], Any], patience: float) -> None:
        self._make = make
        self._patience = patience
        self._lock = threading.Lock()
        self._client: Any = None
        self._failed = float("-inf")

    def get(self) -> Any:
        """The client. Raises ``Transient``, or what making it raises."""
        client = self._client
        if client is not None:
            return client
        if not self._lock.acquire(timeout=self._patience):
            raise away()
        try:
            if self._client is None:
                if time.monotonic() - self._failed < BREATHER:
                    raise away()
                try:
                    self._client = self._make()
                except Transient:
                    self._failed = time.monotonic()
                    raise
            return self._client
        finally:
            self._lock.release()

    def take(self, client: Any = None) -> Any:
        """Forget the client, if there is one and it still is this one, and give it; None otherwise."""
        with self._lock:
            if client is not None and client is not self._client:
                return None
            taken, self._client = self._client, None
            return taken


class Care:
    """A context for each attempt: after one fails with ``Transient``, others are refused while one tries."""

    def __init__(self) -> None:
        self._doubtful = False
        self._lock = threading.Lock()
        self._prober: int | None = None

    def __enter__(self) -> None:
        if not self._doubtful:
            return
        if not self._lock.acquire(blocking=False):
            raise away()
        self._prober = threading.get_ident()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._doubtful = isinstance(error, Transient)
        if self._prober == threading.get_ident():
            self._prober = None
            self._lock.release()
