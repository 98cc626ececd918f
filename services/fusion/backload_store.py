"""The statements of ``resolve``: which row has which profile, profiles' strongest ties, and the answers."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    literal,
    select,
    tuple_,
)

from services.fusion import tables
from shared.database import Database, HexId, delete_rows, fetch, insert_new, upsert

_CHUNK: Final = 5_000
_metadata: Final = MetaData()
_row: Final = Table(
    "row",
    _metadata,
    Column("id", Text, primary_key=True),
    Column("ordinal", BigInteger, nullable=False, unique=True, comment="its place in the file"),
    Column("line", BigInteger, nullable=False),
    Column("profile", HexId, comment="null: nothing in it can be compared"),
    Column("own", HexId, nullable=False, comment="names its entity where it has no profile"),
    Index("row_profile", "profile", "ordinal"),
)
_tie: Final = Table(
    "tie",
    _metadata,
    Column("profile", HexId, primary_key=True),
    Column("weight", Integer, nullable=False, comment="of its strongest tie, centibits"),
)
_possible: Final = Table(
    "possible",
    _metadata,
    Column("a", HexId, primary_key=True),
    Column("b", HexId, primary_key=True, index=True),
    Column("weight", Integer, nullable=False),
    Column("evidence", Text, nullable=False, comment="in words"),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: its id, place and line, and its profile, if it has one."""

    id: str
    ordinal: int
    line: int
    profile: str | None
    own: str


@dataclass(frozen=True, slots=True)
class Holding:
    """The rows of one profile: the first one's id and place, and how many there are."""

    first: str
    ordinal: int
    count: int


def make_tables(db: Database) -> None:
    """Make the tables of rows beside the resolver's own."""
    with db.transaction() as conn:
        _metadata.create_all(conn)


def add_rows(conn: Connection, rows: Sequence[Row]) -> dict[str, int]:
    """Store rows; the lines on which ids were before that are not new, by id."""
    known: dict[str, int] = dict(fetch(conn, _row, ("id", "line"), "id", [r.id for r in rows]))
    insert_new(
        conn,
        _row,
        [
            {"id": r.id, "ordinal": r.ordinal, "line": r.line, "profile": r.profile, "own": r.own}
            for r in rows
            if r.id not in known
        ],
        key="id",
    )
    return known


def holdings(conn: Connection, profiles: Collection[str]) -> dict[str, Holding]:
    """The rows of these profiles."""
    found: dict[str, Holding] = {}
    ordered = sorted(profiles)
    for start in range(0, len(ordered), 500):
        part = _row.c.profile.in_(ordered[start : start + 500])
        first = select(_row.c.profile, func.min(_row.c.ordinal).label("first"), func.count().label("n"))
        each = first.where(part).group_by(_row.c.profile).subquery()
        query = select(each.c.profile, _row.c.id, each.c.first, each.c.n).join(
            _row, _row.c.ordinal == each.c.first
        )
        found.update({p: Holding(i, at, n) for p, i, at, n in conn.execute(query)})
    return found


def others(conn: Connection, profile: str, first: int) -> Iterator[str]:
    """The ids of a profile's rows after its first."""
    after = first
    while True:
        query = select(_row.c.ordinal, _row.c.id).where(_row.c.profile == profile, _row.c.ordinal > after)
        found = conn.execute(query.order_by(_row.c.ordinal).limit(_CHUNK)).all()
        if not found:
            return
        yield from (i for _, i in found)
        after = found[-1][0]


def put_ties(conn: Connection, weights: Mapping[str, int]) -> None:
    """Store each profile's strongest tie."""
    upsert(conn, _tie, [{"profile": p, "weight": w} for p, w in weights.items()])


def put_possible(
    conn: Connection, pairs: Sequence[tuple[str, str, int, str]], whole: Collection[str]
) -> None:
    """Store possible pairs (ends, weight, evidence in words), of ``whole`` in place of those stored."""
    for column in ("a", "b"):
        delete_rows(conn, _possible, [{column: i} for i in whole])
    upsert(conn, _possible, [dict(zip(("a", "b", "weight", "evidence"), p, strict=True)) for p in pairs])


def possible(conn: Connection) -> Iterator[list[tuple[str, str, int, str]]]:
    """The possible pairs in the order of their ends, some at a time."""
    p = _possible.c
    query = select(p.a, p.b, p.weight, p.evidence).order_by(p.a, p.b).limit(_CHUNK)
    after: tuple[str, str] | None = None
    while True:
        beyond = query if after is None else query.where(tuple_(p.a, p.b) > tuple_(*map(_end, after)))
        found = [(a, b, weight, evidence) for a, b, weight, evidence in conn.execute(beyond)]
        if not found:
            return
        yield found
        after = found[-1][0], found[-1][1]


def _end(profile: str) -> ColumnElement[str]:
    return literal(profile, HexId)


def entities(conn: Connection, profiles: Collection[str]) -> dict[str, str]:
    """The entity of each of these profiles."""
    places = {p: (leader, e) for p, leader, e in _places(conn, profiles)}
    heads = {p: e for p, _, e in _places(conn, {leader for leader, e in places.values() if e is None})}
    return {p: e or heads[leader] or leader for p, (leader, e) in places.items()}


def _places(conn: Connection, profiles: Iterable[str]) -> Iterable[tuple[str, str, str | None]]:
    columns = ("profile", "leader", "entity")
    return ((p, leader, e) for p, leader, e in fetch(conn, tables.assign, columns, "profile", profiles))


def answers(conn: Connection) -> Iterator[tuple[str, str, int | None]]:
    """Every row in the order of the file: its id, its entity, and the weight of its strongest tie."""
    place, head = tables.assign.alias("place"), tables.assign.alias("head")
    query = (
        select(_row.c.ordinal, _row.c.id, _row.c.own, place.c.entity, head.c.entity, _tie.c.weight)
        .join_from(_row, place, place.c.profile == _row.c.profile, isouter=True)
        .join(head, head.c.profile == place.c.leader, isouter=True)
        .join(_tie, _tie.c.profile == _row.c.profile, isouter=True)
        .order_by(_row.c.ordinal)
        .limit(_CHUNK)
    )
    after = -1
    while True:
        found = conn.execute(query.where(_row.c.ordinal > after)).all()
        if not found:
            return
        yield from ((i, own or leading or alone, weight) for _, i, alone, own, leading, weight in found)
        after = found[-1][0]


def sizes(conn: Connection) -> Counter[int]:
    """How many entities have how many rows."""
    place, head = tables.assign.alias("place"), tables.assign.alias("head")
    entity = func.coalesce(place.c.entity, head.c.entity, _row.c.own).label("entity")
    each = (
        select(entity, func.count().label("n"))
        .join_from(_row, place, place.c.profile == _row.c.profile, isouter=True)
        .join(head, head.c.profile == place.c.leader, isouter=True)
        .group_by(entity)
        .subquery()
    )
    counted: Counter[int] = Counter()
    for size, entities in conn.execute(select(each.c.n, func.count()).group_by(each.c.n)):
        counted[size] = entities
    return counted


def incomparable(conn: Connection) -> int:
    """How many rows have nothing that can be compared."""
    return int(conn.execute(select(func.count()).where(_row.c.profile.is_(None))).scalar_one())
