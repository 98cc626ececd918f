"""What people do with the registry: acknowledge, resolve, withdraw, confirm, dismiss, look back.

Whoever may not know of something gets ``NotHere``, as if it did not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from services.leads.deconfliction import conflict_store as conflicts
from services.leads.deconfliction import lead_desk, life_store, meet, notify, states
from services.leads.deconfliction import registry_store as store
from services.leads.deconfliction.conflict_store import DISMISSED, QUEUED, Row
from services.leads.deconfliction.keyring import KeyRing
from services.leads.deconfliction.matcher import end
from services.leads.deconfliction.moments import milliseconds, moment
from services.leads.deconfliction.notify import CLASSES
from services.leads.deconfliction.registry import Registry
from services.leads.deconfliction.states import FINAL, NotAllowed, Outcome, State
from shared.contracts.handling import Clearance

SUPPRESS_BELOW: Final = 5
"""Statistics do not show cells smaller than this."""


Placed = tuple[list[Any], dict[str, Any]]
"""A row of a list with its place, after which the next page begins."""


class NotHere(LookupError):
    """There is nothing, or nothing that this agency may know of."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The operations of people, each one transaction."""

    registry: Registry

    def inbox(
        self, viewer: Clearance, after: tuple[int, str], limit: int, *, supervisor: bool
    ) -> list[Placed]:
        """The notices of a viewer's agency, oldest first; those for supervisors only where ``supervisor``.

        A notice about a lead goes to those of the agency who may see what the lead was made of.
        """
        ring = self.registry.keys.ring()
        levels = None if supervisor else ("SIDE", "HOLDER")
        with self.registry.db.snapshot() as conn:
            bases = life_store.readable(life_store.bases(conn), viewer)
            rows = conflicts.notices(conn, viewer.agency, after, limit, (levels, bases))
        return [([r.created_ms, r.notice_id], _shown(ring, r)) for r in rows]

    def acknowledge(self, agency: str, notice_id: str, who: str) -> dict[str, Any]:
        """Say that a notice has been read; again changes nothing. Raises ``NotHere``."""
        at = milliseconds(self.registry.clock())
        with self.registry.transaction() as (conn, ring):
            found = conflicts.one_notice(conn, notice_id, agency)
            if found is None or found.basis_id is not None:
                raise NotHere(notice_id)
            conflicts.acknowledged(conn, notice_id, at, ring.seal(agency, who.encode()))
            row = conflicts.read(conn, found.conflict_id, lock=True)
            if row is not None and row.state in set(State):
                conflicts.save(conn, row, states.acknowledge(row.as_conflict(), found.number), at)
            found = conflicts.one_notice(conn, notice_id, agency)
            return _shown(ring, found)

    def resolve(
        self, agency: str, conflict_id: str, outcome: Outcome, note: str | None = None
    ) -> dict[str, Any]:
        """Say how a conflict was settled; both sides read the note. Raises ``NotHere`` or ``NotAllowed``."""
        at = milliseconds(self.registry.clock())
        with self.registry.transaction() as (conn, ring):
            row, side = _of_side(conn, agency, conflict_id)
            if row.state not in set(State):
                raise NotAllowed(f"the conflict is {row.state}: there is nothing to resolve")
            conflicts.save(conn, row, states.resolve(row.as_conflict(), side, outcome), at)
            if note:
                sealed = ring.seal(row.agency_a, f"{agency}: {note}".encode())
                conflicts.change(conn, conflict_id, {"note": sealed})
            settled = conflicts.read(conn, conflict_id)
            assert settled is not None
            return conflict_view(ring, settled, side)

    def conflict(self, agency: str, conflict_id: str) -> dict[str, Any]:
        """A conflict as one of its sides sees it. Raises ``NotHere``."""
        with self.registry.db.snapshot() as conn:
            row, side = _of_side(conn, agency, conflict_id, lock=False)
        return conflict_view(self.registry.keys.ring(), row, side)

    def withdraw(self, agency: str, number: str) -> None:
        """Take a submission back; its conflicts close. Raises ``NotHere``."""
        with self.registry.transaction() as (conn, _):
            found = store.read(conn, [number]).get(number)
            if found is None or found.agency != agency:
                raise NotHere(number)
            if found.state == "OPEN":
                end(conn, number, "WITHDRAWN", milliseconds(self.registry.clock()))

    def status(self, agency: str, number: str) -> dict[str, Any]:
        """The owner's view of a submission: its state and the conflicts that it may know of."""
        ring = self.registry.keys.ring()
        with self.registry.db.snapshot() as conn:
            found = store.read(conn, [number]).get(number)
            if found is None or found.agency != agency:
                raise NotHere(number)
            rows = [r for r in conflicts.of_submission(conn, number) if r.agency_a != r.agency_b]
        told = [r for r in rows if number in r.told() and r.state in set(State)]
        live = [r for r in told if State(r.state) not in FINAL]
        submitted = meet.opened(ring, found)
        state = found.state if found.state != "OPEN" else "HIT" if live else "RESOLVED" if told else "CLEAR"
        return {
            "number": number,
            "kind": found.kind,
            "reference": submitted.shown_reference,
            "state": state,
            "submitted_at": moment(found.submitted_ms),
            "checked_at": moment(found.checked_ms),
            "expires_at": moment(found.expires_ms),
            "conflicts": [conflict_view(ring, r, number) for r in told],
        }

    def queue(self, after: tuple[int, str], limit: int) -> list[Placed]:
        """What waits for a watch officer: both submissions, for he must compare them; oldest first."""
        ring = self.registry.keys.ring()
        with self.registry.db.snapshot() as conn:
            rows = conflicts.in_state(conn, QUEUED, None, after, limit)
            found = store.read(conn, {n for r in rows for n in (r.a, r.b)})
        return [
            ([r.opened_ms, r.conflict_id], _queued(ring, r, [found[n] for n in (r.a, r.b)])) for r in rows
        ]

    def confirm(self, conflict_id: str) -> None:
        """A watch officer finds that a possible match is one: both sides are told. Raises ``NotHere``."""
        now = self.registry.clock()
        with self.registry.transaction() as (conn, ring):
            row = _waiting(conn, conflict_id)
            silent = "" if len(row.silent.split()) == 2 else row.silent
            level = states.Urgency(row.urgency)
            row = replace(
                row, state=str(State.NOTIFIED), silent=silent, opened_ms=milliseconds(now),
                escalates_ms=milliseconds(states.deadline(level, now)),
            )  # fmt: skip
            changed = ("state", "silent", "opened_ms", "escalates_ms")
            conflicts.change(conn, conflict_id, {n: getattr(row, n) for n in changed})
            notify.sides(conn, ring, [(row, frozenset())], now)
            lead_desk.suspend(conn, ring, [row], now)

    def dismiss(self, conflict_id: str) -> None:
        """A watch officer finds that it is none: never again on this evidence. Raises ``NotHere``."""
        with self.registry.transaction() as (conn, _):
            _waiting(conn, conflict_id)
            at = milliseconds(self.registry.clock())
            conflicts.change(conn, conflict_id, {"state": DISMISSED, "closed_ms": at})

    def statistics(self, days: int) -> dict[str, Any]:
        """Counts without identities over the last ``days``; cells below five are suppressed."""
        since = milliseconds(self.registry.clock() - timedelta(days=days))
        with self.registry.db.snapshot() as conn:
            rows = conflicts.tally(conn, since)
            live = store.counts(conn)
        return {
            "open_submissions": {k: suppressed(n) for k, n in sorted(live.items())},
            "conflicts": [
                {
                    "week": moment(int(week) * 7 * 86_400_000).date().isoformat(),
                    "state": state,
                    "outcome": outcome,
                    "count": suppressed(count),
                    "mean_seconds_to_acknowledge": None
                    if mean is None or count < SUPPRESS_BELOW
                    else round(float(mean) / 1000),
                }
                for week, state, outcome, count, _, mean in sorted(rows, key=lambda r: tuple(map(str, r[:3])))
            ],
        }


