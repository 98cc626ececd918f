"""What people say of leads: outcomes with the rules that fired, and keys by which a repeat is recognised."""

import sqlalchemy as sa
from alembic import op

revision = "0003_said"
down_revision = "0002_reference"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("dc_lead_step", sa.Column("outcome", sa.Text()))
    op.add_column("dc_lead_step", sa.Column("rules", sa.Text()))
    op.add_column("dc_lead_step", sa.Column("repeat", sa.LargeBinary()))
    op.create_index("dc_lead_step_repeat", "dc_lead_step", ["repeat"], unique=True)
