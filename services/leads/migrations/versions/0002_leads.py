"""Leads, one row for each set of viewers, and what lists filter them by."""

import sqlalchemy as sa
from alembic import op

from shared.database import HexId

revision = "0002_leads"
down_revision = "0001_picture"


def upgrade() -> None:
    """Create the tables."""
    for create in _TABLES:
        create()


def _lead() -> None:
    op.create_table(
        "lead",
        sa.Column("lead_id", HexId(), nullable=False),
        sa.Column("set_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject", HexId(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("reconsider_ms", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("item", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("lead_id", "set_id"),
    )
    op.create_index("lead_reconsider", "lead", ["reconsider_ms"], unique=False)
    op.create_index("lead_score", "lead", ["score", "lead_id", "set_id"], unique=False)
    op.create_index("lead_subject", "lead", ["subject"], unique=False)
    op.create_index("lead_updated", "lead", ["updated_ms", "lead_id", "set_id"], unique=False)


def _lead_tag() -> None:
    op.create_table(
        "lead_tag",
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("score", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lead_id", HexId(), nullable=False),
        sa.Column("set_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tag", "score", "lead_id", "set_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("lead_tag_updated", "lead_tag", ["tag", "updated_ms", "lead_id", "set_id"], unique=False)


_TABLES = (_lead, _lead_tag)
