"""Judgements in the database, written at once when they are made; the projection finds them there already."""

from datetime import datetime

from sqlalchemy import Connection, select

from services.leads import project_store
from services.leads.changes import Changes, judgement_audience, judgement_row
from services.leads.clock import ms
from services.leads.tables import judgement
from shared.contracts.judgement import Judgement


def stored(conn: Connection, judgement_id: str) -> Judgement | None:
    """A judgement in force."""
    key = judgement_id.replace("-", "")
    body = conn.execute(select(judgement.c.body).where(judgement.c.judgement_id == key)).scalar_one_or_none()
    return None if body is None else Judgement.from_json(bytes(body))


def keep(conn: Connection, said: Judgement) -> None:
    """Write a judgement and mark what it changes as due."""
    row = judgement_row(said)
    changes = Changes(judgements={row["judgement_id"]: row})
    changes.audiences[row["audience_id"]] = judgement_audience(said)
    project_store.apply(conn, changes, ms(said.at))


def withdraw(conn: Connection, said: Judgement, now: datetime) -> None:
    """Take a judgement back and mark what that changes as due."""
    changes = Changes(judgements={said.judgement_id.replace("-", ""): None})
    project_store.apply(conn, changes, ms(now))
