"""The registry of deconfliction: submissions, conflicts, notices, and the life of leads."""

import sqlalchemy as sa
from alembic import op

revision = "0001_registry"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    for create in _TABLES:
        create()


def _submission() -> None:
    op.create_table(
        "dc_submission",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("share", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("submitted_ms", sa.BigInteger(), nullable=False),
        sa.Column("checked_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("dc_submission_checked", "dc_submission", ["state", "checked_ms"], unique=False)
    op.create_index("dc_submission_expiry", "dc_submission", ["state", "expires_ms"], unique=False)
    op.create_index("dc_submission_reference", "dc_submission", ["agency", "reference"], unique=True)


def _token() -> None:
    op.create_table(
        "dc_token",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("key_number", sa.Integer(), nullable=False),
        sa.Column("cls", sa.SmallInteger(), nullable=False),
        sa.Column("qualified", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("hash", "number"),
        sqlite_with_rowid=False,
    )
    op.create_index("dc_token_key", "dc_token", ["key_number"], unique=False)
    op.create_index("dc_token_number", "dc_token", ["number"], unique=False)


def _check() -> None:
    op.create_table(
        "dc_check",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("dc_check_due", "dc_check", ["due_ms"], unique=False)


def _conflict() -> None:
    op.create_table(
        "dc_conflict",
        sa.Column("conflict_id", sa.Text(), nullable=False),
        sa.Column("a", sa.Text(), nullable=False),
        sa.Column("b", sa.Text(), nullable=False),
        sa.Column("agency_a", sa.Text(), nullable=False),
        sa.Column("agency_b", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cls", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("silent", sa.Text(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("acknowledged_a_ms", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_b_ms", sa.BigInteger(), nullable=True),
        sa.Column("escalates_ms", sa.BigInteger(), nullable=True),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("conflict_id"),
    )
    op.create_index("dc_conflict_a", "dc_conflict", ["a"], unique=False)
    op.create_index("dc_conflict_b", "dc_conflict", ["b"], unique=False)
    op.create_index("dc_conflict_escalates", "dc_conflict", ["escalates_ms"], unique=False)
    op.create_index("dc_conflict_state", "dc_conflict", ["state", "opened_ms"], unique=False)


def _notice() -> None:
    op.create_table(
        "dc_notice",
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("conflict_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_ms", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.LargeBinary(), nullable=True),
        sa.Column("basis_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("notice_id"),
    )
    op.create_index("dc_notice_agency", "dc_notice", ["agency", "created_ms", "notice_id"], unique=False)
    op.create_index("dc_notice_created", "dc_notice", ["created_ms"], unique=False)
    op.create_index("dc_notice_conflict", "dc_notice", ["conflict_id"], unique=False)


def _delivery() -> None:
    op.create_table(
        "dc_delivery",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=True),
        sa.Column("delivered_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("delivery_id"),
    )
    op.create_index("dc_delivery_next", "dc_delivery", ["next_ms"], unique=False)


def _channel() -> None:
    op.create_table(
        "dc_channel",
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("channel_id"),
    )
    op.create_index("dc_channel_agency", "dc_channel", ["agency"], unique=False)


def _query_count() -> None:
    op.create_table(
        "dc_query_count",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("identifiers", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "agency", "person"),
    )


def _lead_basis() -> None:
    op.create_table(
        "dc_lead_basis",
        sa.Column("basis_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("audiences", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("basis_id"),
    )


def _lead_step() -> None:
    op.create_table(
        "dc_lead_step",
        sa.Column("step_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("basis_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("step_id"),
    )
    op.create_index("dc_lead_step_basis", "dc_lead_step", ["basis_id", "lead_id"], unique=False)
    op.create_index("dc_lead_step_lead", "dc_lead_step", ["lead_id", "step_id"], unique=False)


def _lead_check() -> None:
    op.create_table(
        "dc_lead_check",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("basis_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("checked_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", "lead_id", "basis_id"),
    )
    op.create_index("dc_lead_check_lead", "dc_lead_check", ["lead_id"], unique=False)


_TABLES = (
    _submission,
    _token,
    _check,
    _conflict,
    _notice,
    _delivery,
    _channel,
    _query_count,
    _lead_basis,
    _lead_step,
    _lead_check,
)
