"""Run the leads service: the API, the projection and the evaluation of leads in one process.

A thread that ends by itself has met a defect: the process then stops, loudly, and its supervisor starts it
again. SIGTERM lets what is in flight finish.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from services.leads import migrations
from services.leads.app import Parts, create_app
from services.leads.clock import clock_of
from services.leads.deconfliction.office import Office, mail_server, open_registry
from services.leads.evaluate import Evaluator
from services.leads.project import Projector
from services.leads.size_store import sizes
from shared import memory, web
from shared.auth import verifier_from
from shared.contracts.topics import JUDGEMENTS, LEADS_GROUP, RESOLUTIONS, TOPICS
from shared.database import Database, migrate, open_database
from shared.log import Log, open_log
from shared.settings import Settings
from shared.sizes import Sizes
from shared.telemetry import configure_logging
from shared.worker import Pace, Worker

NAME: Final = "leads"
PACE: Final = Pace(least=64, most=1_024, seconds=0.3)
"""Batches of the projection: short, so that the evaluation gets the database's writer in between."""

log = logging.getLogger(__name__)


class Defect(RuntimeError):
    """A thread of the service has stopped by itself."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises ``Defect`` where a thread died, or ``Misconfigured``."""
    configure_logging(NAME, settings.log_level)
    verifier = verifier_from(settings)
    topics = open_log(settings.log_url)
    db = open_database(settings.leads_database)
    now = clock_of(settings.clock)
    if settings.clock is not None:
        log.warning("the clock follows a file: this is an exercise", extra={"file": str(settings.clock)})
    office = Office(open_registry(settings, now), mail_server(settings))
    try:
        topics.ensure(TOPICS)
        migrate(db, Path(migrations.__file__).parent)
        service = Service(db, topics, office)
        app = create_app(
            Parts(
                db,
                topics,
                verifier,
                settings,
                now,
                service.wake.set,
                service.ready,
                office.registry,
                office.wake,
            )
        )
        app.openapi()  # the parameters that routes know are read from it: no request should wait for it
        memory.settle()
        service.start()
        port = settings.listen_port(NAME)
        log.info("listening", extra={"host": settings.host, "port": port})
        web.run(app, settings.host, port, settings)
        service.stop()
    finally:
        office.close()
        db.close()
        topics.close()


class Service:
    """The threads beside the API."""

    def __init__(self, db: Database, topics: Log, office: Office) -> None:
        self.wake = threading.Event()
        self._office = office
        self._db = db
        self._log = topics
        self._stop = threading.Event()
        projector = Projector(db, self.wake.set)
        self._worker = Worker(topics, LEADS_GROUP, [RESOLUTIONS.name, JUDGEMENTS.name], projector, pace=PACE)
        self._evaluator = Evaluator(db, wake=self.wake)
        self._failed: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._guard, args=(name, run), name=name, daemon=True)
            for name, run in (
                ("projection", self._worker.run),
                ("evaluation", self._evaluate),
                ("sizes", self._count),
                ("deconfliction", office.match),
                ("delivery", office.carry),
            )
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let the threads finish what they are at; raises ``Defect`` where one had died."""
        self._stop.set()
        self._worker.stop()
        self._office.stop()
        self.wake.set()
        for thread in self._threads:
            thread.join(timeout=web.SHUTDOWN_SECONDS)
        if self._failed:
            raise Defect("a thread of the leads service died") from self._failed[0]

    def ready(self) -> None:
        """Raise ``Transient`` unless log and database answer."""
        self._log.ping()
        self._db.ping()
        self._office.registry.db.ping()

    def _evaluate(self) -> None:
        self._evaluator.run(self._stop)

    def _count(self) -> None:
        Sizes(self._db, sizes).run(self._stop)

    def _guard(self, name: str, run: Callable[[], None]) -> None:
        """Run a thread's work; where it ends before its time, stop the process."""
        try:
            run()
        except Exception as error:
            log.exception("%s has died: the process stops", name)
            self._failed.append(error)
            os.kill(os.getpid(), signal.SIGTERM)
