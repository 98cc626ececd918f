"""Statements of long tasks: how far they are, the model of the picture, and emptying everything."""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select

from services.fusion import tables
from services.fusion.values import Place
from shared.database import upsert

_KEPT = frozenset({tables.counter.name})
"""What survives a rebuild: versions never go back."""


def get(conn: Connection, task: str) -> bytes | None:
    """What was last written down about a task."""
    p = tables.progress
    found = conn.execute(select(p.c.state).where(p.c.task == task)).scalar()
    return None if found is None else bytes(found)


def put(conn: Connection, task: str, state: bytes | None) -> None:
    """Write down how far a task is; None: it is done."""
    if state is None:
        conn.execute(delete(tables.progress).where(tables.progress.c.task == task))
    else:
        upsert(conn, tables.progress, [{"task": task, "state": state}])


def empty(conn: Connection) -> None:
    """Empty every table but the counter."""
    for table in tables.metadata.tables.values():
        if table.name not in _KEPT:
            conn.execute(delete(table))


def next_leaders(conn: Connection, after: str | None, limit: int) -> Iterable[Place]:
    """The leaders' rows that follow in order of id."""
    a = tables.assign
    columns = (a.c.profile, a.c.leader, a.c.entity, a.c.size, a.c.split, a.c.version)
    query = select(*columns).where(a.c.size > 0).order_by(a.c.profile).limit(limit)
    if after is not None:
        query = query.where(a.c.profile > after)
    return [Place(*row) for row in conn.execute(query)]
