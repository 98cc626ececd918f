"""Databases: SQLite and PostgreSQL behind one small surface; all dialect knowledge lives in these modules.

``open_database(url)`` gives a ``Database``; ``db.transaction()`` is the only place that commits. Bulk
statements are in ``database_rows``, the outbox in ``database_outbox``; both are offered from here too.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psycopg
from alembic import command
from alembic.config import Config
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from sqlalchemy import Connection, Engine, LargeBinary, Uuid, create_engine, event, make_url, text
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.types import TypeDecorator, TypeEngine

from shared.database_outbox import outbox_table, publish, relay, strike
from shared.database_rows import (
    accumulate,
    delete_rows,
    delete_values,
    fetch,
    fetch_first,
    insert_missing,
    insert_new,
    insert_rows,
    upsert,
)
from shared.errors import Misconfigured, Transient
from shared.sqlite_begin import begin_immediate

__all__ = [
    "Busy", "Database", "HexId", "accumulate", "advisory_lock", "advisory_locks", "delete_rows",
    "delete_values", "fetch", "fetch_first", "insert_missing", "insert_new", "insert_rows", "lock_rows",
    "migrate", "open_database", "outbox_table", "publish", "relay", "strike", "upsert",
]  # fmt: skip

_SQLITE_TRANSIENT: Final = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
)
_LOCK_NOT_AVAILABLE: Final = "55P03"
_TRANSIENT_CLASSES: Final = ("08", "40", "53", "57")
"""SQLSTATE classes: connection, transaction rollback (deadlock, serialisation), resources, intervention."""


_WAL_BYTES: Final = 272 << 20
"""A write-ahead log larger than this was not begun anew by SQLite itself, for somebody always read it."""


class Busy(Transient):
    """Somebody else holds the lock that was asked for without waiting."""


class HexId(TypeDecorator[str]):
    """A 128-bit id: 32 hex digits in Python, 16 bytes in the database."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """``uuid`` on PostgreSQL, a blob on SQLite."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Uuid(as_uuid=False))
        return dialect.type_descriptor(LargeBinary(16))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """Hex digits (with or without dashes) to what the driver takes."""
        if value is None or dialect.name == "postgresql":
            return value
        return bytes.fromhex(value.replace("-", ""))

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """What the driver gives to 32 hex digits."""
        if value is None:
            return None
        return str(value) if dialect.name == "postgresql" else value.hex()

    @staticmethod
    def codec(dialect_name: str) -> tuple[Callable[[Any], Any] | None, Callable[[Any], Any] | None]:
        """To and from the driver, for bulk statements; None: as it is."""
        return (None, None) if dialect_name == "postgresql" else (_to_blob, _from_blob)


def _to_blob(value: str | None) -> bytes | None:
    return None if value is None else bytes.fromhex(value if len(value) == 32 else value.replace("-", ""))


