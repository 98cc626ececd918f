"""The leads service's HTTP side: every route, over one database, one log and one clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI

from services.leads.deconfliction.registry import Registry
from services.leads.lives import Lives
from services.leads.reading import Reading
from services.leads.routes import (
    deconfliction,
    entities,
    judgements,
    leads,
    lists,
    me,
    notices,
    pairs,
    reports,
    reviews,
    rules,
    search,
    transitions,
)
from services.leads.viewer import Clearances
from shared import web
from shared.auth import Verifier
from shared.database import Database
from shared.log import Log
from shared.rate import Rate
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the app works with; ``wake`` is called when something has become due.

    Without a ``registry`` there is the picture alone: no deconfliction. ``registry_wake`` is called when
    something has been submitted to it.
    """

    db: Database
    log: Log
    verifier: Verifier
    settings: Settings
    clock: Callable[[], datetime]
    wake: Callable[[], None]
    ready: Callable[[], None]
    registry: Registry | None = None
    registry_wake: Callable[[], None] = lambda: None


def create_app(parts: Parts) -> FastAPI:
    """The app with all its routes."""
    app = web.create_app(
        "Interlock leads", verifier=parts.verifier, ready=parts.ready, settings=parts.settings
    )
    app.state.clearances = Clearances(parts.db, parts.wake)
    reading = Reading(parts.db, parts.clock)
    lives = None
    if parts.registry is not None:
        lives = Lives(parts.db, parts.registry, parts.clock, parts.registry_wake)
    for router in (
        leads.router(parts.db, parts.clock, lives),
        rules.router(precision=dict if lives is None else lives.precision),
        search.router(reading),
        entities.router(reading),
        pairs.router(reading),
        reviews.router(reading),
        reports.router(reading),
        judgements.router(judgements.Judging(reading, parts.db, parts.log, parts.wake)),
        lists.router(reading),
        me.router(),
    ):
        app.include_router(router)
    if parts.registry is not None and lives is not None:
        app.include_router(transitions.router(lives))
        rate = Rate(parts.settings.deconfliction_rate)
        app.include_router(deconfliction.router(parts.registry, rate, parts.registry_wake))
        app.include_router(notices.router(parts.registry))
    return app
