"""The registry: takes a submission, answers it, and has its matches worked out.

One transaction does it: locks on the tokens, the submission with its tokens and a request for its check,
the look-up of who else holds them, commit. So of two submissions of one target at the same instant, on any
two replicas, at least one is answered HIT; and whatever crashes afterwards, the check is done. Submissions
that wait at the same time share a transaction, for a sync costs more than a submission.

A match with a silent (RED) target costs the same work as none. Answers leave at the next multiple of a
fixed quantum, so their time tells nothing either.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from services.leads.deconfliction import registry_store as store
from services.leads.deconfliction.entering import Entry, enter
from services.leads.deconfliction.keyring import KeyFile, KeyRing
from services.leads.deconfliction.submissions import Answer, Submission
from services.leads.deconfliction.turns import Turns
from shared.database import Database

Clock = Callable[[], datetime]
GROUP: Final = 50
"""So many submissions that wait at the same time share a transaction."""


class TooMany(Exception):
    """Somebody asks for more than one person needs."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A submission that waits for its answer, since ``started`` (of the monotonic clock)."""

    entry: Entry
    done: "Future[Answer]" = field(default_factory=Future)
    started: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Registry:
    """What submissions need: where they are kept, the keys, the time; ``quantum`` of answers in seconds."""

    db: Database
    keys: KeyFile
    clock: Clock
    quantum: float = 0.02
    daily: int = 500
    turn: Turns = field(default_factory=Turns, repr=False)
    queue: deque[_Waiting] = field(default_factory=deque, repr=False)

    @contextmanager
    def transaction(self) -> Iterator[tuple[Connection, KeyRing]]:
        """One read-write transaction, with the keys as they are as long as it lasts.

        On SQLite this process's writers wait for one another here: there they take turns at once, while the
        database lets them try again after pauses that grow.
        """
        with self.turn if self.db.is_sqlite else nullcontext(), self._writing() as both:
            yield both

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, KeyRing]]:
        with self.db.transaction() as conn:
            store.lock_keys(conn, alone=False)
            yield conn, self.keys.ring()

    @contextmanager
    def changing_keys(self) -> Iterator[Connection]:
        """A transaction while which no other, of any process, works under any key."""
        with self.turn if self.db.is_sqlite else nullcontext(), self.db.transaction() as conn:
            store.lock_keys(conn, alone=True)
            yield conn

    def submit(self, agency: str, submitted: Submission, person: str = "") -> Answer:
        """Enter one submission and answer it; the same reference again updates it under its number.

        Raises ``TooMany`` where ``person`` has asked for more identifiers today than ``daily``: nobody
        shall find out who is registered by asking for everybody.
        """
        mine = self.put(Entry(agency, submitted, person))
        self.work_off()
        answer = mine.done.result()
        time.sleep(self.pause(mine.started))
        return answer

    def put(self, entry: Entry) -> _Waiting:
        """Put a submission into the queue; whoever does so sees to it that ``work_off`` runs."""
        waiting = _Waiting(entry)
        self.queue.append(waiting)
        return waiting

    def pause(self, started: float) -> float:
        """Seconds until the next multiple of the quantum after ``started``."""
        return self.quantum - (time.monotonic() - started) % self.quantum

    def work_off(self) -> None:
        """Enter whatever waits, one group a transaction; a process's threads take turns."""
        while self.queue:
            with self.turn:
                if group := self._group():
                    self._enter(group)

    def _group(self) -> list[_Waiting]:
        """What one transaction takes from the queue: no reference twice, nobody who has gone away."""
        group: list[_Waiting] = []
        seen: set[tuple[str, str]] = set()
        while self.queue and len(group) < GROUP:
            waiting = self.queue[0]
            name = (waiting.entry.agency, waiting.entry.submitted.reference)
            if name in seen:
                break
            self.queue.popleft()
            if waiting.done.set_running_or_notify_cancel():
                seen.add(name)
                group.append(waiting)
        return group

    def _enter(self, group: Sequence[_Waiting]) -> None:
        try:
            with self._writing() as (conn, ring):
                answers = enter(conn, ring, [w.entry for w in group], self.clock(), self.daily)
        except BaseException as error:
            for waiting in group:
                waiting.done.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for waiting, answer in zip(group, answers, strict=True):
            if answer is None:
                waiting.done.set_exception(TooMany(_TOO_MANY.format(self.daily)))
            else:
                waiting.done.set_result(answer)

    def submit_many(self, agency: str, submitted: Sequence[Submission]) -> list[Answer]:
        """Enter an agency's caseload; a reference that comes twice counts as it came last."""
        answers: list[Answer] = []
        rest = deque(submitted)
        while rest:
            group: dict[str, Submission] = {}
            while rest and rest[0].reference not in group:
                one = rest.popleft()
                group[one.reference] = one
            with self.transaction() as (conn, ring):
                entries = [Entry(agency, s) for s in group.values()]
                answers += [a for a in enter(conn, ring, entries, self.clock(), self.daily) if a is not None]
        return answers

    def close_to_limit(self, agency: str) -> list[tuple[str, int]]:
        """The agency's users who asked for more than half of a day's identifiers today, most first."""
        with self.db.snapshot() as conn:
            ring = self.keys.ring()
            rows = store.spent(conn, self.clock().toordinal(), agency, self.daily // 2)
        return [(ring.open(agency, sealed).decode(), n) for sealed, n in rows]


_TOO_MANY: Final = (
    "You may ask for {} identifiers a day, one by one; your supervisor may submit a whole caseload in bulk."
)
