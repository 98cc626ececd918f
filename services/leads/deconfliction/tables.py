"""The registry's own tables, read by nothing else; on PostgreSQL they may share a database with the picture.

No column names a target: what is compared is hashed under a key (``keyring``), what must be read again is
sealed for its agency. Times are milliseconds since 1970.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)  # fmt: skip

metadata: Final = MetaData()

submission: Final = Table(
    "dc_submission",
    metadata,
    Column("number", Text, primary_key=True, comment="deconfliction number"),
    Column("kind", Text, nullable=False, comment="TARGET, EVENT"),
    Column("agency", Text, nullable=False),
    Column("reference", LargeBinary, nullable=False, comment="hash of agency and its own reference"),
    Column("content", LargeBinary, nullable=False, comment="hash of what was submitted"),
    Column("share", Text, nullable=False),
    Column("state", Text, nullable=False, comment="OPEN, WITHDRAWN, EXPIRED"),
    Column("sealed", LargeBinary, nullable=False, comment="the submission, for its agency"),
    Column("submitted_ms", BigInteger, nullable=False),
    Column("checked_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index("dc_submission_reference", "reference", unique=True),
    Index("dc_submission_expiry", "state", "expires_ms"),
    Index("dc_submission_checked", "state", "checked_ms"),
)

token: Final = Table(
    "dc_token",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("key_number", Integer, nullable=False),
    Column("cls", SmallInteger, nullable=False, comment="match class; 0: a cell of place and time"),
    Column("qualified", Boolean, nullable=False),
    Index("dc_token_number", "number"),
    Index("dc_token_key", "key_number"),
    sqlite_with_rowid=False,
)

check: Final = Table(
    "dc_check",
    metadata,
    Column("number", Text, primary_key=True, comment="a submission whose matches are to be worked out"),
    Column("due_ms", BigInteger, nullable=False),
    Index("dc_check_due", "due_ms"),
)

conflict: Final = Table(
    "dc_conflict",
    metadata,
    Column("conflict_id", Text, primary_key=True),
    Column("a", Text, nullable=False, comment="the older submission's number"),
    Column("b", Text, nullable=False),
    Column("agency_a", Text, nullable=False),
    Column("agency_b", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="TARGET, EVENT"),
    Column("cls", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("outcome", Text),
    Column("note", LargeBinary, comment="who settled it and what he wrote, sealed for agency_a"),
    Column(
        "silent",
        Text,
        nullable=False,
        comment="the number of the side that learns nothing; empty: both learn",
    ),
    Column("evidence", LargeBinary, nullable=False, comment="what they met on, sealed for agency_a"),
    Column("acknowledged_a_ms", BigInteger),
    Column("acknowledged_b_ms", BigInteger),
    Column("escalates_ms", BigInteger),
    Column("opened_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Index("dc_conflict_a", "a"),
    Index("dc_conflict_b", "b"),
    Index("dc_conflict_escalates", "escalates_ms"),
    Index("dc_conflict_state", "state", "opened_ms"),
)

notice: Final = Table(
    "dc_notice",
    metadata,
    Column("notice_id", Text, primary_key=True),
    Column("conflict_id", Text, nullable=False),
    Column("number", Text, nullable=False, comment="the receiver's submission"),
    Column("agency", Text, nullable=False),
    Column("level", Text, nullable=False, comment="SIDE, LOCAL, HQ, SUPERVISOR"),
    Column("sealed", LargeBinary, nullable=False, comment="the notice, for the receiving agency"),
    Column("created_ms", BigInteger, nullable=False),
    Column("acknowledged_ms", BigInteger),
    Column("acknowledged_by", LargeBinary, comment="sealed"),
    Column("basis_id", BigInteger, comment="of a notice about a lead: who may read it; null: the agency"),
    Index("dc_notice_agency", "agency", "created_ms", "notice_id"),
    Index("dc_notice_conflict", "conflict_id"),
    Index("dc_notice_created", "created_ms"),
)

delivery: Final = Table(
    "dc_delivery",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("notice_id", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("channel", Text, nullable=False, comment="WEBHOOK, EMAIL"),
    Column("address", LargeBinary, nullable=False, comment="sealed for the agency"),
    Column("attempts", Integer, nullable=False),
    Column("next_ms", BigInteger, comment="null: done or given up"),
    Column("delivered_ms", BigInteger),
    Index("dc_delivery_next", "next_ms"),
)

channel: Final = Table(
    "dc_channel",
    metadata,
    Column("channel_id", Text, primary_key=True),
    Column("agency", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="address and secret, for the agency"),
    Index("dc_channel_agency", "agency"),
)

query_count: Final = Table(
    "dc_query_count",
    metadata,
    Column("day", Integer, primary_key=True),
    Column("agency", Text, primary_key=True),
    Column("person", LargeBinary, primary_key=True, comment="hash of the user"),
    Column("sealed", LargeBinary, nullable=False, comment="the user, for the agency"),
    Column("identifiers", Integer, nullable=False),
)

lead_basis: Final = Table(
    "dc_lead_basis",
    metadata,
    Column("basis_id", BigInteger, primary_key=True, autoincrement=False, comment="hash of the audiences"),
    Column("audiences", Text, nullable=False, comment="JSON: audience keys; who is in all may read"),
)

lead_step: Final = Table(
    "dc_lead_step",
    metadata,
    Column("step_id", Integer, primary_key=True, autoincrement=True),
    Column("lead_id", Text, nullable=False),
    Column("basis_id", BigInteger, nullable=False),
    Column("step", Text, nullable=False, comment="the state that the lead went to, or CLAIM"),
    Column("agency", Text, nullable=False, comment="whose step it was; empty: the registry's own"),
    Column("sealed", LargeBinary, nullable=False, comment="who and why, under the agency's key"),
    Column("at_ms", BigInteger, nullable=False),
    Column("outcome", Text, comment="what somebody says came of the lead"),
    Column("rules", Text, comment="of an outcome: the rules that had fired"),
    Column("repeat", LargeBinary, comment="hash of who said it and his key, so that a repeat is recognised"),
    Index("dc_lead_step_repeat", "repeat", unique=True),
    Index("dc_lead_step_lead", "lead_id", "step_id"),
    Index("dc_lead_step_basis", "basis_id", "lead_id"),
)

lead_check: Final = Table(
    "dc_lead_check",
    metadata,
    Column("number", Text, primary_key=True, comment="the submission made for a lead"),
    Column("lead_id", Text, primary_key=True),
    Column("basis_id", BigInteger, primary_key=True, autoincrement=False),
    Column("checked_ms", BigInteger, nullable=False),
    Index("dc_lead_check_lead", "lead_id"),
)
