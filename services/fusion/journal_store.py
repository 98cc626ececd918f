"""The journal's statements: what is begun and not finished, and who of the workers lives."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import Connection, delete, select, update

from services.fusion import tables
from services.fusion.values import Work, pack_ids, pack_keys, unpack_ids, unpack_keys
from shared.database import upsert


def begin(conn: Connection, work: Work, owner: str) -> None:
    """Write down what is about to be done."""
    _insert(conn, (work.ids[0], owner), work.seeds, work.keys, work.crossed)


def extend(conn: Connection, work_id: str, owner: str, holders: Iterable[str], crossed: int) -> None:
    """Write down what a key's crossing brings: the components of all its holders, and their pairs."""
    _insert(conn, (work_id, owner), holders, (), (crossed,))


def _insert(
    conn: Connection, name: tuple[str, str], seeds: Iterable[str], keys: Iterable[int], crossed: Iterable[int]
) -> None:
    row = {
        "id": name[0],
        "owner": name[1],
        "seeds": pack_ids(sorted(seeds)),
        "keys": pack_keys(sorted(keys)),
        "crossed": pack_keys(sorted(crossed)),
    }
    conn.execute(tables.journal.insert().values(row))


def finish(conn: Connection, work: Work) -> None:
    """What was begun is done."""
    conn.execute(delete(tables.journal).where(tables.journal.c.id.in_(work.ids)))


def unfinished(conn: Connection, owners: Collection[str]) -> list[Work]:
    """The work that these workers began and did not finish; whether they told of pairs is not known."""
    j = tables.journal
    query = (
        select(j.c.id, j.c.seeds, j.c["keys"], j.c.crossed)
        .where(j.c.owner.in_(list(owners)))
        .order_by(j.c.id)
    )
    return [
        Work(
            ids=[row.id],
            key=str(UUID(row.id)),
            seeds=set(unpack_ids(bytes(row.seeds))),
            keys=set(unpack_keys(bytes(row.keys))),
            crossed=set(unpack_keys(bytes(row.crossed))),
            whole=set(unpack_ids(bytes(row.seeds))),
        )
        for row in conn.execute(query)
    ]


def beat(conn: Connection, owner: str, now: float) -> None:
    """Say that this worker lives."""
    upsert(conn, tables.worker, [{"owner": owner, "beat": now}])


def resign(conn: Connection, owner: str) -> None:
    """Say that this worker is gone."""
    conn.execute(delete(tables.worker).where(tables.worker.c.owner == owner))


def living(conn: Connection, since: float) -> set[str]:
    """The workers that have said since then that they live."""
    w = tables.worker
    return set(conn.execute(select(w.c.owner).where(w.c.beat >= since)).scalars())


def owners(conn: Connection) -> set[str]:
    """Whoever has unfinished work or unsent messages."""
    found = set(conn.execute(select(tables.journal.c.owner).distinct()).scalars())
    return found | set(conn.execute(select(tables.outbox.c.owner).distinct()).scalars())


def adopt(conn: Connection, gone: Collection[str], owner: str) -> None:
    """Take over the work and the messages of workers that are gone."""
    for table in (tables.journal, tables.outbox):
        conn.execute(update(table).where(table.c.owner.in_(list(gone))).values(owner=owner))
    conn.execute(delete(tables.worker).where(tables.worker.c.owner.in_(list(gone))))
