"""The picture's tables: what ``resolutions.v1`` and ``judgements.v1`` say, in the form that reads need.

Times are milliseconds since 1970; ``until_ms`` is when a report may no longer be seen (retention or legal
basis); weights are centibits; ``version`` is the resolver's sequence: larger is later, the largest holds.
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
    text,
)  # fmt: skip

from shared.database import HexId

metadata: Final = MetaData()
"""Every table of the leads service; ``lead_tables`` adds its own."""

audience: Final = Table(
    "audience",
    metadata,
    Column("audience_id", BigInteger, primary_key=True, autoincrement=False, comment="hash of the key"),
    Column("key", Text, nullable=False),
)

report: Final = Table(
    "report",
    metadata,
    Column("report_id", HexId, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("live", Boolean, nullable=False, comment="false: withdrawn, and nothing of it is kept"),
    Column("audience_id", BigInteger, nullable=False),
    Column("feed", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="event kind"),
    Column("predicated", Boolean, nullable=False, comment="on reasonable suspicion or more"),
    Column("event_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, comment="canonical JSON, compressed"),
    Index("report_kind", "kind", "event_ms", "report_id"),
)

mention: Final = Table(
    "mention",
    metadata,
    Column("report_id", HexId, primary_key=True),
    Column("local_id", Text, primary_key=True),
    Column("profile_id", HexId, nullable=False),
    Column("kind", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("label", Text, nullable=False, comment="as this report writes it"),
    Column("standing", SmallInteger, nullable=False, comment="see access.Standing"),
    Column("event_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Index("mention_profile", "profile_id", "event_ms", "report_id", "until_ms"),
    Index("mention_standing", "profile_id", "standing", "until_ms"),
    sqlite_with_rowid=False,
)

link: Final = Table(
    "link",
    metadata,
    Column("report_id", HexId, primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("source", HexId, nullable=False),
    Column("target", HexId, nullable=False),
    Column("type", Text, nullable=False),
    Column("confidence", Integer, nullable=False, comment="in thousandths"),
    Column("source_local_id", Text, nullable=False),
    Column("target_local_id", Text, nullable=False),
    Column("shown", Boolean, nullable=False, comment="false: an end is a victim or witness"),
    Column("event_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Index("link_source", "source", "event_ms", "report_id"),
    Index("link_target", "target", "event_ms", "report_id"),
    sqlite_with_rowid=False,
)

member: Final = Table(
    "member",
    metadata,
    Column("profile_id", HexId, primary_key=True),
    Column("component_id", HexId, nullable=False),
    Column("split", Boolean, nullable=False, comment="the component holds several entities"),
    Column("version", BigInteger, nullable=False, comment="older deciding pairs of this profile are void"),
    Column("until_ms", BigInteger, nullable=False, comment="of its longest mention"),
    Column("search_until_ms", BigInteger, nullable=False, comment="may be found until"),
    Column("subject_until_ms", BigInteger, nullable=False, comment="may be a lead's subject until"),
    Column("mask_until_ms", BigInteger, nullable=False, comment="a juvenile until"),
    Column("judged", Boolean, nullable=False, comment="a judgement names it"),
    Column("kind", Text, nullable=False, comment="empty: gone, or not known yet"),
    Column("audience_id", BigInteger, nullable=False),
    Column("width", Integer, nullable=False, comment="rank of the audience: smaller is wider"),
    Column("label", Text, nullable=False, comment="the one of its mentions that most have"),
    Column("labels", LargeBinary, nullable=False, comment="JSON: how many mentions have each label"),
    Column("features", LargeBinary, nullable=False, comment="JSON"),
    Column("content_version", BigInteger, nullable=False, comment="when it came, or went"),
    Column("clues", Text, nullable=False, server_default=text("'*'"), comment="see screen"),
    Column(
        "told_version",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="older POSSIBLE pairs are void",
    ),
    Index("member_component", "component_id"),
    sqlite_with_rowid=False,
)
"""A profile: where it stands (as of ``version``), how long, and what it says (as of ``content_version``)."""

pair: Final = Table(
    "pair",
    metadata,
    Column("a", HexId, primary_key=True),
    Column("b", HexId, primary_key=True),
    Column("weight", BigInteger, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("evidence", LargeBinary, nullable=False, comment="JSON rows, compressed"),
    Column("version", BigInteger, nullable=False),
    Index("pair_b", "b"),
    Index("pair_review", "verdict", "weight", "a", "b"),
    sqlite_with_rowid=False,
)

judgement: Final = Table(
    "judgement",
    metadata,
    Column("judgement_id", HexId, primary_key=True),
    Column("a", HexId, nullable=False),
    Column("b", HexId, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("audience_id", BigInteger, nullable=False, comment="of the judgement itself: open, or one agency"),
    Column("body", LargeBinary, comment="the judgement as JSON; null: withdrawn"),
    Index("judgement_a", "a"),
    Index("judgement_b", "b"),
)

identifier: Final = Table(
    "identifier",
    metadata,
    Column("value", Text, primary_key=True, comment="canonical, such as phone:+19155550142"),
    Column("profile_id", HexId, primary_key=True),
    Index("identifier_profile", "profile_id"),
    sqlite_with_rowid=False,
)

name: Final = Table(
    "name",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False, comment="hash of a phonetic search key"),
    Column("audience_id", BigInteger, primary_key=True, autoincrement=False),
    Column("profile_id", HexId, primary_key=True),
    Index("name_profile", "profile_id"),
    sqlite_with_rowid=False,
)

model: Final = Table(
    "model",
    metadata,
    Column("name", Text, primary_key=True),
    Column("threshold", BigInteger, nullable=False, comment="what a pair needs to be the same"),
    Column("version", BigInteger, nullable=False),
)

clearance: Final = Table(
    "clearance",
    metadata,
    Column("key", Text, primary_key=True),
)

combination: Final = Table(
    "combination",
    metadata,
    Column("combination_id", BigInteger, primary_key=True, autoincrement=False, comment="hash of the list"),
    Column("audiences", Text, nullable=False, comment="JSON: sorted audience ids"),
)

subject_combination: Final = Table(
    "subject_combination",
    metadata,
    Column("component_id", HexId, primary_key=True),
    Column("combination_id", BigInteger, nullable=False),
)

due: Final = Table(
    "due",
    metadata,
    Column("component_id", HexId, primary_key=True, comment="a component, or a profile that is gone"),
    Column("accepted_ms", BigInteger, nullable=False, comment="of the report waiting longest; 0 = none"),
    Index("due_order", "accepted_ms", "component_id"),
)
