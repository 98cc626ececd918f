"""The log in one SQLite file, for everything that runs on one machine.

Any number of processes append and consume at once. Waiting for new records costs next to nothing: the file
tells whether it changed.
"""

import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from shared import log_sqlite_compact_store as compaction
from shared import log_sqlite_group_store as groups
from shared import log_sqlite_store as store
from shared.contracts.topics import Topic
from shared.errors import Misconfigured, Transient
from shared.log import NewRecord, Position, Record
from shared.log_sqlite_consumer import BUDGET, SqliteConsumer
from shared.log_sqlite_writer import Writer


@dataclass(frozen=True, slots=True)
class SqliteOptions:
    """What a log's URL may set; times are in seconds.

    ``partitions``: of topics created from now on. ``life``: after that much silence a consumer counts as
    dead. ``compaction_lag``: younger records are not compacted. ``tombstone_grace``: how long a tombstone
    is kept at least. ``upkeep``: pause between two looks for something to compact.
    """

    partitions: int = 4
    life: float = 3.0
    compaction_lag: float = 600.0
    tombstone_grace: float = 86_400.0
    upkeep: float = 5.0


def open_sqlite(url: str) -> "SqliteLog":
    """Open ``sqlite:///absolute/path?option=value``, creating what is missing. Raises ``Misconfigured``."""
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.netloc or not path.is_absolute() or path == Path("/"):
        raise Misconfigured(
            f"INTERLOCK_LOG: {url} must be sqlite:// and an absolute path: sqlite:///var/lib/log.db"
        )
    kinds = {
        "partitions": int,
        "life": float,
        "compaction_lag": float,
        "tombstone_grace": float,
        "upkeep": float,
    }
    values: dict[str, float] = {}
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        if name not in kinds:
            raise Misconfigured(f"INTERLOCK_LOG: unknown setting {name}; known are {', '.join(kinds)}")
        try:
            values[name] = kinds[name](text)
        except ValueError:
            raise Misconfigured(f"INTERLOCK_LOG: {name}={text} is not a number") from None
        if values[name] < 0 or (name in {"partitions", "life", "upkeep"} and not values[name]):
            raise Misconfigured(f"INTERLOCK_LOG: {name}={text} is too small")
    return SqliteLog(path, SqliteOptions(**values))  # type: ignore[arg-type] # partitions was parsed as an int


class SqliteLog:
    """See ``Log``. One writing thread and a few reading connections a process."""

    def __init__(self, path: Path, options: SqliteOptions) -> None:
        store.create(path)
        self._path = path
        self._options = options
        self._upkeep = compaction.Upkeep(
            int(options.compaction_lag * 1000),
            int(options.tombstone_grace * 1000),
            int(options.upkeep * 1000),
        )
        self._lock = threading.Lock()
        self._consumers: list[SqliteConsumer] = []
        self._readers: list[sqlite3.Connection] = []
        self._slots: dict[str, tuple[int, ...]] = {}
        self._closed = False
        self._writer = Writer(path, self._chores, min(options.life / 3, options.upkeep / 10, 1.0))

    def ensure(self, topics: Sequence[Topic]) -> None:
        """See ``Log.ensure``."""

        def job(connection: sqlite3.Connection) -> None:
            for topic in topics:
                store.create_topic(connection, topic, self._options.partitions)

        self._writer.execute(job)

    def append(self, topic: str, records: Sequence[NewRecord]) -> list[Position]:
        """See ``Log.append``."""
        slots = self._slots_of(topic)
        now = _now_ms()
        size = sum(len(record.value or b"") + len(record.key) for record in records)
        places = self._writer.execute(lambda c: store.insert(c, slots, records, now), size)
        return [Position(topic, partition, offset) for partition, offset in places]

    def consumer(self, group: str, topics: Sequence[str]) -> SqliteConsumer:
        """See ``Log.consumer``."""
        member = groups.Member(uuid.uuid4().hex, group, tuple(topics), int(self._options.life * 1000))
        consumer = SqliteConsumer(self._path, self._writer, member)
        with self._lock:
            self._consumers = [c for c in self._consumers if not c.closed]
            self._consumers.append(consumer)
        return consumer

    def read(self, position: Position, limit: int) -> list[Record]:
        """See ``Log.read``."""
        slots = self._slots_of(position.topic)
        if not 0 <= position.partition < len(slots):
            return []
        with self._reader() as reader:
            return list(store.select(reader, slots[position.partition], position, limit, BUDGET))

    def ends(self, topic: str) -> dict[int, int]:
        """See ``Log.ends``."""
        with self._reader() as reader:
            return store.ends(reader, topic)

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """See ``Log.committed``."""
        with self._reader() as reader:
            return store.committed(reader, group, topic)

    def forget(self, group: str) -> None:
        """See ``Log.forget``."""
        self._writer.execute(lambda connection: groups.forget(connection, group, _now_ms()))

    def ping(self) -> None:
        """See ``Log.ping``."""
        if not self._path.exists():
            raise Transient(f"the log {self._path} is gone")
        with self._reader() as reader:
            reader.execute("SELECT max(name) FROM topic").fetchone()

    def close(self) -> None:
        """See ``Log.close``. Consumers are closed by whoever opened them, before."""
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        with self._lock:
            for reader in self._readers:
                reader.close()
            self._readers.clear()

    def _slots_of(self, topic: str) -> tuple[int, ...]:
        """The topic's slots in order of partition; they never change. Raises ``Misconfigured``."""
        if topic not in self._slots:
            with self._reader() as reader:
                slots = store.slots_of(reader, topic)
            if not slots:
                raise Misconfigured(f"the log {self._path} has no topic {topic}: ensure it first")
            self._slots[topic] = slots
        return self._slots[topic]

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """Borrow a reading connection: as many are kept as threads read at once."""
        if self._closed:
            raise Transient("the log is closed in this process")
        with self._lock:
            reader = self._readers.pop() if self._readers else None
        if reader is None:
            reader = store.connect(self._path)
        try:
            with store.speaking(self._path):
                yield reader
        except BaseException:
            reader.close()
            raise
        with self._lock:
            if self._closed:
                reader.close()
            else:
                self._readers.append(reader)

    def _chores(self) -> None:
        """Renew this process's consumers' lives, and do a slice of upkeep when it is this process's turn."""
        if self._closed:
            return
        now = _now_ms()
        with self._lock:
            alive = [c.member for c in self._consumers if not c.closed and not c.stuck]

        def beat(connection: sqlite3.Connection) -> None:
            for member in alive:
                groups.beat(connection, member, now)

        def tidy(connection: sqlite3.Connection) -> None:
            if compaction.claim(connection, self._upkeep, now):
                compaction.tidy(connection, self._upkeep, now)

        if alive:
            self._writer.run_now(beat)
        with self._reader() as reader:
            due = compaction.due(reader, self._upkeep, now)
        if due:
            self._writer.run_now(tidy)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
