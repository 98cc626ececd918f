"""The tables of leads; one row per lead and set of viewers, with the tags that lists filter by.

``score`` is in hundredths of a point; times are milliseconds since 1970.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from services.leads.tables import metadata
from shared.database import HexId

lead: Final = Table(
    "lead",
    metadata,
    Column("lead_id", HexId, primary_key=True),
    Column("set_id", BigInteger, primary_key=True, autoincrement=False, comment="see sets: 0 = everyone"),
    Column("subject", HexId, nullable=False, comment="entity id"),
    Column("score", Integer, nullable=False),
    Column("updated_ms", BigInteger, nullable=False, comment="newest report behind it"),
    Column("reconsider_ms", BigInteger, nullable=False, comment="when time alone changes it"),
    Column("digest", BigInteger, nullable=False, comment="hash of the content: equal = nothing to write"),
    Column("tags", Text, nullable=False, comment="every tag, each between spaces"),
    Column("item", LargeBinary, nullable=False, comment="JSON, as lists show it"),
    Column("body", LargeBinary, nullable=False, comment="JSON, compressed: the whole lead"),
    Index("lead_subject", "subject"),
    Index("lead_score", "score", "lead_id", "set_id"),
    Index("lead_updated", "updated_ms", "lead_id", "set_id"),
    Index("lead_reconsider", "reconsider_ms"),
)

lead_tag: Final = Table(
    "lead_tag",
    metadata,
    Column("tag", Text, primary_key=True, comment="name:value, such as rule:L11"),
    Column("score", Integer, primary_key=True, autoincrement=False),
    Column("lead_id", HexId, primary_key=True),
    Column("set_id", BigInteger, primary_key=True, autoincrement=False),
    Column("updated_ms", BigInteger, nullable=False),
    Index("lead_tag_updated", "tag", "updated_ms", "lead_id", "set_id"),
    sqlite_with_rowid=False,
)
