"""Bulk statements in both dialects: one statement and one round trip, whatever the number of rows.

PostgreSQL gets a column of values as one array (``unnest``), SQLite a prepared statement run per row.
Rows are sorted by key, so two writers always lock in the same order. Values go through the column's type
once per column, not through a statement's machinery once per value.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import JSON, Connection, Float, LargeBinary, Numeric, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import IntegrityError

Row = Mapping[str, Any]
Values = tuple[Any, ...]
Names = tuple[str, ...]

_PLAIN: Final = frozenset({"UUID", "BIGINT", "INTEGER", "SMALLINT", "BOOLEAN", "FLOAT", "DOUBLE PRECISION"})
_TEXT: Final = frozenset({"TEXT", "VARCHAR"})
_CHUNK: Final = 5_000
"""Rows per statement: bounds memory, far past where a larger chunk would gain."""


def upsert(
    conn: Connection,
    table: Table,
    rows: Sequence[Row],
    *,
    key: Sequence[str] | None = None,
    update: Sequence[str] | None = None,
    newer: str | None = None,
) -> None:
    """Insert rows (all with the same columns), or update those whose ``key`` exists.

    ``key`` defaults to the primary key, ``update`` to all the other columns given (empty: leave what is
    there). ``newer`` names a column: an existing row is only replaced by one whose value there is larger.
    Of several rows with one key in ``rows`` the last counts (with ``newer``: the newest).
    """
    if not rows:
        return
    names = tuple(rows[0])
    by = tuple(key) if key is not None else tuple(c.name for c in table.primary_key)
    changed = tuple(update) if update is not None else tuple(n for n in names if n not in by)
    distinct = _distinct(rows, by, newer)
    if any(isinstance(table.c[n].type, JSON) for n in names):
        _upsert_json(conn, table, distinct, (by, changed, newer))
    else:
        _write(conn, table, names, _tuples(distinct, names), _conflict(table.name, by, changed, newer))


def insert_rows(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows (all with the same columns); one that exists is an ``IntegrityError``."""
    if not rows:
        return
    names = tuple(rows[0])
    if any(isinstance(table.c[n].type, JSON) for n in names):
        conn.execute(table.insert(), list(rows))
    else:
        _write(conn, table, names, _tuples(rows, names), "")


def insert_missing(conn: Connection, table: Table, names: Names, rows: Iterable[Values]) -> None:
    """Insert rows of ``names``, which begin with the primary key; those that exist are passed over."""
    _write(conn, table, names, sorted(rows), " ON CONFLICT DO NOTHING")


def insert_new(conn: Connection, table: Table, rows: Sequence[Row], *, key: str) -> set[Any]:
    """Insert the rows whose ``key`` is not there yet; the keys that were inserted.

    On PostgreSQL a row that another transaction is inserting is waited for, and then is not new.
    """
    if not rows:
        return set()
    distinct = _distinct(rows, (key,), None)
    if conn.dialect.name == "sqlite":
        return {r[key] for r in _insert_new_here(conn, table, distinct, key)}
    names = tuple(distinct[0])
    tail = f" ON CONFLICT ({_quote(key)}) DO NOTHING RETURNING {_quote(key)}"
    returned = _write(conn, table, names, _tuples(distinct, names), tail)
    return {row[0] for row in _converted(table, (key,), conn.dialect, returned)}


def _insert_new_here(conn: Connection, table: Table, rows: Sequence[Row], key: str) -> Sequence[Row]:
    """SQLite's way: mostly all are new, so look only for the rows behind the first that is not."""
    dbapi: Any = conn.connection.dbapi_connection
    before = dbapi.total_changes
    try:
        insert_rows(conn, table, rows)
    except IntegrityError:
        done = dbapi.total_changes - before
        there = {r[0] for r in fetch(conn, table, [key], key, [r[key] for r in rows[done:]])}
        fresh = [r for r in rows[done:] if r[key] not in there]
        insert_rows(conn, table, fresh)
        return [*rows[:done], *fresh]
    return rows


