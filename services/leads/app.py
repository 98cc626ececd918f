"""The leads service's HTTP side: every route, over one database, one log and one clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI

from services.leads.reading import Reading
from services.leads.routes import entities, judgements, leads, lists, me, pairs, reports, rules, search
from services.leads.viewer import Clearances
from shared import web
from shared.auth import Verifier
from shared.database import Database
from shared.log import Log
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the app works with; ``wake`` is called when something has become due."""

    db: Database
    log: Log
    verifier: Verifier
    settings: Settings
    clock: Callable[[], datetime]
    wake: Callable[[], None]
    ready: Callable[[], None]


def create_app(parts: Parts) -> FastAPI:
    """The app with all its routes."""
    app = web.create_app(
        "Interlock leads", verifier=parts.verifier, ready=parts.ready, settings=parts.settings
    )
    app.state.clearances = Clearances(parts.db, parts.wake)
    reading = Reading(parts.db, parts.clock)
    for router in (
        leads.router(parts.db, parts.clock),
        rules.router(),
        search.router(reading),
        entities.router(reading),
        pairs.router(reading),
        reports.router(reading),
        judgements.router(reading, parts.db, parts.log, parts.wake),
        lists.router(reading),
        me.router(),
    ):
        app.include_router(router)
    return app
