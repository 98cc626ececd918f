"""What waits to be evaluated: components touched since their leads were last computed, each once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from services.leads.clock import NO_REPORT
from services.leads.tables import due as due_table
from shared.database import fetch, upsert


@dataclass(frozen=True, slots=True)
class Due:
    """A component (or a profile that is gone) to evaluate; ``accepted_ms`` of the report waiting longest."""

    component_id: str
    accepted_ms: int | None


def due(conn: Connection, limit: int) -> list[Due]:
    """The components that wait longest, locked until the transaction ends; others may take the rest."""
    t = due_table.c
    query = select(t.component_id, t.accepted_ms).order_by(t.accepted_ms, t.component_id).limit(limit)
    if conn.dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return [Due(c, None if ms == NO_REPORT else ms) for c, ms in conn.execute(query)]


def waiting(conn: Connection, components: Iterable[str]) -> dict[str, int]:
    """Of these components those that wait, being evaluated or not, with the time of acceptance."""
    return dict(fetch(conn, due_table, ("component_id", "accepted_ms"), "component_id", components))


def mark(conn: Connection, components: Mapping[str, int]) -> None:
    """Mark components due, each with the time of acceptance of what touched it, or ``NO_REPORT``.

    A row is written even where one waits: whoever evaluates it now may have read before this change.
    """
    there = waiting(conn, components)
    rows = [
        {"component_id": c, "accepted_ms": min(ms, there.get(c, NO_REPORT))} for c, ms in components.items()
    ]
    upsert(conn, due_table, rows)


def done(conn: Connection, components: Iterable[str]) -> None:
    """Forget these components: their leads are written, in the same transaction."""
    ids = sorted(set(components))
    if ids:
        conn.execute(delete(due_table).where(due_table.c.component_id.in_(ids)))


def backlog(conn: Connection) -> int:
    """How many components wait."""
    return int(conn.execute(select(func.count()).select_from(due_table)).scalar_one())
