"""The resolver's tables.

``report`` and ``profile`` say what is live, ``posting`` is the blocking index, ``mark`` names the generic
keys, ``assign`` the components, ``journal`` what is begun and not finished.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    text,
)

from shared.database import HexId, outbox_table

metadata: Final = MetaData()

# Compared as bytes: faster than a language's order, and the same on every machine.
Word = Text().with_variant(Text(collation="C"), "postgresql")

report: Final = Table(
    "report",
    metadata,
    Column("id", HexId, primary_key=True, comment="report_id without dashes"),
    Column("version", Integer, nullable=False, comment="of the newest version taken"),
    Column("digest", LargeBinary(16), nullable=False, comment="of that version's content; empty = expunged"),
    Column("position", BigInteger, nullable=False, comment="offset of the record that this row reflects"),
    Column("at_ms", BigInteger, nullable=False, comment="when the log took that record"),
    Column("live", Boolean, nullable=False, comment="false: retracted or expunged"),
    Column("profiles", LargeBinary, nullable=False, comment="16 bytes for each mention that is resolved"),
    sqlite_with_rowid=False,
)

profile: Final = Table(
    "profile",
    metadata,
    Column("id", HexId, primary_key=True),
    Column("count", Integer, nullable=False, comment="mentions of live reports; 0 = dead, reaped later"),
    Column("kind", Text, nullable=False),
    Column("audience", Word, nullable=False),
    Column("label", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("keys", LargeBinary, nullable=False, comment="8 bytes each"),
)

posting: Final = Table(
    "posting",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("audience", Word, primary_key=True),
    Column("profile", HexId, primary_key=True),
    sqlite_with_rowid=False,
)

mark: Final = Table(
    "mark",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("audience", Word, primary_key=True),
    sqlite_with_rowid=False,
)

assign: Final = Table(
    "assign",
    metadata,
    Column("profile", HexId, primary_key=True),
    Column("leader", HexId, nullable=False, comment="the component; the leader's row is its lock"),
    Column("entity", HexId, comment="null = the leader's"),
    Column("size", Integer, nullable=False, comment="members; on the leader's row only, else 0"),
    Column("split", Boolean, nullable=False, comment="several entities; on the leader's row only"),
    Column("version", BigInteger, nullable=False, comment="on the leader's row only, else 0"),
    sqlite_with_rowid=False,
)
MEMBER: Final = text("leader <> profile")
"""Not ``size = 0``: PostgreSQL changes a row in place only where no index, nor the condition of one, reads
what changes, and a leader's size changes with each profile that joins."""
Index("assign_member", assign.c.leader, sqlite_where=MEMBER, postgresql_where=MEMBER)

judgement: Final = Table(
    "judgement",
    metadata,
    Column("id", HexId, primary_key=True, comment="judgement_id without dashes"),
    Column("position", BigInteger, nullable=False, comment="as in report"),
    Column("at_ms", BigInteger, nullable=False, comment="as in report"),
    Column("a", HexId, index=True, comment="null = withdrawn"),
    Column("b", HexId, index=True),
    Column("same", Boolean),
    sqlite_with_rowid=False,
)

journal: Final = Table(
    "journal",
    metadata,
    Column("id", HexId, primary_key=True),
    Column("owner", Text, nullable=False, index=True),
    Column("seeds", LargeBinary, nullable=False, comment="profiles whose component may change"),
    Column("keys", LargeBinary, nullable=False, comment="keys whose holders changed"),
    Column("crossed", LargeBinary, nullable=False, comment="keys whose holders are all to be compared"),
)

worker: Final = Table(
    "worker",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("beat", Float, nullable=False, comment="when it last said that it lives, seconds since 1970"),
)

progress: Final = Table(
    "progress",
    metadata,
    Column("task", Text, primary_key=True, comment="such as a republication"),
    Column("state", LargeBinary, nullable=False),
)

counter: Final = Table(
    "counter",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    comment="SQLite's stand-in for the sequence: one row",
)

version_sequence: Final = Sequence("fusion_version", metadata=metadata)
outbox: Final = outbox_table(metadata)
