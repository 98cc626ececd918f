"""T2's statements: who holds a key, and which keys are generic for which audience."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select, text

from services.fusion import tables
from services.fusion.values import Key, Spot
from shared.database import advisory_lock, delete_rows, fetch, upsert

Holders = dict[Key, dict[str, list[str]]]
"""Per key and audience, ids of profiles: all of them, or at least one more than the cap."""

_OF_SPOT = "SELECT profile FROM posting WHERE key = ? AND audience = ? ORDER BY profile LIMIT ?"
_NEXT_AUDIENCE = "SELECT min(audience) FROM posting WHERE key = ? AND audience > ?"
_OF_SPOTS = """
WITH RECURSIVE a(key, audience) AS (
  SELECT k.key, (SELECT min(p.audience) FROM posting p WHERE p.key = k.key) FROM unnest(%s::bigint[]) k(key)
  UNION ALL
  SELECT a.key, (SELECT min(p.audience) FROM posting p WHERE p.key = a.key AND p.audience > a.audience)
  FROM a WHERE a.audience IS NOT NULL
)
SELECT a.key, a.audience, p.profile FROM a CROSS JOIN LATERAL
  (SELECT profile FROM posting WHERE posting.key = a.key AND posting.audience = a.audience
   ORDER BY profile LIMIT %s) AS p
WHERE a.audience IS NOT NULL
"""


def holders(conn: Connection, keys: Collection[Key], marked: Collection[Spot], cap: int) -> Holders:
    """Who holds each key, by audience: all, or where it is generic or about to be, more than ``cap``.

    A key without a mark is held by few, and read whole; one with a mark may be held by a multitude, and is
    read audience by audience, ``cap`` + 1 profiles of each.
    """
    found: Holders = defaultdict(lambda: defaultdict(list))
    crowded = {key for key, _ in marked}
    few = [key for key in keys if key not in crowded]
    for key, audience, profile in fetch(conn, tables.posting, ("key", "audience", "profile"), "key", few):
        found[key][audience].append(profile)
    if crowded:
        _of_spots(conn, sorted(crowded.intersection(keys)), cap + 1, found)
    return found


def _of_spots(conn: Connection, keys: Sequence[Key], limit: int, found: Holders) -> None:
    """Read keys with many holders audience by audience, so that one cannot hide the others."""
    if conn.dialect.name == "postgresql":
        for key, audience, profile in conn.exec_driver_sql(_OF_SPOTS, (list(keys), limit)):
            found[key][audience].append(profile)
        return
    for key in keys:
        audience = ""
        while True:
            audience = conn.exec_driver_sql(_NEXT_AUDIENCE, (key, audience)).scalar_one()
            if audience is None:
                break
            rows = conn.exec_driver_sql(_OF_SPOT, (key, audience, limit))
            found[key][audience] = [r[0].hex() for r in rows]


def marks(conn: Connection, keys: Collection[Key]) -> set[Spot]:
    """The marks on these keys: where they are generic."""
    return {(key, audience) for key, audience in fetch(conn, tables.mark, ["key", "audience"], "key", keys)}


def lock_spot(conn: Connection, spot: Spot) -> None:
    """Let nobody else evaluate this key and audience until the transaction ends."""
    advisory_lock(conn, spot[0])


def is_marked(conn: Connection, spot: Spot) -> bool:
    """Whether a key is marked as generic for an audience."""
    mark = tables.mark
    found = conn.execute(select(mark.c.key).where(mark.c.key == spot[0], mark.c.audience == spot[1]))
    return found.first() is not None


def spot_holders(conn: Connection, spot: Spot) -> list[str]:
    """All profiles of one audience that hold a key."""
    p = tables.posting
    return list(
        conn.execute(select(p.c.profile).where(p.c.key == spot[0], p.c.audience == spot[1])).scalars()
    )


def count_holders(conn: Connection, spot: Spot, limit: int) -> int:
    """How many profiles of one audience hold a key, counting no further than ``limit``."""
    query = text(
        "SELECT count(*) FROM "
        "(SELECT 1 FROM posting WHERE key = :key AND audience = :audience LIMIT :limit) AS few"
    )
    return int(conn.execute(query, {"key": spot[0], "audience": spot[1], "limit": limit}).scalar_one())


def set_mark(conn: Connection, spot: Spot, *, marked: bool) -> None:
    """Mark or unmark a key for an audience."""
    row = {"key": spot[0], "audience": spot[1]}
    if marked:
        upsert(conn, tables.mark, [row], update=())
    else:
        delete_rows(conn, tables.mark, [row])
