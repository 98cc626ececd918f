"""Opens the conflicts of submissions: many at once, each under an id that repeating it does not change."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import Connection

from services.leads.deconfliction import conflict_store as conflicts
from services.leads.deconfliction import lead_desk, meet, notify, states
from services.leads.deconfliction import registry_store as store
from services.leads.deconfliction.conflict_store import DISMISSED, OWN, QUEUED, Row
from services.leads.deconfliction.keyring import KeyRing
from services.leads.deconfliction.match import MatchClass
from services.leads.deconfliction.meet import Asker, Meeting
from services.leads.deconfliction.moments import milliseconds
from services.leads.deconfliction.registry_store import Stored
from services.leads.deconfliction.states import State
from services.leads.deconfliction.submissions import Submission

NAMESPACE: Final = UUID("5f0c1f3e-8a52-5d7e-9d63-6d1c3f6f2b10")
Met = tuple[Stored, Asker, Meeting]
"""A submission, what it says, and one that it meets."""


def conflict_id(a: str, b: str) -> str:
    """The id of the conflict of two submissions; their order does not matter."""
    return str(uuid5(NAMESPACE, "\n".join(sorted((a, b)))))


def open_conflicts(conn: Connection, ring: KeyRing, numbers: Iterable[str], now: datetime) -> int:
    """Enter the conflicts of these submissions, or bring back what closed on other or weaker evidence.

    Whoever may learn of them is told, and leads that they concern are suspended. Gives how many there were.
    """
    met = _met(conn, ring, numbers)
    store.lock_pairs(conn, met)
    known = conflicts.read_all(conn, met)
    fresh: list[Row] = []
    opened: list[tuple[Row, notify.Facts]] = []
    for ident, found in sorted(met.items()):
        before = known.get(ident)
        if before is not None and not _is_news(ring, before, found[2]):
            continue
        row = _row(ring, ident, found, now)
        opened.append((row, found[2].facts))
        if before is None:
            fresh.append(row)
        else:
            conflicts.change(conn, ident, {n: getattr(row, n) for n in Row.__slots__})
    conflicts.insert(conn, fresh)
    notify.sides(conn, ring, opened, now)
    lead_desk.suspend(conn, ring, [row for row, _ in opened if row.state == State.NOTIFIED], now)
    return len(opened)


def _met(conn: Connection, ring: KeyRing, numbers: Iterable[str]) -> dict[str, Met]:
    """Whom the open ones of these submissions meet, each pair once, by the id of its conflict."""
    found = {n: s for n, s in store.read(conn, numbers).items() if s.state == "OPEN"}
    together = store.accompanied(conn, found)
    askers = [
        Asker(n, s.agency, meet.opened(ring, s))
        for n, s in sorted(found.items())
        if n in together or s.kind == "EVENT"
    ]
    meetings = meet.meetings(conn, ring, askers, possible=True)
    pairs: dict[str, Met] = {}
    for asker in askers:
        for meeting in meetings[asker.number]:
            pairs.setdefault(
                conflict_id(asker.number, meeting.other.number), (found[asker.number], asker, meeting)
            )
    return pairs


def _row(ring: KeyRing, ident: str, found: Met, now: datetime) -> Row:
    own, asker, met = found
    a, b = sorted((own, met.other), key=lambda s: (s.submitted_ms, s.number))
    level = _urgency((asker.submitted, meet.opened(ring, met.other)), now)
    silent = _silent(a, b, met)
    state: str = State.NOTIFIED
    if a.agency == b.agency:
        state = OWN
    elif met.cls is MatchClass.POSSIBLE or silent == {a.number, b.number}:
        state = QUEUED
    escalates = states.deadline(level, now) if state == State.NOTIFIED else None
    evidence = ring.seal(a.agency, json.dumps(sorted(met.evidence)).encode())
    return Row(
        ident, a.number, b.number, a.agency, b.agency, "EVENT" if met.by_event else "TARGET", met.rank,
        str(state), str(level), None, " ".join(sorted(silent)), evidence, None, None,
        None if escalates is None else milliseconds(escalates), milliseconds(now), None,
    )  # fmt: skip


def _urgency(sides: Sequence[Submission], now: datetime) -> states.Urgency:
    starts = [s for s in map(meet.starts_at, sides) if s is not None]
    return states.urgency(min(starts, default=None), now, threat_to_life=any(map(meet.threatens_life, sides)))


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
