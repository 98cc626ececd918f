"""How far accepted reports have come: the log's health, fusion's commits, and the dead letters.

Fusion writes a dead letter before it commits past the record. So whoever reads the commits first and the
dead letters second never takes a dead-lettered report for a fused one. A letter that was retried says where
its report stands since: what becomes of it there becomes of the receipt.
"""

import logging
import threading
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from shared.contracts.topics import (
    DEAD_LETTERS,
    FUSION_GROUP,
    H_AGAIN,
    H_ERROR,
    H_HANDLED,
    H_OFFSET,
    H_PARTITION,
    H_STEP,
    H_TOPIC,
    REPORTS,
    TOPICS,
)
from shared.errors import Misconfigured, Transient
from shared.log import Log, Position, Record

State = Literal["ACCEPTED", "FUSED", "DEAD_LETTERED"]
REMEMBERED: Final = 200_000
"""Dead letters whose places are kept in memory; older ones are looked up in the log."""
SEEN: Final = 4_096
"""Changes of fusion's commits that are remembered, per partition, with their times."""
PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an accepted report; ``error`` and ``step`` only for dead letters.

    ``processed_at`` is when this process saw it done; None where that was before it started.
    """

    state: State
    processed_at: datetime | None = None
    error: str = ""
    step: str = ""


class DeadLetters:
    """Where the dead letters of ``reports.v1`` stand, read once each; one thread at a time."""

    def __init__(self, log: Log, remembered: int = REMEMBERED) -> None:
        self._log = log
        self._remembered = remembered
        self._next: dict[int, int] = {}
        self._places: dict[tuple[int, int], tuple[int, int]] = {}
        self._forgot = False
        self._lock = threading.Lock()

    def catch_up(self) -> None:
        """Read what is new; raises ``Transient``."""
        with self._lock:
            for partition, end in self._log.ends(DEAD_LETTERS.name).items():
                for letter in self._pages(partition, self._next.get(partition, 0), end):
                    self._next[partition] = letter.position.offset + 1
                    source = _source(letter)
                    if source is not None:
                        self._places[source] = (partition, letter.position.offset)
                self._next[partition] = end
            while len(self._places) > self._remembered:
                del self._places[next(iter(self._places))]
                self._forgot = True

    def find(self, partition: int, offset: int) -> Record | None:
        """The dead letter of the record that stood there, if it became one; or, retried, its tombstone."""
        place = self._places.get((partition, offset))
        if place is not None:
            found = self._log.read(Position(DEAD_LETTERS.name, *place), 1)
            if found and _source(found[0]) == (partition, offset):
                return found[0]
        return self._search(partition, offset) if self._forgot else None

    def _search(self, partition: int, offset: int) -> Record | None:
        for of, end in self._log.ends(DEAD_LETTERS.name).items():
            about = [x for x in self._pages(of, 0, end) if _source(x) == (partition, offset)]
            if about:
                return about[-1]
        return None

    def _pages(self, partition: int, start: int, end: int) -> Iterator[Record]:
        while start < end:
            page = self._log.read(Position(DEAD_LETTERS.name, partition, start), PAGE)
            if not page:
                return
            yield from page
            start = page[-1].position.offset + 1


def _source(letter: Record) -> tuple[int, int] | None:
    """Partition and offset in ``reports.v1`` of what a letter, or its retrying, is about.

    None where it is of another topic, or was discarded: that leaves the letter as it is.
    """
    headers = letter.headers
    if headers.get(H_TOPIC) != REPORTS.name or (H_HANDLED in headers and H_AGAIN not in headers):
        return None
    try:
        return int(headers[H_PARTITION]), int(headers[H_OFFSET])
    except (KeyError, ValueError):
        return None


def _again(letter: Record) -> tuple[int, int] | None:
    """Where a retried letter's report stands now; None for one that was not retried."""
    partition, _, offset = letter.headers.get(H_AGAIN, "").partition("-")
    return (int(partition), int(offset)) if partition.isdigit() and offset.isdigit() else None


class Progress:
    """Watches the log once a second, and answers for readiness, backlog and receipts."""

    def __init__(self, log: Log, max_backlog: int = 0, clock: Callable[[], float] = time.time) -> None:
        """``max_backlog`` 0 = no limit; ``clock`` gives seconds since the epoch."""
        self._log = log
        self._max_backlog = max_backlog
        self._clock = clock
        self._letters = DeadLetters(log)
        self._seen: dict[int, deque[tuple[int, float]]] = {}
        self._lock = threading.Lock()
        self._away: str | None = "the log has not answered yet"
        self._backlog = 0
        self._ensured = False

    def refresh(self) -> None:
        """Ask the log (at first for its topics) for its health and what is new; ``ready`` has the result."""
        try:
            self._log.ping()
            if not self._ensured:
                self._log.ensure(TOPICS)
                self._ensured = True
            committed = self._commits()
            ends = self._log.ends(REPORTS.name)
            self._letters.catch_up()
        except (Transient, Misconfigured) as error:
            if self._away is None:
                logging.getLogger(__name__).warning("the log is away: %s", error)
            self._away = str(error)
            return
        self._backlog = sum(max(0, end - committed.get(p, 0)) for p, end in ends.items())
        if self._away is not None:
            logging.getLogger(__name__).info("the log answers")
        self._away = None

    def watch(self, stop: threading.Event, pause: float = 1.0) -> None:
        """Refresh until ``stop``; the body of a thread."""
        while not stop.is_set():
            self.refresh()
            stop.wait(pause)

    def lost(self, error: Transient) -> None:
        """A request found the log away: readiness need not wait for the next refresh."""
        self._away = str(error)

    def ready(self) -> None:
        """Raise ``Transient`` while the log does not answer."""
        if self._away is not None:
            raise Transient(f"the log is away: {self._away}", retry_after=2.0)

    def room(self) -> None:
        """Raise ``Transient`` while fusion is further behind than reports should be piled up."""
        if self._max_backlog and self._backlog > self._max_backlog:
            raise Transient(f"{self._backlog} reports wait for fusion; try later", retry_after=30.0)

    def outcome(self, partition: int, offset: int) -> Outcome:
        """What became of the report there; raises ``Transient``."""
        if self._commits().get(partition, 0) <= offset:
            return Outcome("ACCEPTED")
        self._letters.catch_up()
        letter = self._letters.find(partition, offset)
        if letter is None:
            return Outcome("FUSED", self._seen_at(partition, offset))
        if (place := _again(letter)) is not None:
            return self.outcome(*place)
        at = datetime.fromtimestamp(letter.timestamp_ms / 1000, UTC)
        return Outcome("DEAD_LETTERED", at, letter.headers.get(H_ERROR, ""), letter.headers.get(H_STEP, ""))

    def _commits(self) -> dict[int, int]:
        """Fusion's commits; every change is remembered with its time."""
        committed = self._log.committed(FUSION_GROUP, REPORTS.name)
        now = self._clock()
        with self._lock:
            for partition, upto in committed.items():
                seen = self._seen.setdefault(partition, deque(maxlen=SEEN))
                if not seen or upto > seen[-1][0]:
                    seen.append((upto, now))
        return committed

    def _seen_at(self, partition: int, offset: int) -> datetime | None:
        """When the commit that passed ``offset`` was first seen, unless it was there from the start."""
        with self._lock:
            seen = list(self._seen.get(partition, ()))
        at = bisect_right(seen, offset, key=lambda change: change[0])
        return None if at in (0, len(seen)) else datetime.fromtimestamp(seen[at][1], UTC)
