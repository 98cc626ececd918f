"""How large things have grown, as metrics: counted now and then, so that counting is never the load."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import Gauge
from sqlalchemy import Connection

from shared.database import Database
from shared.errors import Transient

COUNTED_AT: Final = Gauge("interlock_counted_timestamp_seconds", "When this process last counted its sizes")
SHORTEST: Final = 1.0
"""Seconds between two counts, at least."""
SHARE: Final = 50
"""A count that took a second is followed by so many seconds of rest."""

Count = Callable[[Connection], Mapping[Gauge, float]]


class Sizes:
    """Keeps gauges current; one thread uses it."""

    def __init__(self, db: Database, count: Count, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._count = count
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Count until ``stop``; the body of a thread."""
        while not stop.is_set():
            stop.wait(self.refresh())

    def refresh(self) -> float:
        """Count once; the seconds to rest before the next time."""
        started, at = self._clock(), time.time()
        try:
            with self._db.snapshot() as conn:
                found = self._count(conn)
        except Transient as error:
            logging.getLogger(__name__).debug("nothing counted: %s", error)
        else:
            for gauge, value in found.items():
                gauge.set(value)
            COUNTED_AT.set(at)
        return max(SHORTEST, SHARE * (self._clock() - started))
