"""The outbox: what a transaction wants to tell the log, kept with what it did, sent once it has committed.

A row holds the messages of one ``publish``, packed and compressed: a batch costs one row, not a
thousand. Sending is at least once and, per owner, in order.
"""

from collections.abc import Collection, Iterator, Sequence
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
        sqlite_autoincrement=True,  # no number comes twice: ``relay`` remembers what it sent
    )


def publish(
    conn: Connection, outbox: Table, topic: str, records: Sequence[NewRecord], *, owner: str = ""
) -> None:
    """Leave ``records`` for the relay, in order, as part of the transaction of ``conn``."""
    rows = [{"owner": owner, "topic": topic, "payload": pack(part)} for part in _parts(records)]
    if rows:
        conn.execute(insert(outbox), rows)


def relay(
    db: "Database", log: Log, outbox: Table, *, owner: str | None = None, sent: set[int] | None = None
) -> int:
    """Append what was published to the log, in order, then delete it; the number of messages sent.

    ``owner`` None takes every row. On PostgreSQL rows that another relay is sending are passed over;
    elsewhere they may be sent twice, which readers of versioned messages do not notice. With ``sent`` the
    last rows are not deleted but named there, for ``strike`` in the caller's next transaction, which saves
    one of their own; a call that finds nothing new strikes them itself.
    """
    total = 0
    while True:
        if sent is not None or db.is_sqlite:
            with db.snapshot() as conn:
                rows = _next(conn, outbox, owner, sent or ())
            total += _send(log, rows)
            found = {r[0] for r in rows}
            if sent is not None:
                sent |= found
                found = sent if len(rows) == _ROWS or not total else set()
            if found:
                with db.transaction() as conn:
                    strike(conn, outbox, found)
                found.clear()
        else:
            with db.transaction() as conn:
                rows = _next(conn, outbox, owner)
                total += _send(log, rows)
                strike(conn, outbox, {r[0] for r in rows})
        if len(rows) < _ROWS:
            return total


def strike(conn: Connection, outbox: Table, ids: Collection[int]) -> None:
    """Delete rows that were sent."""
    if ids:
        conn.execute(delete_from(outbox).where(outbox.c.id.in_(sorted(ids))))


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


def _next(
    conn: Connection, outbox: Table, owner: str | None, but: Collection[int] | None = None
) -> list[tuple[int, str, bytes]]:
    """The first rows; those named in ``but`` are passed over. Without ``but`` they are locked."""
    query = select(outbox.c.id, outbox.c.topic, outbox.c.payload).order_by(outbox.c.id).limit(_ROWS)
    if owner is not None:
        query = query.where(outbox.c.owner == owner)
    if but is None:
        query = query.with_for_update(skip_locked=True)
    elif but:
        query = query.where(outbox.c.id.not_in(but))
    return [(r[0], r[1], bytes(r[2])) for r in conn.execute(query)]


def _send(log: Log, rows: Sequence[tuple[int, str, bytes]]) -> int:
    sent = 0
    for _, topic, payload in rows:
        records = unpack(payload)
        log.append(topic, records)
        sent += len(records)
    return sent
