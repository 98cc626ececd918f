"""The projection: the worker's handler for ``resolutions.v1`` and ``judgements.v1``."""

from collections.abc import Callable, Sequence

from services.leads import project_store
from services.leads.changes import Changes, read
from shared.database import Database
from shared.log import Record


class Projector:
    """One batch, one transaction; projecting a batch again changes nothing."""

    def __init__(self, db: Database, wake: Callable[[], None]) -> None:
        """``wake`` is called after each commit: something may be due."""
        self._db = db
        self._wake = wake

    def handle(self, records: Sequence[Record]) -> None:
        """Project a batch; raises ``Poison`` where a record is no message of its topic."""
        changes = Changes()
        for record in records:
            read(record, changes)
        with self._db.transaction() as conn:
            project_store.apply(conn, changes)
        self._wake()
