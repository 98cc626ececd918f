"""The fusion service's handler: a ``Fuser`` fed by the worker's loop, with its heartbeat and figures."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from services.fusion.figures import ADOPTED, COMPARED, STEP_SECONDS
from services.fusion.fuse import Fuser
from services.fusion.recover import LEASE, beat, recover
from services.fusion.resolver import Resolver
from shared.contracts.topics import REPORTS
from shared.database import Database
from shared.log import Log, Record
from shared.telemetry import FUSE_SECONDS, FUSED, traceparent
from shared.worker import DeadLetter

BEAT: Final = LEASE / 6
"""Seconds between two signs of life, and between two looks at the others'."""
LONGEST_WAIT: Final = 0.2
"""Seconds before another attempt at a lock, at most."""


def wait(attempt: int) -> None:
    """Wait a random moment, longer after each attempt."""
    time.sleep(random.uniform(0.0, min(LONGEST_WAIT, 0.002 * 2 ** min(attempt, 10))))  # noqa: S311 - spreads the workers


class FusionHandler:
    """Implements ``shared.worker.Handler``; ``clock`` gives seconds since 1970."""

    def __init__(
        self,
        db: Database,
        log: Log,
        resolver: Resolver,
        owner: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._log = log
        self._clock = clock
        self._due = 0.0
        self._compared = 0
        self._spent: dict[str, float] = {}
        self.fuser = Fuser(db, resolver, owner, wait)

    def handle(self, records: Sequence[Record]) -> Sequence[DeadLetter]:
        """Fuse a batch; gives back what can never be fused."""
        token = traceparent.set(records[0].headers.get("traceparent", "") if records else "")
        try:
            self._tend()
            refused = self.fuser.handle(records)
        finally:
            traceparent.reset(token)
        self._count(records, len(refused))
        return [DeadLetter(record, str(poison), poison.step) for record, poison in refused]

    def relay(self) -> None:
        """Send what was published."""
        self._tend()
        self.fuser.relay(self._log)

    def _tend(self) -> None:
        """Now and then: say that this worker lives, and finish what those have left who do not."""
        now = self._clock()
        if now >= self._due:
            beat(self.fuser.db, self.fuser.owner, now)
            ADOPTED.inc(len(recover(self.fuser, now)))
            self._due = now + BEAT

    def _count(self, records: Sequence[Record], refused: int) -> None:
        reports = [r for r in records if r.position.topic == REPORTS.name]
        FUSED.inc(max(0, len(reports) - refused))
        now_ms = self._clock() * 1000
        for record in reports:
            FUSE_SECONDS.observe(max(0.0, now_ms - record.timestamp_ms) / 1000)
        for step, seconds in self.fuser.spent.items():
            STEP_SECONDS.labels(step).observe(seconds - self._spent.get(step, 0.0))
        self._spent = dict(self.fuser.spent)
        compared = self.fuser.cache.compared
        COMPARED.inc(compared - self._compared)
        self._compared = compared
