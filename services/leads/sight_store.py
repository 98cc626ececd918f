"""What the store knows of audiences and clearances: the numbers that turn a viewer into a sight."""

import orjson
from sqlalchemy import Connection, select

from services.leads.access import Sight, sight_of
from services.leads.clock import NO_REPORT
from services.leads.due_store import mark
from services.leads.sets import Combination, combination_id
from services.leads.tables import audience, clearance, combination, subject_combination
from shared.contracts.handling import Clearance
from shared.database import upsert


def sight(conn: Connection, viewer: Clearance) -> Sight:
    """The audiences of the store that include the viewer."""
    return sight_of(viewer, audiences(conn))


def audiences(conn: Connection) -> dict[int, str]:
    """Every audience of the store: its key by its id."""
    return {row[0]: row[1] for row in conn.execute(select(audience.c.audience_id, audience.c.key))}


def known_sights(conn: Connection) -> list[Sight]:
    """The distinct sights of every clearance that ever asked, in a stable order."""
    keys = audiences(conn)
    known = [_parse(key) for (key,) in conn.execute(select(clearance.c.key).order_by(clearance.c.key))]
    return list(dict.fromkeys(sight_of(c, keys) for c in known))


def note_clearance(conn: Connection, viewer: Clearance) -> bool:
    """Remember a clearance; when it is new, what is not open throughout is due for it. True = it was new."""
    there = conn.execute(select(clearance.c.key).where(clearance.c.key == viewer.key())).first()
    if there is not None:
        return False
    upsert(conn, clearance, [{"key": viewer.key()}], update=[])
    hidden = conn.execute(select(subject_combination.c.component_id))
    mark(conn, {c: NO_REPORT for (c,) in hidden})
    return True


def combinations(conn: Connection) -> dict[int, Combination]:
    """Every combination that is not open throughout, by id."""
    rows = conn.execute(select(combination.c.combination_id, combination.c.audiences))
    return {i: frozenset(orjson.loads(text)) for i, text in rows}


def note_combinations(conn: Connection, of_component: dict[str, Combination]) -> None:
    """Remember which audiences take part in what the subjects of each component are evaluated from."""
    hidden = {c: a for c, a in of_component.items() if combination_id(a)}
    upsert(
        conn,
        combination,
        [
            {"combination_id": combination_id(a), "audiences": orjson.dumps(sorted(a)).decode()}
            for a in set(hidden.values())
        ],
        update=[],
    )
    upsert(
        conn,
        subject_combination,
        [{"component_id": c, "combination_id": combination_id(a)} for c, a in hidden.items()],
    )
    gone = [c for c in of_component if c not in hidden]
    if gone:
        conn.execute(subject_combination.delete().where(subject_combination.c.component_id.in_(gone)))


def _parse(key: str) -> Clearance:
    agency, centres, authorities, vetted = key.split(";")
    return Clearance(
        agency,
        frozenset(c for c in centres.split(",") if c),
        frozenset(a for a in authorities.split(",") if a),
        vetted=vetted == "V",
    )
