"""A look into the outbox."""

from sqlalchemy import select

from services.fusion.tables import outbox
from shared.database import Database


def outbox_rows(db: Database) -> list[bytes]:
    """The packed rows, in order."""
    with db.snapshot() as conn:
        return [bytes(r) for r in conn.execute(select(outbox.c.payload).order_by(outbox.c.id)).scalars()]
