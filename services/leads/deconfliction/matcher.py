"""Works out the matches of new submissions, and what time brings: escalation and expiry.

Each step is one transaction, repeats harmlessly, and takes its work from rows: a submission's request for
its check, a conflict's hour of escalation, a submission's end. So a crash between match and notice, or
between notice and acknowledgement, loses nothing, and timers survive a restart.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import Connection

from services.leads.deconfliction import conflict_store as conflicts
from services.leads.deconfliction import lead_desk, meet, notify, states
from services.leads.deconfliction import registry_store as store
from services.leads.deconfliction.conflict_store import DISMISSED, OWN, QUEUED, Row
from services.leads.deconfliction.keyring import KeyRing
from services.leads.deconfliction.match import MatchClass
from services.leads.deconfliction.meet import Meeting
from services.leads.deconfliction.registry import Registry, milliseconds
from services.leads.deconfliction.registry_store import Stored
from services.leads.deconfliction.states import State
from services.leads.deconfliction.submissions import Submission
from shared.errors import Transient

NAMESPACE: Final = UUID("5f0c1f3e-8a52-5d7e-9d63-6d1c3f6f2b10")
BATCH: Final = 50
AGAIN: Final = timedelta(hours=24)
"""Every open submission is checked again after so long, whatever was missed."""
PAUSE: Final = 0.5
"""Seconds between two looks where nobody wakes the matcher: another replica may have left work."""


def conflict_id(a: str, b: str) -> str:
    """The id of the conflict of two submissions; their order does not matter."""
    return str(uuid5(NAMESPACE, "\n".join(sorted((a, b)))))


@dataclass(frozen=True, slots=True)
class Matcher:
    """The steps; ``written()`` is called when there may be new notices."""

    registry: Registry
    written: Callable[[], None] = lambda: None

    def run(self, wait: Callable[[float], None], stopping: Callable[[], bool]) -> None:
        """Work until told to stop; what is away for a moment is tried again.

        ``wait(seconds)`` returns when there is new work or the time is over.
        """
        while not stopping():
            try:
                busy = self.step()
            except Transient as error:
                logging.getLogger(__name__).warning("deconfliction waits: %s", error)
                wait(error.retry_after)
                continue
            if not busy:
                wait(PAUSE)

    def step(self) -> bool:
        """Do some of everything that is due; whether there was anything."""
        now = milliseconds(self.registry.clock())
        with self.registry.db.snapshot() as conn:
            steps = [
                step
                for step, due in (
                    (self.check, store.is_asked(conn, now)),
                    (self.escalate, conflicts.is_due(conn, now)),
                    (self.expire, store.is_over(conn, now)),
                    (self.refresh, bool(store.unchecked(conn, now - _ms(AGAIN), 1))),
                )
                if due
            ]
        for step in steps:
            step()
        if steps:
            self.written()
        return bool(steps)

    def check(self) -> int:
        """Work out the matches of submissions that wait for it; how many there were."""
        ring, now = self.registry.keys.ring(), self.registry.clock()
        with self.registry.transaction() as conn:
            numbers = store.asked(conn, milliseconds(now), BATCH)
            found = [s for s in store.read(conn, numbers).values() if s.state == "OPEN"]
            checked = []
            for stored in sorted(found, key=lambda s: s.number):
                submitted = meet.opened(ring, stored)
                met = meet.meetings(conn, ring, stored.number, stored.agency, submitted, possible=True)
                checked += [((stored, submitted), m) for m in met]
            store.lock_pairs(conn, {conflict_id(own[0].number, m.other.number) for own, m in checked})
            for own, meeting in checked:
                self._open(conn, ring, own, meeting, now)
            store.answered(conn, numbers, milliseconds(now))
        return len(numbers)

    def _open(
        self, conn: Connection, ring: KeyRing, own: tuple[Stored, Submission], met: Meeting, now: datetime
    ) -> None:
        """Enter a conflict, or bring one back that closed on other or weaker evidence."""
        stored, submitted = own
        a, b = sorted((stored, met.other), key=lambda s: (s.submitted_ms, s.number))
        ident = conflict_id(a.number, b.number)
        known = conflicts.read(conn, ident, lock=True)
        if known is not None and not _is_news(ring, known, met):
            return
        other = meet.opened(ring, met.other)
        sealed = ring.seal(a.agency, json.dumps(sorted(met.evidence)).encode())
        row = replace(_row(ident, (a, b), met, (submitted, other), now), evidence=sealed)
        if known is None:
            conflicts.insert(conn, row)
        else:
            conflicts.change(conn, ident, {n: getattr(row, n) for n in Row.__slots__})
        notify.sides(conn, ring, row, met.hashes, now)
        if row.state == State.NOTIFIED:
            lead_desk.suspend(conn, ring, row, row.told(), now)

    def escalate(self) -> int:
        """Tell the next level where nobody has acknowledged in time; how many conflicts rose."""
        ring, now = self.registry.keys.ring(), self.registry.clock()
        with self.registry.transaction() as conn:
            rows = conflicts.due(conn, milliseconds(now), BATCH)
            for row in rows:
                raised = states.escalate(row.as_conflict(), now)
                conflicts.save(conn, row, raised, milliseconds(now))
                level = "HQ" if raised.state is State.ESCALATED_HQ else "LOCAL"
                silent_sides = [n for n in row.told() if n not in raised.acknowledged]
                notify.higher(conn, ring, row, silent_sides, (level, now))
        return len(rows)

    def expire(self) -> int:
        """Close what has passed, with its conflicts; how many submissions ended."""
        now = milliseconds(self.registry.clock())
        with self.registry.transaction() as conn:
            numbers = store.expired(conn, now, BATCH)
            for number in numbers:
                end(conn, number, "EXPIRED", now)
        return len(numbers)

    def refresh(self) -> int:
        """Ask for the check of what was last checked a day ago; how many that are."""
        now = milliseconds(self.registry.clock())
        with self.registry.transaction() as conn:
            numbers = store.unchecked(conn, now - _ms(AGAIN), BATCH)
            store.ask(conn, numbers, now)
            store.forget_counts(conn, self.registry.clock().toordinal() - 1)
        return len(numbers)

    def recheck(self) -> int:
        """Ask for the check of every open submission at once; how many there are."""
        after, total = "", 0
        now = milliseconds(self.registry.clock())
        while True:
            with self.registry.transaction() as conn:
                numbers = store.open_numbers(conn, after, 1_000)
                store.ask(conn, numbers, now)
            if not numbers:
                return total
            after, total = numbers[-1], total + len(numbers)


def end(conn: Connection, number: str, state: str, now_ms: int) -> None:
    """Withdraw or expire a submission, and close its conflicts."""
    store.set_state(conn, number, state)
    for row in conflicts.of_submission(conn, number):
        if row.state in {QUEUED, OWN}:
            conflicts.change(conn, row.conflict_id, {"state": state, "closed_ms": now_ms})
        elif row.state in set(State):
            closed = states.close(row.as_conflict(), withdrawn=state == "WITHDRAWN")
            conflicts.save(conn, row, closed, now_ms)


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def _row(
    ident: str,
    sides: tuple[Stored, Stored],
    met: Meeting,
    submitted: tuple[Submission, Submission],
    now: datetime,
) -> Row:
    a, b = sides
    starts = [s for s in map(meet.starts_at, submitted) if s is not None]
    life = any(map(meet.threatens_life, submitted))
    level = states.urgency(min(starts, default=None), now, threat_to_life=life)
    silent = _silent(a, b, met)
    state: str = State.NOTIFIED
    if a.agency == b.agency:
        state = OWN
    elif met.cls is MatchClass.POSSIBLE or silent == {a.number, b.number}:
        state = QUEUED
    escalates = states.deadline(level, now) if state == State.NOTIFIED else None
    return Row(
        ident, a.number, b.number, a.agency, b.agency, "EVENT" if met.by_event else "TARGET", met.rank,
        str(state), str(level), None, " ".join(sorted(silent)), b"", None, None,
        None if escalates is None else milliseconds(escalates), milliseconds(now), None,
    )  # fmt: skip


def _is_news(ring: KeyRing, known: Row, met: Meeting) -> bool:
    """Whether a conflict that is known must be opened anew.

    One that closed by withdrawal or time is open again; one still open only where the match is surer now;
    one that people settled, or that is one agency's own, where something is shared that was not then.
    """
    if known.state in {State.WITHDRAWN, State.EXPIRED}:
        return True
    if known.state in {State.RESOLVED, DISMISSED, OWN}:
        return not met.evidence <= set(json.loads(ring.open(known.agency_a, known.evidence)))
    return met.rank > known.cls


def _silent(a: Stored, b: Stored, met: Meeting) -> set[str]:
    """Who learns nothing: whoever meets a RED target. Collisions of operations are never silent."""
    if met.by_event or a.agency == b.agency:
        return set()
    return {mine.number for mine, other in ((a, b), (b, a)) if other.share == "RED"}