def _from_blob(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


class _HexLoader(Loader):
    """Reads PostgreSQL's uuid as 32 hex digits."""

    def load(self, data: Buffer) -> str:
        """From the text form."""
        return bytes(data).decode().replace("-", "")


class Database:
    """An engine and the rules of its transactions; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._wal = Path(f"{engine.url.database}-wal") if self.is_sqlite else None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One read-write transaction: commits at the end, rolls back on any error.

        SQLite takes the write lock at once (``BEGIN IMMEDIATE``), so it never fails half-way. Raises
        ``Busy`` for a lock refused by NOWAIT, ``Transient`` for what trying again may cure.
        """
        with self._connected(write=True) as conn:
            yield conn

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A read-only transaction in which every statement sees the same committed state."""
        with self._connected(write=False) as conn:
            yield conn

    @contextmanager
    def _connected(self, *, write: bool) -> Iterator[Connection]:
        try:
            with self.engine.connect() as conn:
                if self.is_sqlite:
                    conn = conn.execution_options(interlock_write=write)  # noqa: PLW2901 - same connection
                elif not write:
                    conn = conn.execution_options(  # noqa: PLW2901 - same connection
                        isolation_level="REPEATABLE READ", postgresql_readonly=True
                    )
                with conn.begin():
                    yield conn
                if write and self._wal is not None:
                    _bound_wal(conn, self._wal)
        except DBAPIError as error:
            raise_as_transient(error)
            raise

    def ping(self) -> None:
        """Raise ``Transient`` unless the database answers."""
        with self.snapshot() as conn:
            conn.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def open_database(
    url: str,
    *,
    durable: bool = False,
    cache_mb: int = 64,
    mapped_mb: int = 256,
    pool_size: int = 8,
    busy_ms: int = 30_000,
) -> Database:
    """Open ``sqlite:///path`` or ``postgresql+psycopg://…``.

    ``durable``: SQLite syncs at each commit; otherwise a power cut may lose the last commits, which is
    right for a database that is rebuilt from the log. ``cache_mb`` is SQLite's page cache per connection,
    ``mapped_mb`` how much of its file is mapped, ``busy_ms`` how long one waits for another who writes.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        synchronous = "FULL" if durable else "NORMAL"
        return Database(_sqlite(parsed, synchronous, (cache_mb, mapped_mb, pool_size, busy_ms)))
    if parsed.get_backend_name() == "postgresql":
        return Database(_postgres(parsed, pool_size))
    raise Misconfigured(
        f"{parsed.render_as_string()}: use sqlite:///<file> or postgresql+psycopg://<host>/<database>"
    )


def _sqlite(url: URL, synchronous: str, limits: tuple[int, int, int, int]) -> Engine:
    """An engine that begins its transactions itself: the driver's own way cannot BEGIN IMMEDIATE."""
    cache_mb, mapped_mb, pool_size, busy_ms = limits
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    in_memory = not url.database or url.database == ":memory:"
    # Last in, first out: a connection loses its page cache when another one writes.
    sizes: dict[str, Any] = {} if in_memory else {"pool_size": pool_size, "pool_use_lifo": True}
    engine = create_engine(url, connect_args={"cached_statements": 512}, hide_parameters=True, **sizes)

    @event.listens_for(engine, "connect")
    def configure(dbapi: sqlite3.Connection, _record: object) -> None:
        dbapi.isolation_level = None
        for pragma in (
            f"busy_timeout={busy_ms}",
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "wal_autocheckpoint=50000",
            "journal_size_limit=268435456",
            f"cache_size=-{cache_mb * 1024}",
            f"mmap_size={mapped_mb << 20}",
            "temp_store=MEMORY",
        ):
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        if conn.get_execution_options().get("interlock_write", True):
            _begin_immediate(conn, busy_ms)
        else:
            conn.exec_driver_sql("BEGIN")

    return engine


def _bound_wal(conn: Connection, wal: Path) -> None:
    """Begin a large write-ahead log anew, waiting a moment for those who read it.

    SQLite does so by itself only where nobody happens to read: between busy processes the log would grow for
    ever, and every commit would copy its pages into the database at once.
    """
    try:
        size = wal.stat().st_size
    except FileNotFoundError:  # in memory
        return
    if size > _WAL_BYTES:
        dbapi: Any = conn.connection.dbapi_connection
        [waits] = dbapi.execute("PRAGMA busy_timeout").fetchone()
        dbapi.execute("PRAGMA busy_timeout=200")
        try:
            with suppress(sqlite3.OperationalError):  # what was committed stands; the next commit tries again
                dbapi.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            dbapi.execute(f"PRAGMA busy_timeout={waits}")


def _begin_immediate(conn: Connection, busy_ms: int) -> None:
    """Take the write lock; errors are those of a statement of ``conn``."""
    dbapi: Any = conn.connection.dbapi_connection
    dbapi.execute("PRAGMA busy_timeout=0")
    try:
        begin_immediate(dbapi, busy_ms / 1000)
    except sqlite3.OperationalError as error:
        raise DBAPIError.instance("BEGIN IMMEDIATE", None, error, sqlite3.Error) from error
    finally:
        dbapi.execute(f"PRAGMA busy_timeout={busy_ms}")


def _postgres(url: URL, pool_size: int) -> Engine:
    """An engine whose statements are prepared early and whose dead connections are noticed."""
    url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"prepare_threshold": 2, "connect_timeout": 10, "application_name": "interlock"},
    )

    @event.listens_for(engine, "connect")
    def configure(dbapi: Any, _record: object) -> None:
        dbapi.adapters.register_loader("uuid", _HexLoader)

    return engine


def raise_as_transient(error: DBAPIError) -> None:
    """Raise ``Busy`` or ``Transient`` where trying again may cure ``error``; return otherwise."""
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        if getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE_TRANSIENT:
            raise Transient(f"database: {cause}") from error
    elif isinstance(cause, psycopg.Error):
        state = cause.sqlstate
        if state == _LOCK_NOT_AVAILABLE:
            raise Busy("somebody else holds the lock") from error
        lost = state is None and isinstance(error, (OperationalError, InterfaceError))
        if error.connection_invalidated or lost or (state or "").startswith(_TRANSIENT_CLASSES):
            raise Transient(f"database: {cause}") from error


def lock_rows(conn: Connection, table: str, column: str, keys: Sequence[Any]) -> None:
    """Lock the rows of these keys in the order of the key; raises ``Busy`` rather than wait.

    ``keys`` are in the driver's form. SQLite has one writer, which holds everything already.
    """
    if conn.dialect.name == "postgresql" and keys:
        conn.exec_driver_sql(
            f"SELECT 1 FROM {table} WHERE {column} = ANY(%s) ORDER BY {column} FOR UPDATE NOWAIT",  # noqa: S608 - names from our code
            (sorted(keys),),
        )


def advisory_lock(conn: Connection, number: int, *, shared: bool = False) -> None:
    """Wait for the lock of this signed 64-bit number; the transaction's end releases it.

    Those who take it ``shared`` keep out only those who do not. SQLite's one writer holds everything.
    """
    if conn.dialect.name == "postgresql":
        take = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        conn.exec_driver_sql(f"SELECT {take}(%s)", (number,))


def advisory_locks(conn: Connection, numbers: Iterable[int]) -> None:
    """Wait for the locks of these numbers, the smallest first, in one round trip; see ``advisory_lock``."""
    wanted = sorted(set(numbers))
    if conn.dialect.name == "postgresql" and wanted:
        conn.exec_driver_sql("SELECT pg_advisory_xact_lock(n) FROM unnest(%s::bigint[]) AS n", (wanted,))


def migrate(db: Database, script_location: Path) -> None:
    """Bring the schema to the newest revision; several processes may try at once, one does it.

    ``script_location`` is a directory with an ``env.py`` that runs the migrations on
    ``context.config.attributes["connection"]``.
    """
    config = Config()
    config.set_main_option("script_location", str(script_location))
    config.set_main_option("path_separator", "os")
    with db.transaction() as conn:
        advisory_lock(conn, 0x1D_7E_41_0C)
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
