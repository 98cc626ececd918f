"""Works out the matches of new submissions, and what time brings: escalation and expiry.

Each step is one transaction, repeats harmlessly, and takes its work from rows: a submission's request for
its check, a conflict's hour of escalation, a submission's end. So a crash between match and notice, or
between notice and acknowledgement, loses nothing, and timers survive a restart.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from services.leads.deconfliction import conflict_store as conflicts
from services.leads.deconfliction import notify, states
from services.leads.deconfliction import registry_store as store
from services.leads.deconfliction.conflict_store import OWN, QUEUED
from services.leads.deconfliction.moments import milliseconds
from services.leads.deconfliction.opening import open_conflicts
from services.leads.deconfliction.registry import Registry
from services.leads.deconfliction.states import State
from shared.errors import Transient

STEPS: Final = ("check", "escalate", "expire", "refresh")
BATCH: Final = 100
AGAIN: Final = timedelta(hours=24)
"""Every open submission is checked again after so long, whatever was missed."""
PAUSE: Final = 0.5
"""Seconds between two looks where nobody wakes the matcher: another replica may have left work."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """The steps; ``written()`` is called when there may be new notices."""

    registry: Registry
    written: Callable[[], None] = lambda: None

    def run(self, wait: Callable[[float], None], stopping: Callable[[], bool]) -> None:
        """Work until told to stop; what is away for a moment is tried again.

        ``wait(seconds)`` returns when there is new work or the time is over.
        """
        while not stopping():
            try:
                busy = self.step()
            except Transient as error:
                logging.getLogger(__name__).warning("deconfliction waits: %s", error)
                wait(error.retry_after)
                continue
            if not busy:
                wait(PAUSE)

    def step(self) -> bool:
        """Do some of everything that is due; whether there may be more."""
        now = milliseconds(self.registry.clock())
        with self.registry.db.snapshot() as conn:
            due = store.due(conn, now, now - _ms(AGAIN))
        done = {name: getattr(self, name)() for name in STEPS if due[name]}
        return any(n >= BATCH or (name == "refresh" and n) for name, n in done.items())

    def check(self) -> int:
        """Work out the matches of submissions that wait for it; how many there were."""
        now, opened = self.registry.clock(), 0
        with self.registry.transaction() as (conn, ring):
            numbers = store.asked(conn, milliseconds(now), BATCH)
            if numbers:
                opened = open_conflicts(conn, ring, numbers, now)
                store.answered(conn, numbers, milliseconds(now))
        if opened:
            self.written()
        return len(numbers)

    def escalate(self) -> int:
        """Tell the next level where nobody has acknowledged in time; how many conflicts rose."""
        now, silent = self.registry.clock(), []
        with self.registry.transaction() as (conn, ring):
            rows = conflicts.due(conn, milliseconds(now), BATCH)
            for row in rows:
                raised = states.escalate(row.as_conflict(), now)
                conflicts.save(conn, row, raised, milliseconds(now))
                level = "HQ" if raised.state is State.ESCALATED_HQ else "LOCAL"
                silent += [(row, n, level) for n in row.told() if n not in raised.acknowledged]
            notify.higher(conn, ring, silent, now)
        if silent:
            self.written()
        return len(rows)

    def expire(self) -> int:
        """Close what has passed, with its conflicts; how many submissions ended."""
        now = milliseconds(self.registry.clock())
        with self.registry.transaction() as (conn, _):
            numbers = store.expired(conn, now, BATCH)
            for number in numbers:
                end(conn, number, "EXPIRED", now)
        return len(numbers)

    def refresh(self) -> int:
        """Ask for the check of what was last checked a day ago; how many that are."""
        now = milliseconds(self.registry.clock())
        with self.registry.transaction() as (conn, _):
            numbers = store.unchecked(conn, now - _ms(AGAIN), BATCH)
            store.ask(conn, numbers, now)
            store.forget_counts(conn, self.registry.clock().toordinal() - 1)
        return len(numbers)

    def recheck(self) -> int:
        """Ask for the check of every open submission at once; how many there are."""
        after, total = "", 0
        now = milliseconds(self.registry.clock())
        while True:
            with self.registry.transaction() as (conn, _):
                numbers = store.open_numbers(conn, after, 1_000)
                store.ask(conn, numbers, now)
            if not numbers:
                return total
            after, total = numbers[-1], total + len(numbers)


def end(conn: Connection, number: str, state: str, now_ms: int) -> None:
    """Withdraw or expire a submission, and close its conflicts."""
    store.set_state(conn, number, state)
    for row in conflicts.of_submission(conn, number):
        if row.state in {QUEUED, OWN}:
            conflicts.change(conn, row.conflict_id, {"state": state, "closed_ms": now_ms})
        elif row.state in set(State):
            closed = states.close(row.as_conflict(), withdrawn=state == "WITHDRAWN")
            conflicts.save(conn, row, closed, now_ms)


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
