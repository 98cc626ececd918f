"""Enters submissions and finds whom they meet: many of them in one transaction, with few statements.

A match with a silent (RED) target costs the same work as none: it is read and left out of the answer.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from services.leads.deconfliction import meet
from services.leads.deconfliction import registry_store as store
from services.leads.deconfliction.keyring import Key, KeyRing
from services.leads.deconfliction.match import MatchClass
from services.leads.deconfliction.moments import milliseconds
from services.leads.deconfliction.registry_store import Stored, StoredToken
from services.leads.deconfliction.submissions import (
    Answer,
    EventSubmission,
    LeadSubmission,
    OtherSide,
    Submission,
    TargetSubmission,
)

_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Entry:
    """A submission that is to be entered, for ``person`` (empty: for the agency's caseload)."""

    agency: str
    submitted: Submission
    person: str = ""

    @property
    def amount(self) -> int:
        """How many things it asks for."""
        return len(self.submitted.identifiers) + len(self.submitted.names) + len(self.submitted.addresses)


@dataclass(frozen=True, slots=True)
class _Draft:
    """An entry with its hashes; ``references`` under every live key, the current one first."""

    entry: Entry
    text: bytes
    content: bytes
    references: list[bytes]
    tokens: list[StoredToken]
    sought: frozenset[bytes]


def enter(
    conn: Connection, ring: KeyRing, entries: Sequence[Entry], now: datetime, daily: int
) -> list[Answer | None]:
    """Enter these and answer each, in order; None where a person has asked for more than ``daily``.

    No two may have the same agency and reference. Of those that are entered at once, each meets the others.
    """
    drafts = [_draft(ring, e) for e in entries]
    store.lock(conn, {h for d in drafts for h in (*d.sought, d.references[0])})
    allowed = _allowed(conn, ring, entries, now, daily)
    taken = [d for d, fine in zip(drafts, allowed, strict=True) if fine]
    known = store.by_reference(conn, {r for d in taken for r in d.references})
    askers, rows, tokens, replaced = [], [], {}, []
    for draft in taken:
        entry = draft.entry
        before = next((known[r] for r in draft.references if r in known), None)
        number = before.number if before else new_number(now)
        askers.append(meet.Asker(number, entry.agency, entry.submitted))
        if before is None or before.content != draft.content or before.state != "OPEN":
            rows.append(_row(ring, number, draft, now))
            tokens[number] = draft.tokens
            replaced += [number] if before else []
    store.write(conn, rows, tokens, replaced)
    met = meet.meetings(conn, ring, askers, possible=False)
    answers = iter([_answer(ring, a, met[a.number], now) for a in askers])
    return [next(answers) if fine else None for fine in allowed]


def _draft(ring: KeyRing, entry: Entry) -> _Draft:
    by_hash, cells = meet.probes(ring, entry.submitted)
    text = entry.submitted.to_json()
    return _Draft(
        entry,
        text,
        key_of(ring, entry.agency, hashlib.sha256(text).hexdigest())[0],
        key_of(ring, entry.agency, entry.submitted.reference),
        meet.stored_tokens(ring, entry.submitted),
        frozenset(h for h, t in by_hash.items() if t.cls > MatchClass.POSSIBLE) | frozenset(cells),
    )


def _allowed(
    conn: Connection, ring: KeyRing, entries: Sequence[Entry], now: datetime, daily: int
) -> list[bool]:
    """Which of these the people who ask may have today; what they may not is not counted."""
    people: dict[tuple[bytes, str, str], int] = {}
    keys = [(key_of(ring, e.agency, e.person)[0], e.agency, e.person) for e in entries if e.person]
    for key, entry in zip(keys, (e for e in entries if e.person), strict=True):
        people[key] = people.get(key, 0) + entry.amount
    day, free = now.toordinal(), {}
    for (hash_, agency, person), amount in sorted(people.items()):
        sealed = ring.seal(agency, person.encode())
        free[agency, person] = daily - store.spend(conn, day, agency, (hash_, sealed), amount) + amount
    answers, over = [], dict.fromkeys(free, 0)
    for entry in entries:
        who = (entry.agency, entry.person)
        fine = not entry.person or not entry.amount or entry.amount <= free[who]
        answers.append(fine)
        if entry.person and fine:
            free[who] -= entry.amount
        elif entry.person:
            over[who] += entry.amount
    for hash_, agency, person in sorted(people):
        if over[agency, person]:
            sealed = ring.seal(agency, person.encode())
            store.spend(conn, day, agency, (hash_, sealed), -over[agency, person])
    return answers


def key_of(ring: KeyRing, agency: str, text: str, first: Key | None = None) -> list[bytes]:
    """The hashes of an agency's own text under every live key, ``first`` (the current one) first."""
    leading = first or ring.current
    keys = sorted(ring.keys, key=lambda k: k.number != leading.number)
    return [k.digest(f"own:{agency}", text) for k in keys]


def new_number(now: datetime) -> str:
    """A deconfliction number: year and ten characters by chance, so numbers tell nothing of each other."""
    return f"DC-{now.year % 100:02d}-" + "".join(secrets.choice(_ALPHABET) for _ in range(10))


def _row(ring: KeyRing, number: str, draft: _Draft, now: datetime) -> dict[str, Any]:
    submitted, agency = draft.entry.submitted, draft.entry.agency
    if isinstance(submitted, EventSubmission):
        kind, share, ends = "EVENT", "GREEN", submitted.ends_at
    else:
        assert isinstance(submitted, TargetSubmission)
        kind = "LEAD" if isinstance(submitted, LeadSubmission) else "TARGET"
        share, ends = submitted.share, submitted.expiry(now)
    at = milliseconds(now)
    return {
        "number": number, "agency": agency, "reference": draft.references[0], "content": draft.content,
        "sealed": ring.seal(agency, draft.text), "state": "OPEN", "kind": kind, "share": share,
        "submitted_ms": at, "checked_ms": at, "expires_ms": milliseconds(ends),
    }  # fmt: skip


def _answer(ring: KeyRing, asker: meet.Asker, met: Iterable[meet.Meeting], now: datetime) -> Answer:
    """CLEAR, or HIT with whom to call; silent targets and the agency's own submissions are left out."""
    told = [m for m in met if m.other.agency != asker.agency and (m.other.share != "RED" or m.by_event)]
    surest = None if not told else ("EVENT" if told[0].cls is None else told[0].cls.name)
    return Answer.model_validate(
        {
            "number": asker.number,
            "status": "HIT" if told else "CLEAR",
            "class": surest,
            "contacts": tuple(other_side(ring, m.other) for m in told),
            "checked_at": now,
        }
    )


def other_side(ring: KeyRing, stored: Stored) -> OtherSide:
    """Whom to call about a submission."""
    submitted = meet.opened(ring, stored)
    return OtherSide(
        number=stored.number, agency=stored.agency, unit=submitted.unit, contact=submitted.contact
    )
