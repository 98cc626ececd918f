"""One look at the picture: a snapshot of the database, a viewer's sight of it, and the moment.

Every route that shows content works inside ``Reading.look``, so one answer is of one state.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.leads.access import Sight
from services.leads.clock import ms
from services.leads.entity import Entity
from services.leads.picture_store import Picture, picture
from services.leads.sight_store import sight
from shared.contracts.handling import Clearance
from shared.database import Database
from shared.problems import NOT_FOUND, Problem


@dataclass(frozen=True, slots=True)
class Look:
    """What one request works with."""

    conn: Connection
    viewer: Clearance
    sight: Sight
    now: datetime
    now_ms: int

    def picture(self, profile_ids: list[str]) -> Picture:
        """The entities that hold these profiles."""
        return picture(self.conn, profile_ids, self.sight, self.now_ms)

    def entity(self, profile_id: str) -> Entity:
        """The entity that holds a profile for this viewer; raises the 404 problem."""
        found = self.picture([profile_id]).entity_of.get(profile_id)
        if found is None:
            raise nothing()
        return found


class Reading:
    """Opens looks; ``clock`` says what time it is."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self.clock = clock

    @contextmanager
    def look(self, viewer: Clearance) -> Iterator[Look]:
        """A look of this viewer, now."""
        now = self.clock()
        with self._db.snapshot() as conn:
            yield Look(conn, viewer, sight(conn, viewer), now, ms(now))


def nothing() -> Problem:
    """The 404 problem, the same for what is hidden and what there is not."""
    return NOT_FOUND.because(NOT_FOUND.doc)
