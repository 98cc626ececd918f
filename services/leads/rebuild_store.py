"""Emptying the read model, so that it is made anew."""

from sqlalchemy import Connection, delete

from services.leads import lead_tables
from services.leads.tables import metadata


def empty(conn: Connection) -> None:
    """Empty every table that follows from the topics; what people entered elsewhere stays."""
    assert lead_tables.lead.metadata is metadata, "leads are part of the read model"
    for table in metadata.tables.values():
        conn.execute(delete(table))
