"""The outbox: what a transaction wants to tell the log, kept with what it did, sent once it has committed.

A row holds the messages of one ``publish``, packed and compressed: a batch costs one row, not a
thousand. Sending is at least once and, per owner, in order.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import lz4.frame
import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    insert,
    select,
)
from sqlalchemy import delete as delete_from

from shared.log import Log, NewRecord

if TYPE_CHECKING:
    from shared.database import Database

_ROW_BYTES: Final = 8 << 20
"""A publish larger than this is cut into several rows."""
_ROWS: Final = 16


def outbox_table(metadata: MetaData, name: str = "outbox") -> Table:
    """The outbox of one service; ``owner`` is the worker that relays the row."""
    return Table(
        name,
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("owner", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Index(f"{name}_owner", "owner", "id"),
    )


def publish(
    conn: Connection, outbox: Table, topic: str, records: Sequence[NewRecord], *, owner: str = ""
) -> None:
    """Leave ``records`` for the relay, in order, as part of the transaction of ``conn``."""
    rows = [{"owner": owner, "topic": topic, "payload": pack(part)} for part in _parts(records)]
    if rows:
        conn.execute(insert(outbox), rows)


def relay(db: "Database", log: Log, outbox: Table, *, owner: str | None = None) -> int:
    """Append what was published to the log, in order, then delete it; the number of messages sent.

    ``owner`` None takes every row. On PostgreSQL rows that another relay is sending are passed over;
    elsewhere they may be sent twice, which readers of versioned messages do not notice.
    """
    sent = 0
    while True:
        if db.is_sqlite:
            with db.snapshot() as conn:
                rows = _next(conn, outbox, owner)
            sent += _send(log, rows)
            if rows:
                with db.transaction() as conn:
                    _delete(conn, outbox, rows)
        else:
            with db.transaction() as conn:
                rows = _next(conn, outbox, owner)
                sent += _send(log, rows)
                _delete(conn, outbox, rows)
        if len(rows) < _ROWS:
            return sent


def pack(records: Sequence[NewRecord]) -> bytes:
    """Records as one compressed value: a line of JSON with keys, lengths and headers, then the values."""
    head = orjson.dumps(
        [[r.key, None if r.value is None else len(r.value), dict(r.headers)] for r in records]
    )
    packed: bytes = lz4.frame.compress(b"".join((head, b"\n", *(r.value or b"" for r in records))))
    return packed


def unpack(payload: bytes) -> list[NewRecord]:
    """The inverse of ``pack``."""
    raw = lz4.frame.decompress(payload)
    end = raw.index(b"\n")
    records, at = [], end + 1
    for key, length, headers in orjson.loads(raw[:end]):
        value = None if length is None else raw[at : at + length]
        at += length or 0
        records.append(NewRecord(key, value, headers))
    return records


def _parts(records: Sequence[NewRecord]) -> Iterator[list[NewRecord]]:
    part: list[NewRecord] = []
    size = 0
    for record in records:
        length = len(record.value or b"")
        if part and size + length > _ROW_BYTES:
            yield part
            part, size = [], 0
        part.append(record)
        size += length
    if part:
        yield part


def _next(conn: Connection, outbox: Table, owner: str | None) -> list[tuple[int, str, bytes]]:
    query = select(outbox.c.id, outbox.c.topic, outbox.c.payload).order_by(outbox.c.id).limit(_ROWS)
    if owner is not None:
        query = query.where(outbox.c.owner == owner)
    if conn.dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return [(r[0], r[1], bytes(r[2])) for r in conn.execute(query)]


def _send(log: Log, rows: Sequence[tuple[int, str, bytes]]) -> int:
    sent = 0
    for _, topic, payload in rows:
        records = unpack(payload)
        log.append(topic, records)
        sent += len(records)
    return sent


def _delete(conn: Connection, outbox: Table, rows: Sequence[tuple[int, str, bytes]]) -> None:
    if rows:
        conn.execute(delete_from(outbox).where(outbox.c.id.in_([r[0] for r in rows])))
