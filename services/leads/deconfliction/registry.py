"""The registry: takes a submission, answers it, and has its matches worked out.

One transaction does it: locks on the tokens, the submission with its tokens and a request for its check,
the look-up of who else holds them, commit. So of two submissions of one target at the same instant, on any
two replicas, at least one is answered HIT; and whatever crashes afterwards, the check is done.

A match with a silent (RED) target costs the same work as none: it is read and left out of the answer.
Answers leave at the next multiple of a fixed quantum, so their time tells nothing either.
"""

import hashlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from services.leads.deconfliction import meet
from services.leads.deconfliction import registry_store as store
from services.leads.deconfliction.keyring import Key, KeyFile, KeyRing
from services.leads.deconfliction.match import MatchClass
from services.leads.deconfliction.registry_store import Stored
from services.leads.deconfliction.submissions import (
    Answer,
    EventSubmission,
    LeadSubmission,
    OtherSide,
    Submission,
    TargetSubmission,
)
from shared.database import Database

Clock = Callable[[], datetime]
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


GROUP: Final = 50
"""So many submissions that wait for the same writer share a transaction, on SQLite."""


@dataclass(slots=True)
class _Asked:
    """A submission that waits for its answer."""

    agency: str
    submitted: Submission
    person: str
    answer: Answer | None = None
    error: BaseException | None = None


class TooMany(Exception):
    """Somebody asks for more than one person needs."""


@dataclass(frozen=True, slots=True)
class Registry:
    """What submissions need: where they are kept, the keys, the time; ``quantum`` of answers in seconds."""

    db: Database
    keys: KeyFile
    clock: Clock
    quantum: float = 0.02
    daily: int = 500
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False)
    queue: deque[_Asked] = field(default_factory=deque, repr=False)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One read-write transaction.

        On SQLite this process's writers wait for one another here: there they take turns at once, while the
        database lets them try again after pauses that grow.
        """
        with self.turn if self.db.is_sqlite else nullcontext(), self.db.transaction() as conn:
            yield conn

    def submit(self, agency: str, submitted: Submission, person: str = "") -> Answer:
        """Enter one submission and answer it; the same reference again updates it under its number.

        Raises ``TooMany`` where ``person`` has asked for more identifiers today than ``daily``: nobody
        shall find out who is registered by asking for everybody.
        """
        started = time.monotonic()
        mine = _Asked(agency, submitted, person)
        if self.db.is_sqlite:
            self.queue.append(mine)
            with self.turn:
                while mine.answer is None and mine.error is None:
                    self._enter_all([self.queue.popleft() for _ in range(min(len(self.queue), GROUP))])
        else:
            self._enter_all([mine])
        if mine.error is not None:
            raise mine.error
        assert mine.answer is not None
        self._pad(started)
        return mine.answer

    def _enter_all(self, batch: Sequence[_Asked]) -> None:
        """Enter what waits in one transaction, for a sync costs; one that is refused spoils no other."""
        ring = self.keys.ring()
        try:
            with self.db.transaction() as conn:
                for asked in batch:
                    try:
                        with conn.begin_nested() if len(batch) > 1 else nullcontext():
                            if asked.person:
                                self._spend(conn, ring, asked.agency, asked.person, asked.submitted)
                            asked.answer = self._enter(conn, ring, asked.agency, asked.submitted)
                    except TooMany as refusal:
                        if len(batch) == 1:
                            raise
                        asked.error = refusal
        except BaseException as error:
            for asked in batch:
                asked.answer, asked.error = None, error
            if not isinstance(error, Exception):
                raise

    def close_to_limit(self, agency: str) -> list[tuple[str, int]]:
        """The agency's users who asked for more than half of a day's identifiers today, most first."""
        ring = self.keys.ring()
        with self.db.snapshot() as conn:
            rows = store.spent(conn, self.clock().toordinal(), agency, self.daily // 2)
        return [(ring.open(agency, sealed).decode(), n) for sealed, n in rows]

    def _spend(
        self, conn: Connection, ring: KeyRing, agency: str, person: str, submitted: Submission
    ) -> None:
        amount = len(submitted.identifiers) + len(submitted.names) + len(submitted.addresses)
        sealed = (key_of(ring, agency, person)[0], ring.seal(agency, person.encode()))
        if amount and store.spend(conn, self.clock().toordinal(), agency, sealed, amount) > self.daily:
            raise TooMany(
                f"You may ask for {self.daily} identifiers a day, one by one; your supervisor may submit "
                "a whole caseload in bulk."
            )

    def submit_many(self, agency: str, submitted: Sequence[Submission]) -> list[Answer]:
        """Enter several in one transaction, each answered as if alone; the later see the earlier."""
        started = time.monotonic()
        ring = self.keys.ring()
        with self.transaction() as conn:
            own = {key_of(ring, agency, s.reference)[0] for s in submitted}
            store.lock(conn, own | {h for s in submitted for h in _locks(ring, s)})
            answers = [self._enter(conn, ring, agency, s) for s in submitted]
        self._pad(started)
        return answers

    def read(self, agency: str, number: str) -> Stored | None:
        """The agency's own submission; None for everything else."""
        with self.db.snapshot() as conn:
            found = store.read(conn, [number]).get(number)
        return found if found is not None and found.agency == agency else None

    def opened(self, stored: Stored) -> Submission:
        """What was submitted."""
        return meet.opened(self.keys.ring(), stored)

    def _pad(self, started: float) -> None:
        spent = time.monotonic() - started
        time.sleep(self.quantum - spent % self.quantum)

    def _enter(self, conn: Connection, ring: KeyRing, agency: str, submitted: Submission) -> Answer:
        now = self.clock()
        references = key_of(ring, agency, submitted.reference)
        store.lock(conn, _locks(ring, submitted) | {references[0]})
        text = submitted.to_json()
        content = key_of(ring, agency, hashlib.sha256(text).hexdigest())[0]
        known = store.by_reference(conn, agency, references)
        number = known.number if known else new_number(now)
        if known is None or known.content != content or known.state != "OPEN":
            row = _row(submitted, now) | {
                "number": number, "agency": agency, "reference": references[0], "content": content,
                "sealed": ring.seal(agency, text), "state": "OPEN",
            }  # fmt: skip
            if known is not None:
                row.pop("submitted_ms")
            store.write(conn, row, meet.stored_tokens(ring, submitted), replaces=known is not None)
        met = meet.meetings(conn, ring, number, agency, submitted, possible=False)
        return _answer(ring, agency, number, met, now)


