"""The projection: the worker's handler for ``resolutions.v1`` and ``judgements.v1``."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from services.leads import project_store
from services.leads.changes import Changes, read
from services.leads.clock import ms
from shared.database import Database
from shared.errors import Poison
from shared.log import Record
from shared.worker import DeadLetter


class Projector:
    """One batch, one transaction; projecting a batch again changes nothing."""

    def __init__(
        self,
        db: Database,
        wake: Callable[[], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``wake`` is called after each commit: something may be due."""
        self._db = db
        self._wake = wake
        self._clock = clock

    def handle(self, records: Sequence[Record]) -> Sequence[DeadLetter]:
        """Project a batch; gives back the records that are no message of their topic."""
        changes, dead = Changes(), []
        for record in records:
            try:
                read(record, changes)
            except Poison as poison:
                dead.append(DeadLetter(record, str(poison), poison.step))
        with self._db.transaction() as conn:
            project_store.apply(conn, changes, ms(self._clock()))
        self._wake()
        return dead

    def relay(self) -> None:
        """Nothing is published."""
