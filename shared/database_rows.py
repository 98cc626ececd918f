"""Bulk statements in both dialects: one statement and one round trip, whatever the number of rows.

PostgreSQL gets a column of values as one array (``unnest``), SQLite a prepared statement run per row.
Rows are sorted by key, so two writers always lock in the same order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import JSON, Connection, Table, and_, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

Row = Mapping[str, Any]
Processor = Callable[[Any], Any]

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
    _write(conn, table, _distinct(rows, by, newer), (names, by, changed, newer))


def insert_rows(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows (all with the same columns); one that exists is an ``IntegrityError``."""
    if rows:
        _write(conn, table, rows, (tuple(rows[0]), None, (), None))


def insert_new(conn: Connection, table: Table, rows: Sequence[Row], *, key: str) -> set[Any]:
    """Insert the rows whose ``key`` is not there yet; the keys that were inserted.

    On PostgreSQL a row that another transaction is inserting is waited for, and then is not new.
    """
    if not rows:
        return set()
    distinct = _distinct(rows, (key,), None)
    if conn.dialect.name == "sqlite":
        there = {r[0] for r in fetch(conn, table, [key], key, [r[key] for r in distinct])}
        fresh = [r for r in distinct if r[key] not in there]
        if fresh:
            insert_rows(conn, table, fresh)
        return {r[key] for r in fresh}
    inserted: set[Any] = set()
    names = tuple(distinct[0])
    convert = _result(table, key, conn.dialect)
    for chunk in _chunks(distinct):
        statement, params = _unnest(conn.dialect, table, names, chunk)
        returned = conn.exec_driver_sql(
            f"{statement} ON CONFLICT ({_quote(key)}) DO NOTHING RETURNING {_quote(key)}", params
        )
        inserted.update(convert(r[0]) for r in returned)
    return inserted


