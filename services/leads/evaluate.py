"""Evaluating what is due: views → rules → leads, one transaction a batch.

Order within a batch: claim due components (locked, so several evaluators share the work; a burst on one
component waits as one row), read their views, replace their leads, forget the due rows, commit. A crash
anywhere leaves the components due; doing it again changes nothing.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Final

from services.leads.clock import ms
from services.leads.compose import Lead, lead_of
from services.leads.due_store import Due, done, due
from services.leads.lead_store import Changed, is_due, reconsider, replace_leads
from services.leads.view_store import Evaluation, evaluations
from shared.database import Database
from shared.errors import Transient
from shared.telemetry import LEAD_SECONDS

SMALLEST, LARGEST = 8, 256
"""Components per transaction; within these the number follows ``BATCH_SECONDS``."""
BATCH_SECONDS: Final = 0.15
"""How long a transaction should hold the database's writer."""
RECONSIDER_SECONDS: Final = 60.0
"""How often leads are looked for that time alone has changed."""
HOPS: Final = 1
"""Rules read the subject's own reports and who is in them; a wider view costs five times as much."""
IDLE_SECONDS: Final = 0.05
YIELD_SECONDS: Final = 0.002
"""Between batches, so that whoever waits for the database's writer gets it."""
GATHER_SECONDS: Final = 0.03
"""After a batch that was not full, at most: as long as it took, so that small ones come together."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one batch did: components evaluated, and which leads changed."""

    components: int
    changed: Changed


def evaluate_due(database: Database, now: datetime, limit: int) -> Evaluated:
    """Evaluate up to ``limit`` due components as of ``now``; raises ``Transient``."""
    with database.transaction() as conn:
        dues = due(conn, limit)
        if not dues:
            return Evaluated(0, Changed(frozenset(), frozenset(), frozenset()))
        found = evaluations(conn, dues, now, hops=HOPS)
        subjects = {s for evaluation in found for s in evaluation.subjects}
        changed = replace_leads(conn, subjects, _leads(found))
        done(conn, [d.component_id for d in dues])
    _observe(dues)
    return Evaluated(len(dues), changed)


def _leads(found: Iterable[Evaluation]) -> Iterable[tuple[int, Lead]]:
    for evaluation in found:
        for set_id, view in evaluation.views:
            made = lead_of(view)
            if made is not None:
                yield set_id, made


def _observe(dues: Iterable[Due]) -> None:
    """Note how long reports waited from acceptance until their leads are visible."""
    visible = time.time()
    for each in dues:
        if each.accepted_ms is not None:
            LEAD_SECONDS.observe(max(0.0, visible - each.accepted_ms / 1000))


class Evaluator:
    """A loop that evaluates whatever is due; several may run, in threads or processes.

    ``clock`` gives the moment of evaluation. ``wake`` is set by whoever marks components due in this
    process, so that nothing waits; without it the loop looks every ``IDLE_SECONDS``.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        wake: Event | None = None,
        heard: Callable[[Changed], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake or Event()
        self._heard = heard
        self._limit = SMALLEST
        self._rest = YIELD_SECONDS
        self._reconsidered = float("-inf")

    def run(self, stop: Event) -> None:
        """Evaluate until ``stop`` is set; a database that is away is waited for."""
        pause = IDLE_SECONDS
        while not stop.is_set():
            try:
                self._wake.clear()
                worked = self.step()
                pause = IDLE_SECONDS
            except Transient as error:
                pause = min(pause * 2 + error.retry_after / 2, 5.0)
                log.warning("evaluation waits: %s", error)
                stop.wait(pause)
                continue
            if worked:
                stop.wait(self._rest)
            else:
                self._wake.wait(pause)

    def step(self) -> int:
        """Evaluate one batch; how many components it was, 0 when nothing is due."""
        self._reconsider()
        with self._database.snapshot() as conn:
            if not is_due(conn):
                return 0
        began = time.monotonic()
        result = evaluate_due(self._database, self._clock(), self._limit)
        if result.components:
            self._heard(result.changed)
            took = time.monotonic() - began
            self._rest = YIELD_SECONDS if result.components >= self._limit else min(took, GATHER_SECONDS)
            self._adapt(result.components, took)
        return result.components

    def _adapt(self, components: int, seconds: float) -> None:
        """As many components next time as should take ``BATCH_SECONDS``."""
        fitting = round(components * BATCH_SECONDS / max(seconds, 0.001))
        self._limit = max(SMALLEST, min(LARGEST, fitting, self._limit * 2))

    def _reconsider(self) -> None:
        if time.monotonic() - self._reconsidered < RECONSIDER_SECONDS:
            return
        self._reconsidered = time.monotonic()
        with self._database.transaction() as conn:
            reconsider(conn, ms(self._clock()), LARGEST)
