"""The resolver's tables."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, LargeBinary, Text, text
from sqlalchemy.schema import CreateSequence, Sequence

from shared.database import HexId

revision = "0001"
down_revision = None

Word = Text().with_variant(Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create everything."""
    _evidence()
    _components()
    _work()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(CreateSequence(Sequence("fusion_version")))
        op.execute("ALTER TABLE outbox ALTER payload SET STORAGE EXTERNAL")  # it is compressed already
        for table in ("profile", "assign"):  # room for new versions of a row beside the old
            op.execute(f"ALTER TABLE {table} SET (fillfactor = 80)")


def _evidence() -> None:
    op.create_table(
        "report",
        Column("id", HexId, primary_key=True),
        Column("version", Integer, nullable=False),
        Column("digest", LargeBinary(16), nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("at_ms", BigInteger, nullable=False),
        Column("live", Boolean, nullable=False),
        Column("profiles", LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "profile",
        Column("id", HexId, primary_key=True),
        Column("count", Integer, nullable=False),
        Column("kind", Text, nullable=False),
        Column("audience", Word, nullable=False),
        Column("label", Text, nullable=False),
        Column("content", LargeBinary, nullable=False),
        Column("keys", LargeBinary, nullable=False),
    )
    op.create_table(
        "posting",
        Column("key", BigInteger, primary_key=True, autoincrement=False),
        Column("audience", Word, primary_key=True),
        Column("profile", HexId, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mark",
        Column("key", BigInteger, primary_key=True, autoincrement=False),
        Column("audience", Word, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "judgement",
        Column("id", HexId, primary_key=True),
        Column("position", BigInteger, nullable=False),
        Column("at_ms", BigInteger, nullable=False),
        Column("a", HexId),
        Column("b", HexId),
        Column("same", Boolean),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_judgement_a", "judgement", ["a"])
    op.create_index("ix_judgement_b", "judgement", ["b"])


def _components() -> None:
    op.create_table(
        "assign",
        Column("profile", HexId, primary_key=True),
        Column("leader", HexId, nullable=False),
        Column("entity", HexId),
        Column("size", Integer, nullable=False),
        Column("split", Boolean, nullable=False),
        Column("version", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    members = text("leader <> profile")
    op.create_index("assign_member", "assign", ["leader"], sqlite_where=members, postgresql_where=members)


def _work() -> None:
    op.create_table(
        "journal",
        Column("id", HexId, primary_key=True),
        Column("owner", Text, nullable=False),
        Column("seeds", LargeBinary, nullable=False),
        Column("keys", LargeBinary, nullable=False),
        Column("crossed", LargeBinary, nullable=False),
    )
    op.create_index("ix_journal_owner", "journal", ["owner"])
    op.create_table("worker", Column("owner", Text, primary_key=True), Column("beat", Float, nullable=False))
    op.create_table(
        "progress", Column("task", Text, primary_key=True), Column("state", LargeBinary, nullable=False)
    )
    op.create_table("counter", Column("n", BigInteger, primary_key=True, autoincrement=False))
    op.create_table(
        "outbox",
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("owner", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_owner", "outbox", ["owner", "id"])