def delete_rows(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Delete the rows that equal one of ``rows`` in the columns given (the same in all)."""
    if not rows:
        return
    names = tuple(rows[0])
    ordered = sorted(rows, key=itemgetter(*names))
    if conn.dialect.name == "sqlite":
        condition = and_(*(table.c[n] == bindparam(f"b_{n}", type_=table.c[n].type) for n in names))
        conn.execute(table.delete().where(condition), [{f"b_{n}": r[n] for n in names} for r in ordered])
        return
    for chunk in _chunks(ordered):
        source, params = _source(conn.dialect, table, names, chunk)
        where = " AND ".join(f"t.{_quote(n)} = r.{_quote(n)}" for n in names)
        conn.exec_driver_sql(f"DELETE FROM {table.name} t USING {source} WHERE {where}", params)  # noqa: S608 - names from the schema


def accumulate(
    conn: Connection, table: Table, rows: Sequence[Row], *, key: str, column: str
) -> dict[Any, tuple[int, int]]:
    """Insert rows, or add ``column`` to that of the row whose ``key`` exists (leaving its other columns).

    Gives the number before and after, by key. Keys are distinct. Two transactions that touch one row take
    turns; each sees what the other committed.
    """
    ordered = sorted(rows, key=itemgetter(key))
    if conn.dialect.name == "sqlite":
        before = dict(fetch(conn, table, [key, column], key, [r[key] for r in ordered]))
        insert_rows(conn, table, [r for r in ordered if r[key] not in before])
        added = update(table).where(table.c[key] == bindparam("b_key", type_=table.c[key].type))
        changes = [{"b_key": r[key], "b_add": r[column]} for r in ordered if r[key] in before]
        if changes:
            conn.execute(added.values({column: table.c[column] + bindparam("b_add")}), changes)
        return {r[key]: (before.get(r[key], 0), before.get(r[key], 0) + r[column]) for r in ordered}
    after: dict[Any, int] = {}
    convert = _result(table, key, conn.dialect)
    for chunk in _chunks(ordered):
        statement, params = _unnest(conn.dialect, table, tuple(chunk[0]), chunk)
        counted = f"{_quote(column)} = {table.name}.{_quote(column)} + excluded.{_quote(column)}"
        tail = (
            f" ON CONFLICT ({_quote(key)}) DO UPDATE SET {counted} RETURNING {_quote(key)}, {_quote(column)}"
        )
        after.update((convert(k), n) for k, n in conn.exec_driver_sql(statement + tail, params))
    return {r[key]: (after[r[key]] - r[column], after[r[key]]) for r in ordered}


def fetch(
    conn: Connection,
    table: Table,
    columns: Sequence[str],
    key: str,
    keys: Iterable[Any],
    *,
    lock: bool = False,
) -> Iterator[tuple[Any, ...]]:
    """The rows whose ``key`` is one of ``keys``, as tuples of ``columns``; in no particular order.

    ``lock``: also lock them, in order of the key, waiting for whoever has them.
    """
    distinct = sorted(set(keys)) if lock else list(dict.fromkeys(keys))
    tail = f" ORDER BY {_quote(key)} FOR UPDATE" if lock else ""
    bind = _binder(table, key, conn.dialect)
    convert = [_result(table, c, conn.dialect) for c in columns]
    head = f"SELECT {', '.join(_quote(c) for c in columns)} FROM {table.name} WHERE {_quote(key)}"  # noqa: S608 - names from the schema
    for chunk in _chunks(distinct):
        values = [bind(k) for k in chunk]
        if conn.dialect.name == "sqlite":
            # Padded to a power of two, so that a few statements serve all lengths from the cache.
            values += values[-1:] * ((1 << (len(values) - 1).bit_length()) - len(values))
            found = conn.exec_driver_sql(f"{head} IN ({','.join('?' * len(values))})", tuple(values))
        else:
            cast = _type(table, key, conn.dialect)
            found = conn.exec_driver_sql(f"{head} = ANY(%s::{cast}[]){tail}", (values,))
        for row in found:
            yield tuple(c(v) for c, v in zip(convert, row, strict=True))


def _write(
    conn: Connection,
    table: Table,
    rows: Sequence[Row],
    shape: tuple[tuple[str, ...], tuple[str, ...] | None, tuple[str, ...], str | None],
) -> None:
    names, by, changed, newer = shape
    simple = not any(isinstance(table.c[n].type, JSON) for n in names)
    if conn.dialect.name == "postgresql" and simple:
        tail = "" if by is None else _conflict(table.name, by, changed, newer)
        for chunk in _chunks(rows):
            statement, params = _unnest(conn.dialect, table, names, chunk)
            conn.exec_driver_sql(statement + tail, params)
        return
    module = postgresql if conn.dialect.name == "postgresql" else sqlite
    if by is None:
        conn.execute(table.insert(), list(rows))
        return
    insert = module.insert(table)
    if changed:
        where = None if newer is None else insert.excluded[newer] > table.c[newer]
        assignments = {n: insert.excluded[n] for n in changed}
        statement = insert.on_conflict_do_update(index_elements=list(by), set_=assignments, where=where)
    else:
        statement = insert.on_conflict_do_nothing(index_elements=list(by))
    for chunk in _chunks(rows):
        conn.execute(statement, [dict(r) for r in chunk])


def _conflict(name: str, by: tuple[str, ...], changed: tuple[str, ...], newer: str | None) -> str:
    target = ", ".join(_quote(n) for n in by)
    if not changed:
        return f" ON CONFLICT ({target}) DO NOTHING"
    assignments = ", ".join(f"{_quote(n)} = excluded.{_quote(n)}" for n in changed)
    where = "" if newer is None else f" WHERE excluded.{_quote(newer)} > {name}.{_quote(newer)}"
    return f" ON CONFLICT ({target}) DO UPDATE SET {assignments}{where}"


def _unnest(
    dialect: Dialect, table: Table, names: tuple[str, ...], rows: Sequence[Row]
) -> tuple[str, tuple[Any, ...]]:
    """``INSERT INTO table (names) SELECT … FROM unnest(…)``, and its parameters."""
    source, params = _source(dialect, table, names, rows)
    columns = ", ".join(_quote(n) for n in names)
    return f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {source}", params  # noqa: S608 - names from the schema


def _source(
    dialect: Dialect, table: Table, names: tuple[str, ...], rows: Sequence[Row]
) -> tuple[str, tuple[Any, ...]]:
    """The rows as a table ``r`` of arrays, PostgreSQL only."""
    arrays = ", ".join(f"%s::{_type(table, n, dialect)}[]" for n in names)
    params = []
    for name in names:
        bind = _binder(table, name, dialect)
        params.append([bind(row[name]) for row in rows])
    return f"unnest({arrays}) AS r({', '.join(_quote(n) for n in names)})", tuple(params)


def _distinct(rows: Sequence[Row], by: tuple[str, ...], newer: str | None) -> list[Row]:
    """One row per key, sorted by key."""
    kept: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        k = tuple(row[n] for n in by)
        if newer is None or k not in kept or row[newer] >= kept[k][newer]:
            kept[k] = row
    return [kept[k] for k in sorted(kept)]


def _chunks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


def _same(value: Any) -> Any:
    return value


def _binder(table: Table, name: str, dialect: Dialect) -> Processor:
    return table.c[name].type.dialect_impl(dialect).bind_processor(dialect) or _same


def _result(table: Table, name: str, dialect: Dialect) -> Processor:
    column = table.c[name]
    return column.type.dialect_impl(dialect).result_processor(dialect, None) or _same


def _type(table: Table, name: str, dialect: Dialect) -> str:
    compiled = table.c[name].type.dialect_impl(dialect).compile(dialect)
    return compiled.partition(" COLLATE ")[0]


@lru_cache(maxsize=4_096)
def _quote(name: str) -> str:
    return f'"{name}"'
