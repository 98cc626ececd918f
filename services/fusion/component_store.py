"""T3's statements: components, their locks, their members; what was judged; what has died."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, or_, select

from services.fusion import tables
from services.fusion.values import Ends, Place
from shared.database import fetch, upsert
from shared.partition import Judged

_COLUMNS = ("profile", "leader", "entity", "size", "split", "version")
_LOCK = "SELECT 1 FROM assign WHERE profile = ANY(%s::uuid[]) ORDER BY profile FOR UPDATE NOWAIT"


def places(conn: Connection, ids: Iterable[str]) -> dict[str, Place]:
    """Where these profiles stand; one that has been reaped is missing."""
    return {r[0]: Place(*r) for r in fetch(conn, tables.assign, _COLUMNS, "profile", ids)}


def lock_leaders(conn: Connection, leaders: Collection[str]) -> None:
    """Lock components by their leaders' rows, in order; raises ``Busy`` rather than wait."""
    if conn.dialect.name == "postgresql" and leaders:
        conn.exec_driver_sql(_LOCK, (sorted(leaders),))


def members(conn: Connection, leaders: Collection[str]) -> list[Place]:
    """The members of these components other than their leaders."""
    if not leaders:
        return []
    assign = tables.assign
    found: list[Place] = []
    ordered = sorted(leaders)
    for start in range(0, len(ordered), 500):
        part = assign.c.leader.in_(ordered[start : start + 500])
        query = select(*(assign.c[c] for c in _COLUMNS)).where(part, tables.MEMBER)
        found += [Place(*row) for row in conn.execute(query)]
    return found


def write_places(conn: Connection, rows: Sequence[Place]) -> None:
    """Store where profiles stand now."""
    upsert(conn, tables.assign, [dict(zip(_COLUMNS, _values(p), strict=True)) for p in rows])


def _values(place: Place) -> tuple[Any, ...]:
    return (place.profile, place.leader, place.entity, place.size, place.split, place.version)


def dead(conn: Connection, ids: Iterable[str]) -> set[str]:
    """Which of these profiles no live report mentions, locked so that none comes back meanwhile."""
    counts = fetch(conn, tables.profile, ["id", "count"], "id", ids, lock=True)
    return {profile_id for profile_id, count in counts if count == 0}


def reap(conn: Connection, ids: Collection[str]) -> None:
    """Forget dead profiles and their places."""
    for table, column in ((tables.profile, "id"), (tables.assign, "profile")):
        ordered = sorted(ids)
        for start in range(0, len(ordered), 500):
            conn.execute(table.delete().where(table.c[column].in_(ordered[start : start + 500])))


def any_judgements(conn: Connection) -> bool:
    """Whether anything was ever judged; the usual no saves asking about each profile."""
    return conn.execute(select(tables.judgement.c.id).limit(1)).first() is not None


def judgements(conn: Connection, ids: Collection[str]) -> list[Judged]:
    """The judgements about any of these profiles."""
    if not any_judgements(conn):
        return []
    j = tables.judgement
    found: dict[tuple[Ends, bool], Judged] = {}
    ordered = sorted(ids)
    for start in range(0, len(ordered), 500):
        part = ordered[start : start + 500]
        query = select(j.c.a, j.c.b, j.c.same).where(or_(j.c.a.in_(part), j.c.b.in_(part)))
        for a, b, same in conn.execute(query):
            found[(a, b), same] = Judged(a, b, bool(same))
    return list(found.values())
