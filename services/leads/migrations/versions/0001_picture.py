"""The picture: reports, mentions, links, profiles, pairs, judgements, and what is due."""

import sqlalchemy as sa
from alembic import op

from shared.database import HexId

revision = "0001_picture"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    for create in _TABLES:
        create()


def _audience() -> None:
    op.create_table(
        "audience",
        sa.Column("audience_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("audience_id"),
    )


def _report() -> None:
    op.create_table(
        "report",
        sa.Column("report_id", HexId(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("audience_id", sa.BigInteger(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("predicated", sa.Boolean(), nullable=False),
        sa.Column("event_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("report_id"),
    )
    op.create_index("report_kind", "report", ["kind", "event_ms", "report_id"], unique=False)


def _mention() -> None:
    op.create_table(
        "mention",
        sa.Column("report_id", HexId(), nullable=False),
        sa.Column("local_id", sa.Text(), nullable=False),
        sa.Column("profile_id", HexId(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("standing", sa.SmallInteger(), nullable=False),
        sa.Column("event_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("report_id", "local_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "mention_profile", "mention", ["profile_id", "event_ms", "report_id", "until_ms"], unique=False
    )
    op.create_index("mention_standing", "mention", ["profile_id", "standing", "until_ms"], unique=False)


def _link() -> None:
    op.create_table(
        "link",
        sa.Column("report_id", HexId(), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", HexId(), nullable=False),
        sa.Column("target", HexId(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("source_local_id", sa.Text(), nullable=False),
        sa.Column("target_local_id", sa.Text(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("event_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("report_id", "ordinal"),
        sqlite_with_rowid=False,
    )
    op.create_index("link_source", "link", ["source", "event_ms", "report_id"], unique=False)
    op.create_index("link_target", "link", ["target", "event_ms", "report_id"], unique=False)


def _member() -> None:
    op.create_table(
        "member",
        sa.Column("profile_id", HexId(), nullable=False),
        sa.Column("component_id", HexId(), nullable=False),
        sa.Column("split", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("search_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("subject_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("mask_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("judged", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("audience_id", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("features", sa.LargeBinary(), nullable=False),
        sa.Column("content_version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("profile_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("member_component", "member", ["component_id"], unique=False)


def _pair() -> None:
    op.create_table(
        "pair",
        sa.Column("a", HexId(), nullable=False),
        sa.Column("b", HexId(), nullable=False),
        sa.Column("weight", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("a", "b"),
        sqlite_with_rowid=False,
    )
    op.create_index("pair_b", "pair", ["b"], unique=False)


def _judgement() -> None:
    op.create_table(
        "judgement",
        sa.Column("judgement_id", HexId(), nullable=False),
        sa.Column("a", HexId(), nullable=False),
        sa.Column("b", HexId(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("audience_id", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("judgement_id"),
    )
    op.create_index("judgement_a", "judgement", ["a"], unique=False)
    op.create_index("judgement_b", "judgement", ["b"], unique=False)


def _identifier() -> None:
    op.create_table(
        "identifier",
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("profile_id", HexId(), nullable=False),
        sa.PrimaryKeyConstraint("value", "profile_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("identifier_profile", "identifier", ["profile_id"], unique=False)


def _name() -> None:
    op.create_table(
        "name",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("audience_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("profile_id", HexId(), nullable=False),
        sa.PrimaryKeyConstraint("key", "audience_id", "profile_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("name_profile", "name", ["profile_id"], unique=False)


def _model() -> None:
    op.create_table(
        "model",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("threshold", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _clearance() -> None:
    op.create_table("clearance", sa.Column("key", sa.Text(), nullable=False), sa.PrimaryKeyConstraint("key"))


def _combination() -> None:
    op.create_table(
        "combination",
        sa.Column("combination_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("audiences", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("combination_id"),
    )


def _subject_combination() -> None:
    op.create_table(
        "subject_combination",
        sa.Column("component_id", HexId(), nullable=False),
        sa.Column("combination_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("component_id"),
    )


def _due() -> None:
    op.create_table(
        "due",
        sa.Column("component_id", HexId(), nullable=False),
        sa.Column("accepted_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("component_id"),
    )
    op.create_index("due_order", "due", ["accepted_ms", "component_id"], unique=False)


_TABLES = (
    _audience,
    _report,
    _mention,
    _link,
    _member,
    _pair,
    _judgement,
    _identifier,
    _name,
    _model,
    _clearance,
    _combination,
    _subject_combination,
    _due,
)