def delete_rows(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Delete the rows that equal one of ``rows`` in the columns given (the same in all)."""
    if rows:
        names = tuple(rows[0])
        delete_values(conn, table, names, _tuples(rows, names))


def delete_values(conn: Connection, table: Table, names: Names, rows: Iterable[Values]) -> None:
    """Delete the rows that equal one of ``rows`` in the columns ``names``."""
    ordered = sorted(rows)
    if conn.dialect.name == "sqlite":
        where = " AND ".join(f"{_quote(n)} = ?" for n in names)
        bound = _bound(table, names, conn.dialect, ordered)
        if bound:
            conn.exec_driver_sql(f"DELETE FROM {table.name} WHERE {where}", bound)  # noqa: S608 - names from the schema
        return
    where = " AND ".join(f"t.{_quote(n)} = r.{_quote(n)}" for n in names)
    for chunk in _chunks(ordered):
        source, params = _source(conn.dialect, table, names, chunk)
        conn.exec_driver_sql(f"DELETE FROM {table.name} t USING {source} WHERE {where}", params)  # noqa: S608 - names from the schema


def accumulate(
    conn: Connection, table: Table, rows: Sequence[Row], *, key: str, column: str
) -> dict[Any, tuple[int, int]]:
    """Insert rows, or add ``column`` to that of the row whose ``key`` exists (leaving its other columns).

    Gives the number before and after, by key. Keys are distinct. Two transactions that touch one row take
    turns; each sees what the other committed.
    """
    if not rows:
        return {}
    ordered = sorted(rows, key=itemgetter(key))
    if conn.dialect.name == "sqlite":
        before: dict[Any, int] = dict(fetch(conn, table, [key, column], key, [r[key] for r in ordered]))
        insert_rows(conn, table, [r for r in ordered if r[key] not in before])
        changes = [(r[key], r[column]) for r in ordered if r[key] in before]
        if changes:
            statement = (
                f"UPDATE {table.name} SET {_quote(column)} = {_quote(column)} + ?2 WHERE {_quote(key)} = ?1"  # noqa: S608 - names from the schema
            )
            conn.exec_driver_sql(statement, _bound(table, (key, column), conn.dialect, changes))
        return {r[key]: (before.get(r[key], 0), before.get(r[key], 0) + r[column]) for r in ordered}
    names = tuple(ordered[0])
    counted = f"{_quote(column)} = {table.name}.{_quote(column)} + excluded.{_quote(column)}"
    tail = f" ON CONFLICT ({_quote(key)}) DO UPDATE SET {counted} RETURNING {_quote(key)}, {_quote(column)}"
    returned = _write(conn, table, names, _tuples(ordered, names), tail)
    after: dict[Any, int] = dict(_converted(table, (key, column), conn.dialect, returned))
    return {r[key]: (after[r[key]] - r[column], after[r[key]]) for r in ordered}


def fetch(
    conn: Connection,
    table: Table,
    columns: Sequence[str],
    key: str,
    keys: Iterable[Any],
    *,
    lock: bool = False,
) -> Iterator[Values]:
    """The rows whose ``key`` is one of ``keys``, as tuples of ``columns``; in no particular order.

    ``lock``: also lock them, in order of the key, waiting for whoever has them.
    """
    distinct = sorted(set(keys)) if lock else list(dict.fromkeys(keys))
    names = tuple(columns)
    tail = f" ORDER BY {_quote(key)} FOR UPDATE" if lock else ""
    head = f"SELECT {', '.join(map(_quote, names))} FROM {table.name} WHERE {_quote(key)}"  # noqa: S608 - names from the schema
    bind, _, cast = _codec(table, key, conn.dialect)
    for chunk in _chunks(distinct):
        values = list(map(bind, chunk)) if bind else list(chunk)
        if conn.dialect.name == "sqlite":
            # Padded to a power of two, so that a few statements serve all lengths from the cache.
            values += values[-1:] * ((1 << (len(values) - 1).bit_length()) - len(values))
            found = conn.exec_driver_sql(f"{head} IN ({','.join('?' * len(values))})", tuple(values))
        else:
            found = conn.exec_driver_sql(f"{head} = ANY(%s::{cast}[]){tail}", (_array(values, cast),))
        yield from _converted(table, names, conn.dialect, found.fetchall())


def fetch_first(
    conn: Connection, table: Table, columns: Sequence[str], key: str, keys: Iterable[Any], by: tuple[str, int]
) -> Iterator[Values]:
    """Of the rows of each of ``keys``, the first ones: ``by`` is the column of their order and how many."""
    names, (order, most) = tuple(columns), by
    shown = ", ".join(map(_quote, names))
    bind, _, cast = _codec(table, key, conn.dialect)
    distinct = list(dict.fromkeys(keys))
    values = list(map(bind, distinct)) if bind else distinct
    rest = f"ORDER BY {_quote(order)} LIMIT"
    rows: list[Sequence[Any]] = []
    if conn.dialect.name == "sqlite":
        statement = f"SELECT {shown} FROM {table.name} WHERE {_quote(key)} = ? {rest} ?"  # noqa: S608 - names from the schema
        for value in values:
            rows += conn.exec_driver_sql(statement, (value, most)).fetchall()
    elif values:
        inner = f"SELECT {shown} FROM {table.name} WHERE {_quote(key)} = q.k {rest} %s"  # noqa: S608 - names from the schema
        statement = f"SELECT r.* FROM unnest(%s::{cast}[]) AS q(k) CROSS JOIN LATERAL ({inner}) AS r"  # noqa: S608 - names from the schema
        rows += conn.exec_driver_sql(statement, (_array(values, cast), most)).fetchall()
    yield from _converted(table, names, conn.dialect, rows)


def _write(
    conn: Connection, table: Table, names: Names, rows: Sequence[Values], tail: str
) -> list[Sequence[Any]]:
    """Insert tuples, with ``tail`` after the statement; what it returns (PostgreSQL only)."""
    columns = ", ".join(map(_quote, names))
    head = f"INSERT INTO {table.name} ({columns})"
    if conn.dialect.name == "sqlite":
        if rows:
            marks = ", ".join("?" * len(names))
            conn.exec_driver_sql(f"{head} VALUES ({marks}){tail}", _bound(table, names, conn.dialect, rows))
        return []
    returned: list[Sequence[Any]] = []
    for chunk in _chunks(rows):
        source, params = _source(conn.dialect, table, names, chunk)
        result = conn.exec_driver_sql(f"{head} SELECT {columns} FROM {source}{tail}", params)  # noqa: S608 - names from the schema
        if result.returns_rows:
            returned += result.fetchall()
    return returned


def _upsert_json(
    conn: Connection, table: Table, rows: Sequence[Row], shape: tuple[Names, Names, str | None]
) -> None:
    """The slow way, through SQLAlchemy, for documents."""
    by, changed, newer = shape
    insert = (postgresql if conn.dialect.name == "postgresql" else sqlite).insert(table)
    if changed:
        where = None if newer is None else insert.excluded[newer] > table.c[newer]
        assignments = {n: insert.excluded[n] for n in changed}
        statement = insert.on_conflict_do_update(index_elements=list(by), set_=assignments, where=where)
    else:
        statement = insert.on_conflict_do_nothing(index_elements=list(by))
    for chunk in _chunks(rows):
        conn.execute(statement, [dict(r) for r in chunk])


def _conflict(name: str, by: Names, changed: Names, newer: str | None) -> str:
    target = ", ".join(map(_quote, by))
    if not changed:
        return f" ON CONFLICT ({target}) DO NOTHING"
    assignments = ", ".join(f"{_quote(n)} = excluded.{_quote(n)}" for n in changed)
    where = "" if newer is None else f" WHERE excluded.{_quote(newer)} > {name}.{_quote(newer)}"
    return f" ON CONFLICT ({target}) DO UPDATE SET {assignments}{where}"


def _source(dialect: Dialect, table: Table, names: Names, rows: Sequence[Values]) -> tuple[str, Values]:
    """The rows as a table ``r`` of arrays, PostgreSQL only."""
    codecs = [_codec(table, n, dialect) for n in names]
    arrays = ", ".join(f"%s::{cast}[]" for _, _, cast in codecs)
    params = [
        _array(map(bind, column) if bind else column, cast)
        for (bind, _, cast), column in zip(codecs, zip(*rows, strict=True), strict=True)
    ]
    return f"unnest({arrays}) AS r({', '.join(map(_quote, names))})", tuple(params)


def _array(values: Iterable[Any], cast: str) -> Any:
    """A column of values as PostgreSQL's array literal, many times faster than the driver's; or a list."""
    write: Callable[[Any], str]
    if cast in _PLAIN:
        write = str
    elif cast == "BYTEA":
        write = _hexadecimal
    elif cast in _TEXT:
        write = _quoted
    else:
        return list(values)
    return f"{{{','.join(['NULL' if v is None else write(v) for v in values])}}}"


def _hexadecimal(value: bytes) -> str:
    return f'"\\\\x{value.hex()}"'


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bound(table: Table, names: Names, dialect: Dialect, rows: Sequence[Values]) -> list[Values]:
    """The rows in the driver's form, column by column."""
    binds = [_codec(table, n, dialect)[0] for n in names]
    if not rows or not any(binds):
        return list(rows)
    columns = zip(*rows, strict=True)
    return list(zip(*(map(b, c) if b else c for b, c in zip(binds, columns, strict=True)), strict=True))


def _converted(
    table: Table, names: Names, dialect: Dialect, rows: Sequence[Sequence[Any]]
) -> Iterable[Values]:
    """What the driver gave, in the form of the columns' types, column by column."""
    results = [_codec(table, n, dialect)[1] for n in names]
    if not rows:
        return ()
    columns = zip(*rows, strict=True)
    return zip(*(map(r, c) if r else c for r, c in zip(results, columns, strict=True)), strict=True)


def _tuples(rows: Sequence[Row], names: Names) -> list[Values]:
    if len(names) == 1:
        return [(row[names[0]],) for row in rows]
    return list(map(itemgetter(*names), rows))


def _distinct(rows: Sequence[Row], by: Names, newer: str | None) -> list[Row]:
    """One row per key, sorted by key."""
    name = itemgetter(*by)
    kept: dict[Any, Row] = {}
    for row in rows:
        k = name(row)
        if newer is None or k not in kept or row[newer] >= kept[k][newer]:
            kept[k] = row
    return [kept[k] for k in sorted(kept)]


def _chunks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


Codec = tuple[Callable[[Any], Any] | None, Callable[[Any], Any] | None, str]
"""To the driver, from the driver (None: as it is), and PostgreSQL's name of the type."""


@lru_cache(maxsize=4_096)
def _codec(table: Table, name: str, dialect: Dialect) -> Codec:
    column = table.c[name].type
    direct = getattr(column, "codec", None)
    implementation: Any = column.dialect_impl(dialect)
    cast = implementation.compile(dialect).partition(" COLLATE ")[0]
    if direct is not None:
        bind, result = direct(dialect.name)
        return bind, result, cast
    if isinstance(implementation, LargeBinary):
        return None, None, cast
    if issubclass(type(implementation), (Numeric, Float)) and dialect.name == "postgresql":
        return implementation.bind_processor(dialect), None, cast  # the driver gives the right numbers
    return implementation.bind_processor(dialect), implementation.result_processor(dialect, None), cast


@lru_cache(maxsize=4_096)
def _quote(name: str) -> str:
    return f'"{name}"'