def key_of(ring: KeyRing, agency: str, text: str, first: Key | None = None) -> list[bytes]:
    """The hashes of an agency's own text under every live key, ``first`` (the current one) first."""
    leading = first or ring.current
    keys = sorted(ring.keys, key=lambda k: k.number != leading.number)
    return [k.digest(f"own:{agency}", text) for k in keys]


def new_number(now: datetime) -> str:
    """A deconfliction number: year and ten characters by chance, so numbers tell nothing of each other."""
    return f"DC-{now.year % 100:02d}-" + "".join(secrets.choice(_ALPHABET) for _ in range(10))


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.astimezone(UTC).timestamp() * 1000)


def _locks(ring: KeyRing, submitted: Submission) -> set[bytes]:
    by_hash, cells = meet.probes(ring, submitted)
    return {h for h, t in by_hash.items() if t.cls > MatchClass.POSSIBLE} | set(cells)


def _row(submitted: Submission, now: datetime) -> dict[str, object]:
    if isinstance(submitted, EventSubmission):
        kind, share, ends = "EVENT", "GREEN", submitted.ends_at
    else:
        assert isinstance(submitted, TargetSubmission)
        kind = "LEAD" if isinstance(submitted, LeadSubmission) else "TARGET"
        share, ends = submitted.share, submitted.expiry(now)
    at = milliseconds(now)
    return {
        "kind": kind, "share": share, "submitted_ms": at, "checked_ms": at, "expires_ms": milliseconds(ends),
    }  # fmt: skip


def _answer(ring: KeyRing, agency: str, number: str, met: Sequence[meet.Meeting], now: datetime) -> Answer:
    """CLEAR, or HIT with whom to call; silent targets and the agency's own submissions are left out."""
    told = [m for m in met if m.other.agency != agency and (m.other.share != "RED" or m.by_event)]
    contacts = tuple(other_side(ring, m.other) for m in told)
    surest = None if not told else ("EVENT" if told[0].cls is None else told[0].cls.name)
    return Answer.model_validate(
        {
            "number": number,
            "status": "HIT" if told else "CLEAR",
            "class": surest,
            "contacts": contacts,
            "checked_at": now,
        }
    )


def other_side(ring: KeyRing, stored: Stored) -> OtherSide:
    """Whom to call about a submission."""
    submitted = meet.opened(ring, stored)
    return OtherSide(
        number=stored.number, agency=stored.agency, unit=submitted.unit, contact=submitted.contact
    )
