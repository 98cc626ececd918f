"""The log: the port that services meet in, with two adapters (``log_sqlite``, ``log_kafka``).

A topic has partitions; a record's key decides its partition; order holds within a partition. A consumer
group shares a topic's partitions among its members and remembers how far it has committed. Every error
that trying again may cure is ``Transient``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.contracts.topics import Topic
from shared.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to append. ``value`` None is a tombstone."""

    key: str
    value: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read; ``timestamp_ms`` is when the log took it."""

    position: Position
    key: str
    value: bytes | None
    headers: Mapping[str, str]
    timestamp_ms: int


class Consumer(Protocol):
    """A member of a consumer group; one thread uses it."""

    def poll(self, limit: int, timeout: float) -> list[Record]:
        """Up to ``limit`` records after the last polled; waits up to ``timeout`` seconds for the first."""
        ...

    def commit(self, positions: Sequence[Position] | None = None) -> None:
        """Durably remember that everything polled (or these positions and all before them) is done.

        Raises ``Transient`` where the group was rebalanced meanwhile: the records will be polled again,
        by whoever owns them now.
        """
        ...

    def rewind(self) -> None:
        """Go back to the committed position: everything polled since is polled again."""
        ...

    def lag(self) -> int:
        """Records of the owned partitions that are not committed yet."""
        ...

    def close(self) -> None:
        """Leave the group."""
        ...


class Log(Protocol):
    """A durable, partitioned, append-only log; safe to use from several threads."""

    def ensure(self, topics: Sequence[Topic]) -> None:
        """Create the topics that are missing, with their retention and compaction."""
        ...

    def append(self, topic: str, records: Sequence[NewRecord]) -> list[Position]:
        """Append, in order; returns once every record is durable. Raises ``Transient`` otherwise.

        After ``Transient`` some of the records may be in the log all the same: senders repeat.
        """
        ...

    def consumer(self, group: str, topics: Sequence[str]) -> Consumer:
        """Join a consumer group; a new group starts at the beginning."""
        ...

    def read(self, position: Position, limit: int) -> list[Record]:
        """Up to ``limit`` records of one partition from ``position`` on, outside any group; does not wait."""
        ...

    def ends(self, topic: str) -> dict[int, int]:
        """Per partition, the offset that the next record will get."""
        ...

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Per partition, the offset of the first record that the group has not committed; 0 where none."""
        ...

    def forget(self, group: str) -> None:
        """Forget how far the group has committed: its next member starts at the beginning.

        Raises ``Misconfigured`` while the group has members.
        """
        ...

    def ping(self) -> None:
        """Raise ``Transient`` unless the log answers."""
        ...

    def close(self) -> None:
        """Flush and let go of every resource."""
        ...


def open_log(url: str) -> Log:
    """Open the log that ``url`` names; raises ``Misconfigured``.

    ``sqlite:///absolute/path?partitions=4`` or
    ``kafka://host:9092,host2:9092?security_protocol=SASL_SSL&partitions=12&replication=3``.
    """
    # The adapters import the port, and who runs on one needs nothing of the other.
    if url.startswith("sqlite:"):
        from shared.log_sqlite import open_sqlite  # noqa: PLC0415

        return open_sqlite(url)
    if url.startswith("kafka:"):
        from shared.log_kafka import open_kafka  # noqa: PLC0415

        return open_kafka(url)
    raise Misconfigured("INTERLOCK_LOG must start with sqlite:// or kafka://")
