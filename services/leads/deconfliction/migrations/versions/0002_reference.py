"""A submission is found by its reference's hash alone: the hash is keyed by agency already."""

from alembic import op

revision = "0002_reference"
down_revision = "0001_registry"


def upgrade() -> None:
    """Leave the agency out of the index."""
    op.drop_index("dc_submission_reference", "dc_submission")
    op.create_index("dc_submission_reference", "dc_submission", ["reference"], unique=True)