def suppressed(count: int) -> int | str:
    """The count, or ``<5``."""
    return count if count >= SUPPRESS_BELOW else f"<{SUPPRESS_BELOW}"


def conflict_view(ring: KeyRing, row: Row, side: str) -> dict[str, Any]:
    """A conflict as one side sees it: whether the other has read its notice, not who or when."""
    mine = row.acknowledged_a_ms if side == row.a else row.acknowledged_b_ms
    return {
        "conflict_id": row.conflict_id,
        "number": side,
        "kind": row.kind,
        "class": CLASSES[row.cls],
        "state": row.state,
        "urgency": row.urgency,
        "outcome": row.outcome,
        "note": None if row.note is None else ring.open(row.agency_a, row.note).decode(),
        "opened_at": moment(row.opened_ms),
        "acknowledged": mine is not None,
        "closed_at": None if row.closed_ms is None else moment(row.closed_ms),
    }


def _of_side(conn: Connection, agency: str, conflict_id: str, *, lock: bool = True) -> tuple[Row, str]:
    row = conflicts.read(conn, conflict_id, lock=lock)
    side = None if row is None else row.side_of(agency)
    if row is None or side is None or row.state in {QUEUED, DISMISSED}:
        raise NotHere(conflict_id)
    return row, side


def _waiting(conn: Connection, conflict_id: str) -> Row:
    row = conflicts.read(conn, conflict_id, lock=True)
    if row is None or row.state != QUEUED:
        raise NotHere(conflict_id)
    return row


def _shown(ring: KeyRing, row: Any) -> dict[str, Any]:
    content = orjson.loads(ring.open(row.agency, row.sealed))
    read = None if row.acknowledged_ms is None else moment(row.acknowledged_ms)
    return {
        "notice_id": row.notice_id,
        **content,
        "created_at": moment(row.created_ms),
        "acknowledged_at": read,
    }


def _queued(ring: KeyRing, row: Row, sides: Sequence[store.Stored]) -> dict[str, Any]:
    return {
        "conflict_id": row.conflict_id,
        "kind": row.kind,
        "class": CLASSES[row.cls],
        "urgency": row.urgency,
        "opened_at": moment(row.opened_ms),
        "sides": [
            {
                "number": s.number,
                "agency": s.agency,
                **meet.opened(ring, s).model_dump(
                    mode="json", include={"unit", "contact", "identifiers", "names", "addresses"}
                ),
            }
            for s in sides
        ],
    }
