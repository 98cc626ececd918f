"""Who reads, why, and in which case: required on every read of report content."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Header, Request

from services.leads.sight_store import note_clearance
from shared.auth import Identity
from shared.contracts.handling import Clearance
from shared.database import Database
from shared.problems import PURPOSE
from shared.web import Who


class Purpose(StrEnum):
    """Why report content is read."""

    INVESTIGATION = "INVESTIGATION"
    DECONFLICTION = "DECONFLICTION"
    OFFICER_SAFETY = "OFFICER_SAFETY"
    ANALYSIS = "ANALYSIS"
    AUDIT = "AUDIT"
    TRAINING = "TRAINING"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads, with purpose and case number."""

    identity: Identity
    purpose: Purpose
    case: str

    @property
    def clearance(self) -> Clearance:
        """What decides what the viewer may see."""
        return self.identity.clearance


class Clearances:
    """The clearances that ever asked; a new one makes due what only such viewers see."""

    def __init__(self, db: Database, wake: Callable[[], None]) -> None:
        """``wake`` is called when something has become due."""
        self._db = db
        self._wake = wake
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def note(self, clearance: Clearance) -> None:
        """Remember a clearance; writes only when this process has not met it."""
        key = clearance.key()
        if key in self._known:
            return
        with self._lock, self._db.transaction() as conn:
            new = note_clearance(conn, clearance)
        self._known.add(key)
        if new:
            self._wake()


def reader(
    request: Request,
    who: Who,
    purpose: Annotated[
        Purpose | None, Header(alias="Interlock-Purpose", description="Why report content is read; required.")
    ] = None,
    case: Annotated[
        str | None,
        Header(alias="Interlock-Case", max_length=120, description="The viewer's case number; required."),
    ] = None,
) -> Viewer:
    """The dependency of every route with report content; raises the 428 problem that says what is missing."""
    given = {"Interlock-Purpose": purpose, "Interlock-Case": (case or "").strip()}
    missing = [name for name, value in given.items() if not value]
    if missing or purpose is None:
        errors = [
            {"pointer": f"/header/{name}", "message": "required"}
            | ({"allowed": [p.value for p in Purpose]} if name == "Interlock-Purpose" else {})
            for name in missing
        ]
        raise PURPOSE.because(f"Send {' and '.join(missing)} with every read of report content.", errors)
    clearances: Clearances = request.app.state.clearances
    clearances.note(who.clearance)
    return Viewer(who, purpose, given["Interlock-Case"] or "")
