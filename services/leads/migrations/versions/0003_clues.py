"""Clues, by which most components are passed over, and the order of the review queue."""

import sqlalchemy as sa
from alembic import op

revision = "0003_clues"
down_revision = "0002_leads"


def upgrade() -> None:
    """Add the column and the index."""
    op.add_column("member", sa.Column("clues", sa.Text(), server_default=sa.text("'*'"), nullable=False))
    op.create_index("pair_review", "pair", ["verdict", "weight", "a", "b"], unique=False)
