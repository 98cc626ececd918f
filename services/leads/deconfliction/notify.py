"""Notices: who is told what. Never more than the receiver's own words and whom to call on the other side."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import Connection

from services.leads.deconfliction import conflict_store as conflicts
from services.leads.deconfliction import delivery_store, meet
from services.leads.deconfliction import registry_store as store
from services.leads.deconfliction.conflict_store import OWN, QUEUED, Row
from services.leads.deconfliction.keyring import KeyRing
from services.leads.deconfliction.registry import milliseconds, other_side
from services.leads.deconfliction.submissions import NoticeContent

NAMESPACE: Final = UUID("0b6b7f0e-51a4-5c0b-9a44-2f7d3c1d7e55")
CLASSES: Final = {9: "EVENT", 3: "EXACT", 2: "STRONG", 1: "POSSIBLE"}


def sides(conn: Connection, ring: KeyRing, row: Row, hashes: frozenset[bytes], now: datetime) -> None:
    """Tell each side that may learn of a new conflict; a queued one tells nobody yet."""
    if row.state == QUEUED:
        return
    level = "SUPERVISOR" if row.state == OWN else "SIDE"
    told = (row.b,) if row.state == OWN else row.told()
    _write(conn, ring, (row, hashes), told, (level, now))


def higher(
    conn: Connection, ring: KeyRing, row: Row, numbers: Iterable[str], at: tuple[str, datetime]
) -> None:
    """Tell the next ``level`` of the sides that have not answered; ``at`` is (level, now)."""
    _write(conn, ring, (row, frozenset()), numbers, at)


def _write(
    conn: Connection,
    ring: KeyRing,
    about: tuple[Row, frozenset[bytes]],
    numbers: Iterable[str],
    at: tuple[str, datetime],
) -> None:
    row, hashes = about
    level, now = at
    stored = store.read(conn, (row.a, row.b))
    written = []
    for number in numbers:
        mine, theirs = stored[number], stored[row.other(number)]
        submitted = meet.opened(ring, mine)
        content = NoticeContent.model_validate(
            {
                "conflict_id": row.conflict_id,
                "number": number,
                "reference": submitted.shown_reference,
                "identifier": meet.own_identifier(ring, submitted, hashes) if hashes else None,
                "kind": row.kind,
                "class": CLASSES[row.cls],
                "urgency": row.urgency,
                "level": level,
                "other": other_side(ring, theirs),
            }
        )
        written.append(
            {
                "notice_id": str(uuid5(NAMESPACE, f"{row.conflict_id}\n{number}\n{level}\n{row.opened_ms}")),
                "conflict_id": row.conflict_id,
                "number": number,
                "agency": mine.agency,
                "level": level,
                "sealed": ring.seal(mine.agency, content.to_json()),
                "created_ms": milliseconds(now),
            }
        )
    conflicts.add_notices(conn, written)
    delivery_store.add(conn, written)
