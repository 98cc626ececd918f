"""The loop of every service that reads the log. Its order is the promise that nothing accepted is lost:

1. poll a batch, what is there, without waiting for more;
2. handle it, durably;
3. append what can never be processed to the dead letters, with its original bytes;
4. relay what handling has to publish;
5. commit the offsets, last.

A crash anywhere repeats from 1, so handling must be idempotent. ``Transient`` backs off and repeats.
``Poison`` for a whole batch is narrowed down by halves to the record it comes from. Anything else is a
defect: the worker stops and raises it.
"""

import logging
import queue
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from shared.contracts import topics
from shared.errors import Poison, Transient
from shared.log import Consumer, Log, NewRecord, Record
from shared.telemetry import BATCH, DEAD_LETTERS, LAG, RETRIES

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

LONGEST_REASON: Final = 2_000
"""Characters of an error that a dead letter carries at most."""
LONGEST_PAUSE: Final = 30.0
"""Seconds between two attempts, at most."""
SHORTEST_PAUSE: Final = 0.02
"""Seconds between two attempts, at least."""
LAG_EVERY: Final = 5.0
"""Seconds between two looks at the lag."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that can never be processed, why, and in which step that was found."""

    record: Record
    error: str
    step: str


class Handler(Protocol):
    """What a service does with records."""

    def handle(self, records: Sequence[Record]) -> Sequence[DeadLetter]:
        """Process all of the batch durably, but for those it gives back.

        May raise ``Poison`` having processed nothing: the batch comes again in halves. May raise
        ``Transient``: it comes again later. The same record may come twice.
        """
        ...

    def relay(self) -> None:
        """Publish what handling left to be published. Called after each batch, and when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at once: batches grow to ``most`` records while they take less than ``seconds``."""

    least: int = 32
    most: int = 4_096
    seconds: float = 1.0
    poll: float = 0.5

    def next(self, limit: int, count: int, took: float) -> int:
        """The limit after a batch of ``count`` records under ``limit`` that took so many seconds."""
        if took > 2 * self.seconds:
            return max(self.least, limit // 2)
        if count == limit and took < self.seconds:
            return min(self.most, limit * 2)
        return limit


class Worker:
    """A member of ``group`` that hands what it polls to ``handler``: ``run`` in one thread."""

    def __init__(
        self, log: Log, group: str, topics: Sequence[str], handler: Handler, *, pace: Pace | None = None
    ) -> None:
        self._log = log
        self._group = group
        self._topics = tuple(topics)
        self._handler = handler
        self._pace = pace or Pace()
        self._limit = min(self._pace.most, max(self._pace.least, 256))
        self._stopped = False
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._lag_due = 0.0
        self._failures = 0
        self.turned_at = time.monotonic()

    def run(self) -> None:
        """Work until ``stop``, finishing the batch at hand. Raises whatever is a defect."""
        consumer: Consumer | None = None
        while not self._stopped and consumer is None:
            consumer = self._attempt(lambda: self._log.consumer(self._group, self._topics))
        if consumer is None:
            return
        try:
            while not self._stopped:
                self._turn(consumer)
        finally:
            consumer.close()

    def stop(self) -> None:
        """Ask ``run`` to return soon; safe in signal handlers and threads."""
        self._stopped = True
        self._wake.put(None)

    def _turn(self, consumer: Consumer) -> None:
        """One batch, from poll to commit; after ``Transient``, a pause and back to what is committed."""
        if self._attempt(lambda: self._batch(consumer)) is None:
            failures = self._failures
            while not self._stopped and self._attempt(lambda: self._rewind(consumer)) is None:
                failures = self._failures
            self._failures = failures
        self.turned_at = time.monotonic()
        self._look_at_lag(consumer)

    def _batch(self, consumer: Consumer) -> bool:
        records = consumer.poll(self._limit, self._pace.poll)
        if not records:
            self._handler.relay()
            return True
        started = time.monotonic()
        dead = self._handle(records)
        if dead:
            self._bury(dead)
        self._handler.relay()
        consumer.commit()
        BATCH.labels(self._group).observe(len(records))
        self._limit = self._pace.next(self._limit, len(records), time.monotonic() - started)
        return True

    @staticmethod
    def _rewind(consumer: Consumer) -> bool:
        consumer.rewind()
        return True

    def _handle(self, records: Sequence[Record]) -> list[DeadLetter]:
        """Handle a batch, in halves where there is poison in it."""
        try:
            return list(self._handler.handle(records))
        except Poison as poison:
            if len(records) == 1:
                return [DeadLetter(records[0], str(poison), poison.step)]
        middle = len(records) // 2
        return self._handle(records[:middle]) + self._handle(records[middle:])

    def _bury(self, dead: Sequence[DeadLetter]) -> None:
        """Append to the dead letters, with the original bytes and where they stood."""
        self._log.append(topics.DEAD_LETTERS.name, [_letter(each) for each in dead])
        for each in dead:
            DEAD_LETTERS.labels(each.step).inc()
            _LOG.warning(
                "dead letter: %s",
                each.error[:200],
                extra={"step": each.step, "position": str(each.record.position)},
            )

    def _attempt(self, action: Callable[[], T]) -> T | None:
        """What ``action`` gives; None after a ``Transient``, once the pause it calls for is over."""
        try:
            result = action()
        except Transient as error:
            RETRIES.labels(self._group).inc()
            pause = min(LONGEST_PAUSE, max(error.retry_after, SHORTEST_PAUSE) * 2 ** min(self._failures, 10))
            self._failures += 1
            _LOG.warning("trying again in %.2f s: %s", pause, error, extra={"group": self._group})
            self._rest(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads the workers, decides nothing
            return None
        self._failures = 0
        return result

    def _rest(self, seconds: float) -> None:
        """Wait so long, or until ``stop``."""
        with suppress(queue.Empty):
            self._wake.get(timeout=seconds)

    def _look_at_lag(self, consumer: Consumer) -> None:
        now = time.monotonic()
        if now < self._lag_due:
            return
        self._lag_due = now + LAG_EVERY
        try:
            LAG.labels(self._group).set(consumer.lag())
        except Transient as error:
            _LOG.info("the lag is unknown: %s", error)


def _letter(dead: DeadLetter) -> NewRecord:
    """The dead letter as it goes to the log; a header of the original by one of these names gives way."""
    position = dead.record.position
    headers: Mapping[str, str] = {
        **dead.record.headers,
        topics.H_TOPIC: position.topic,
        topics.H_PARTITION: str(position.partition),
        topics.H_OFFSET: str(position.offset),
        topics.H_ERROR: dead.error[:LONGEST_REASON],
        topics.H_STEP: dead.step,
    }
    return NewRecord(dead.record.key, dead.record.value, headers)
