"""A member of a consumer group of the SQLite log."""

import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared import log_sqlite_group_store as groups
from shared import log_sqlite_store as store
from shared.errors import Transient
from shared.log import Position, Record
from shared.log_sqlite_writer import Writer

_LOG = logging.getLogger(__name__)

BUDGET: Final = 32 << 20
"""Bytes of values, about, that one poll brings at most."""
NAP: Final = (0.001, 0.020)
"""Shortest and longest pause, in seconds, between two looks whether another process has written."""
SILENCE: Final = 300.0
"""Seconds without a call after which a consumer counts as stuck, and its life is no longer renewed."""


@dataclass(slots=True)
class _Owned:
    """A slot this member reads: under which epoch, from where, up to where it was polled."""

    lease: groups.Lease
    next: int
    pending: bool = False


class SqliteConsumer:
    """See ``Consumer``; its life is renewed by the writer's thread, so long work does not end it."""

    def __init__(self, path: Path, writer: Writer, member: groups.Member) -> None:
        self.member = member
        self._path = path
        self._writer = writer
        self._reader = store.connect(path)
        self._owned: dict[int, _Owned] = {}
        self._turn = 0
        self._version = -1
        self._called = time.monotonic()
        self.closed = False
        try:
            writer.execute(lambda c: groups.beat(c, member, _now_ms()))
        except BaseException:
            self._reader.close()
            raise

    @property
    def stuck(self) -> bool:
        """Whether its thread has not called for so long that others should take over."""
        return time.monotonic() - self._called > SILENCE

    def poll(self, limit: int, timeout: float) -> list[Record]:
        """See ``Consumer.poll``."""
        self._called = time.monotonic()
        deadline = self._called + timeout
        nap = NAP[0]
        while True:
            commits = self._writer.commits
            with store.speaking(self._path):
                if self._changed():
                    records = self._fetch(limit)
                    if records:
                        return records
                    nap = NAP[0]
            self._give_way()
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            self._writer.wait(commits, min(nap, left))
            nap = min(nap * 1.5, NAP[1])

    def commit(self, positions: Sequence[Position] | None = None) -> None:
        """See ``Consumer.commit``."""
        self._called = time.monotonic()
        if positions is None:
            upto = {slot: owned.next for slot, owned in self._owned.items() if owned.pending}
        else:
            upto = self._upto(positions)
        if not upto:
            return
        done = [(slot, self._owned[slot].lease.epoch, following) for slot, following in upto.items()]
        finished = [slot for slot, following in upto.items() if following >= self._owned[slot].next]

        def job(connection: sqlite3.Connection) -> None:
            groups.commit(connection, self.member, done, _now_ms())
            groups.hand_over(connection, self.member, finished)

        self._writer.execute(job)
        for slot in finished:
            self._owned[slot].pending = False

    def rewind(self) -> None:
        """See ``Consumer.rewind``."""
        self._called = time.monotonic()
        self._owned.clear()
        self._version = -1

    def lag(self) -> int:
        """See ``Consumer.lag``."""
        with store.speaking(self._path):
            leases = groups.leases_of(self._reader, self.member)
            ends = {topic: store.ends(self._reader, topic) for topic in {lease.topic for lease in leases}}
        return sum(ends[lease.topic][lease.partition] - lease.committed for lease in leases)

    def close(self) -> None:
        """See ``Consumer.close``."""
        if self.closed:
            return
        self.closed = True
        self._reader.close()
        try:
            self._writer.execute(lambda c: groups.leave(c, self.member, _now_ms()))
        except Transient as error:
            _LOG.info(
                "left group %s without a word, others take over when its life ends: %s",
                self.member.group,
                error,
            )

    def _upto(self, positions: Sequence[Position]) -> dict[int, int]:
        """Per slot, the offset after the last of these positions. Raises ``Transient`` for one not owned."""
        slots = {(o.lease.topic, o.lease.partition): slot for slot, o in self._owned.items()}
        upto: dict[int, int] = {}
        for position in positions:
            slot = slots.get((position.topic, position.partition))
            if slot is None:
                raise Transient(f"{position} is not this member's (any more)", retry_after=0.0)
            upto[slot] = max(upto.get(slot, 0), position.offset + 1)
        return upto

    def _changed(self) -> bool:
        """Whether the file may hold something new since the last fetch found nothing."""
        version: int = self._reader.execute("PRAGMA data_version").fetchone()[0]
        changed, self._version = version != self._version, version
        return changed

    def _fetch(self, limit: int) -> list[Record]:
        """What is there to read, of one moment, beginning with another slot each time."""
        records: list[Record] = []
        self._reader.execute("BEGIN")
        try:
            readable = self._refresh()
            self._turn += 1
            for i in range(len(readable)):
                owned = readable[(self._turn + i) % len(readable)]
                lease = owned.lease
                start = Position(lease.topic, lease.partition, owned.next)
                budget = BUDGET - sum(len(r.value or b"") for r in records)
                if len(records) >= limit or budget <= 0:
                    break
                found = list(store.select(self._reader, lease.slot, start, limit - len(records), budget))
                if found:
                    owned.next = found[-1].position.offset + 1
                    owned.pending = True
                    records += found
        finally:
            self._reader.execute("COMMIT")
        if records:
            self._version = -1
        return records

    def _refresh(self) -> list[_Owned]:
        """Learn which slots this member owns now; gives those it may read.

        One that was lost with records pending is kept, so that their commit is refused, until ``rewind``.
        """
        leases = {lease.slot: lease for lease in groups.leases_of(self._reader, self.member)}
        readable = []
        for slot in list(self._owned):
            owned = self._owned[slot]
            lease = leases.pop(slot, None)
            if lease is not None and lease.epoch == owned.lease.epoch:
                owned.lease = lease
                if not lease.leaving:
                    readable.append(owned)
            elif not owned.pending:
                del self._owned[slot]
                if lease is not None:
                    leases[slot] = lease
        for slot, lease in sorted(leases.items()):
            self._owned[slot] = _Owned(lease, lease.committed)
            if not lease.leaving:
                readable.append(self._owned[slot])
        return readable

    def _give_way(self) -> None:
        """Hand over the slots that are promised to another and have nothing pending."""
        leaving = [slot for slot, owned in self._owned.items() if owned.lease.leaving and not owned.pending]
        if leaving:
            self._writer.execute(lambda c: groups.hand_over(c, self.member, leaving))
            for slot in leaving:
                del self._owned[slot]
            self._version = -1


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
