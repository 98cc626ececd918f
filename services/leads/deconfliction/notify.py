"""Notices: who is told what. Never more than the receiver's own words and whom to call on the other side."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Connection

from services.leads.deconfliction import conflict_store as conflicts
from services.leads.deconfliction import delivery_store, meet
from services.leads.deconfliction import registry_store as store
from services.leads.deconfliction.conflict_store import OWN, QUEUED, Row
from services.leads.deconfliction.entering import other_side
from services.leads.deconfliction.keyring import KeyRing
from services.leads.deconfliction.moments import milliseconds
from services.leads.deconfliction.registry_store import Stored
from services.leads.deconfliction.submissions import NoticeContent

NAMESPACE: Final = UUID("0b6b7f0e-51a4-5c0b-9a44-2f7d3c1d7e55")
CLASSES: Final = {9: "EVENT", 3: "EXACT", 2: "STRONG", 1: "POSSIBLE"}
Facts = frozenset[meet.Fact]


@dataclass(frozen=True, slots=True)
class _Due:
    """A notice to write: to the side ``number`` of a conflict that met on ``facts``."""

    row: Row
    number: str
    level: str
    facts: Facts = frozenset()


def sides(conn: Connection, ring: KeyRing, opened: Iterable[tuple[Row, Facts]], now: datetime) -> None:
    """Tell each side that may learn of these new conflicts; a queued one tells nobody yet."""
    _write(conn, ring, [due for row, facts in opened for due in _first(row, facts)], now)


def higher(conn: Connection, ring: KeyRing, raised: Iterable[tuple[Row, str, str]], now: datetime) -> None:
    """Tell the next level of sides that have not answered: (conflict, its side, LOCAL or HQ)."""
    _write(conn, ring, [_Due(row, number, level) for row, number, level in raised], now)


def _first(row: Row, facts: Facts) -> Iterator[_Due]:
    if row.state == OWN:
        yield _Due(row, row.b, "SUPERVISOR", facts)
    elif row.state != QUEUED:
        yield from (_Due(row, number, "SIDE", facts) for number in row.told())


def _write(conn: Connection, ring: KeyRing, due: Sequence[_Due], now: datetime) -> None:
    if not due:
        return
    stored = store.read(conn, {n for d in due for n in (d.row.a, d.row.b)})
    written = [_notice(ring, d, stored[d.number], stored[d.row.other(d.number)], now) for d in due]
    conflicts.add_notices(conn, written)
    delivery_store.add(conn, written)


def _notice(ring: KeyRing, due: _Due, mine: Stored, theirs: Stored, now: datetime) -> dict[str, Any]:
    row, submitted = due.row, meet.opened(ring, mine)
    content = NoticeContent.model_validate(
        {
            "conflict_id": row.conflict_id,
            "number": due.number,
            "reference": submitted.shown_reference,
            "identifier": meet.own_identifier(submitted, due.facts) if due.facts else None,
            "kind": row.kind,
            "class": CLASSES[row.cls],
            "urgency": row.urgency,
            "level": due.level,
            "other": other_side(ring, theirs),
        }
    )
    sealed = ring.seal(mine.agency, content.model_dump_json(by_alias=True).encode())
    return {
        "notice_id": str(
            uuid5(NAMESPACE, f"{row.conflict_id}\n{due.number}\n{due.level}\n{row.opened_ms}")
        ),
        "conflict_id": row.conflict_id, "number": due.number, "agency": mine.agency, "level": due.level,
        "sealed": sealed, "created_ms": milliseconds(now),
    }  # fmt: skip
