"""The SQLite log's file: its tables, its connections, and the records in them.

Each partition has a *slot*, and each slot a table of its own, so that an append always lands on the last
page: SQLite fills such pages to the brim and never searches. Which errors trying again may cure is decided
here, in ``translated``.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

import orjson
import xxhash

from shared.contracts.topics import Topic
from shared.errors import InterlockError, Misconfigured, Transient
from shared.log import NewRecord, Position, Record
from shared.sqlite_begin import BUSY, begin_immediate, moment

SCHEMA_VERSION: Final = 1
DAY_MS: Final = 86_400_000
CONTENTION: Final = 10.0
"""Seconds to wait for the file's one writer before giving up with ``Transient``."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS topic(name TEXT PRIMARY KEY, compacted INTEGER NOT NULL, retention_ms INTEGER);
CREATE TABLE IF NOT EXISTS slot(
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, partition INTEGER NOT NULL,
    next INTEGER NOT NULL DEFAULT 0, clean INTEGER NOT NULL DEFAULT 0, UNIQUE(topic, partition));
CREATE TABLE IF NOT EXISTS progress(
    grp TEXT, slot INTEGER, next INTEGER NOT NULL, PRIMARY KEY(grp, slot)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS member(
    id TEXT PRIMARY KEY, grp TEXT NOT NULL, topics TEXT NOT NULL, expires_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS lease(
    grp TEXT, slot INTEGER, member TEXT, epoch INTEGER NOT NULL, successor TEXT,
    since_ms INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(grp, slot)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tombstone(
    slot INTEGER, offset INTEGER, timestamp_ms INTEGER NOT NULL, PRIMARY KEY(slot, offset)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS housekeeping(id INTEGER PRIMARY KEY CHECK(id = 1), due_ms INTEGER NOT NULL);
INSERT OR IGNORE INTO housekeeping VALUES (1, 0)
"""

_AWAY: Final = frozenset(
    {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT}
)


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: a hash that is the same on every machine and for ever."""
    return xxhash.xxh3_64_intdigest(key.encode()) % partitions


def translated(error: sqlite3.Error, path: Path) -> Exception:
    """``error`` named by what to do next; an error that is nobody's but ours comes back unchanged."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return Transient(f"the disk of the log is full: free some space beside {path}", retry_after=5.0)
    if code in BUSY:
        return Transient(f"the log {path} is busy: {error}", retry_after=0.5)
    if code in _AWAY:
        return Transient(f"the log {path} cannot be reached: {error}", retry_after=2.0)
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOTADB}:
        return Misconfigured(f"INTERLOCK_LOG: {path} is not a log that can be written: {error}")
    return error


def connect(path: Path, *, wait: float = 5.0) -> sqlite3.Connection:
    """A connection in autocommit, durable; ``wait``: seconds, for locks. Raises as ``translated``."""
    try:
        connection = sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise translated(error, path) from error
    try:
        for pragma in (
            "synchronous=FULL",  # an accepted report survives power loss
            "fullfsync=ON",  # the same where fsync alone does not reach the platter
            "secure_delete=ON",  # what was expunged is gone from the file
            "wal_autocheckpoint=8000",
            "journal_size_limit=67108864",
            "cache_size=-16384",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error as error:
        connection.close()
        raise translated(error, path) from error
    return connection


def create(path: Path) -> None:
    """Make the file and its tables where they are missing; several processes may do so at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = connect(path, wait=CONTENTION)
    try:
        with speaking(path):
            _switch_to_wal(connection)
        with transaction(connection, path):
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise Misconfigured(f"INTERLOCK_LOG: {path} was written by a newer Interlock")
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    finally:
        connection.close()


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Set WAL; the busy handler does not cover this switch, so it is repeated here."""
    deadline = time.monotonic() + CONTENTION
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


@contextmanager
def speaking(path: Path) -> Iterator[None]:
    """Raise every error of SQLite as ``translated``."""
    try:
        yield
    except sqlite3.Error as error:
        better = translated(error, path)
        if better is error:
            raise
        raise better from error


class Turnstile:
    """Where the processes that want to write queue, so that a busy one cannot go twice while another waits.

    Only who is next waits for the file itself; everybody else, the one before included, waits here. It makes
    waiting fair and nothing more: whoever cannot get in goes on without.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(f"{path}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def next(self) -> Iterator[None]:
        """Be the next to write."""
        deadline = time.monotonic() + CONTENTION
        held = False
        while not held and time.monotonic() < deadline:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held = True
            except OSError:
                time.sleep(moment())
        try:
            yield
        finally:
            if held:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


@contextmanager
def transaction(
    connection: sqlite3.Connection, path: Path, turnstile: Turnstile | None = None
) -> Iterator[None]:
    """Hold the file's one write lock; commit at the end, roll back on any error. Raises as ``translated``."""
    with speaking(path):
        with turnstile.next() if turnstile else nullcontext():
            begin_immediate(connection, CONTENTION)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    """Undo only this part of a transaction when it raises one of our own errors."""
    connection.execute("SAVEPOINT part")
    try:
        yield
    except InterlockError:
        connection.execute("ROLLBACK TO part")
        raise
    finally:
        if connection.in_transaction:
            connection.execute("RELEASE part")


def create_topic(connection: sqlite3.Connection, topic: Topic, partitions: int) -> None:
    """Create a topic, or bring the retention and compaction of one that exists up to date."""
    retention = None if topic.retention_days is None else topic.retention_days * DAY_MS
    connection.execute(
        "INSERT INTO topic VALUES (?, ?, ?)"
        " ON CONFLICT(name) DO UPDATE"
        " SET compacted = excluded.compacted, retention_ms = excluded.retention_ms",
        (topic.name, topic.compacted, retention),
    )
    if slots_of(connection, topic.name):
        return
    for partition in range(partitions):
        slot = connection.execute(
            "INSERT INTO slot(topic, partition) VALUES (?, ?)", (topic.name, partition)
        ).lastrowid
        connection.execute(
            f"CREATE TABLE record_{slot}(offset INTEGER PRIMARY KEY, timestamp_ms INTEGER NOT NULL,"
            " key TEXT NOT NULL, headers BLOB, value BLOB)"
        )
        connection.execute(f"CREATE TABLE latest_{slot}(hash INTEGER PRIMARY KEY, offset INTEGER NOT NULL)")


def slots_of(connection: sqlite3.Connection, topic: str) -> tuple[int, ...]:
    """The slots of a topic in order of partition; empty where there is no such topic."""
    rows = connection.execute("SELECT id FROM slot WHERE topic = ? ORDER BY partition", (topic,))
    return tuple(slot for (slot,) in rows)


def insert(
    connection: sqlite3.Connection, slots: Sequence[int], records: Sequence[NewRecord], now_ms: int
) -> list[tuple[int, int]]:
    """Append records of one topic; gives (partition, offset) of each, in order."""
    places: list[tuple[int, int]] = []
    following: dict[int, int] = {}
    rows: dict[int, list[tuple[int, int, str, bytes | None, bytes | None]]] = {}
    for record in records:
        partition = partition_of(record.key, len(slots))
        if partition not in rows:
            query = connection.execute("SELECT next FROM slot WHERE id = ?", (slots[partition],))
            following[partition] = query.fetchone()[0]
            rows[partition] = []
        offset = following[partition]
        following[partition] = offset + 1
        headers = orjson.dumps(dict(record.headers)) if record.headers else None
        rows[partition].append((offset, now_ms, record.key, headers, record.value))
        places.append((partition, offset))
    for partition, batch in rows.items():
        slot = slots[partition]
        connection.executemany(f"INSERT INTO record_{slot} VALUES (?, ?, ?, ?, ?)", batch)  # noqa: S608 - an integer
        connection.execute("UPDATE slot SET next = ? WHERE id = ?", (following[partition], slot))
    return places


def select(
    connection: sqlite3.Connection, slot: int, start: Position, limit: int, budget: int
) -> Iterable[Record]:
    """Records of one slot from ``start`` on: at most ``limit``, no more once ``budget`` bytes are full."""
    rows = connection.execute(
        f"SELECT offset, timestamp_ms, key, headers, value FROM record_{slot}"  # noqa: S608 - an integer
        " WHERE offset >= ? ORDER BY offset LIMIT ?",
        (start.offset, limit),
    )
    try:
        for offset, timestamp_ms, key, headers, value in rows:
            position = Position(start.topic, start.partition, offset)
            yield Record(position, key, value, orjson.loads(headers) if headers else {}, timestamp_ms)
            budget -= len(value or b"")
            if budget <= 0:
                return
    finally:
        rows.close()


def ends(connection: sqlite3.Connection, topic: str) -> dict[int, int]:
    """Per partition, the offset that comes next."""
    rows = connection.execute("SELECT partition, next FROM slot WHERE topic = ? ORDER BY partition", (topic,))
    return dict(rows.fetchall())


def committed(connection: sqlite3.Connection, group: str, topic: str) -> dict[int, int]:
    """Per partition, the first offset that the group has not committed; 0 where it has none."""
    rows = connection.execute(
        "SELECT s.partition, COALESCE(p.next, 0) FROM slot s"
        " LEFT JOIN progress p ON p.slot = s.id AND p.grp = ? WHERE s.topic = ? ORDER BY s.partition",
        (group, topic),
    )
    return dict(rows.fetchall())
