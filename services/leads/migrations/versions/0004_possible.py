"""Possible pairs belong to no component: when they were last told anew, by profile."""

import sqlalchemy as sa
from alembic import op

revision = "0004_possible"
down_revision = "0003_clues"


def upgrade() -> None:
    """Add the column."""
    column = sa.Column("told_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("member", column)
