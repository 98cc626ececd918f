"""Run one fusion worker: the loop over reports and judgements, with health and metrics over HTTP.

A loop that ends by itself has met a defect: the process then stops, loudly, and its supervisor starts it
again. SIGTERM lets the batch at hand finish.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from services.fusion import migrations
from services.fusion.core.model import load
from services.fusion.rebuild import check_model
from services.fusion.recover import new_owner, resign
from services.fusion.resolver import CoreResolver, Resolver
from services.fusion.size_store import sizes
from services.fusion.worker import FusionHandler
from shared import web
from shared.auth import verifier_from
from shared.contracts.topics import FUSION_GROUP, JUDGEMENTS, REPORTS, TOPICS
from shared.database import Database, migrate, open_database
from shared.log import Log, open_log
from shared.settings import Settings
from shared.sizes import Sizes
from shared.telemetry import configure_logging
from shared.worker import Worker

NAME: Final = "fusion"
CACHE_MB: Final = 40
"""SQLite's page cache of a worker; of two workers each loses it whenever the other commits."""

log = logging.getLogger(__name__)


class Defect(RuntimeError):
    """A thread of the service has stopped by itself."""


def open_fusion(settings: Settings) -> tuple[Log, Database, CoreResolver]:
    """The log, the migrated database and the resolver; raises ``Misconfigured`` where they do not fit."""
    topics = open_log(settings.log_url)
    topics.ensure(TOPICS)
    db = open_picture(settings.fusion_database)
    migrate(db, Path(migrations.__file__).parent)
    return topics, db, CoreResolver(load(settings.model_file))


def open_picture(url: str) -> Database:
    """The database as a worker opens it.

    SQLite's file is not mapped: where two write, that is no faster and counts as 130 MB of each one's memory.
    """
    return open_database(url, cache_mb=CACHE_MB, mapped_mb=0, pool_size=2)


def serve(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; raises ``Defect`` where a thread died, or ``Misconfigured``."""
    configure_logging(NAME, settings.log_level)
    verifier = verifier_from(settings)
    topics, db, resolver = open_fusion(settings)
    try:
        check_model(db, resolver.version)
        service = Service(db, topics, resolver)
        app = web.create_app("Interlock fusion", verifier=verifier, ready=service.ready, settings=settings)
        service.start()
        port = settings.listen_port(NAME)
        log.info("listening", extra={"host": settings.host, "port": port, "owner": service.owner})
        web.run(app, settings.host, port, settings)
        service.stop()
    finally:
        db.close()
        topics.close()


class Service:
    """The threads beside the HTTP server: the worker, and the one that counts."""

    def __init__(self, db: Database, topics: Log, resolver: Resolver) -> None:
        self.owner = new_owner()
        self._db = db
        self._log = topics
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        handler = FusionHandler(db, topics, resolver, self.owner)
        self._fuser = handler.fuser
        self._worker = Worker(topics, FUSION_GROUP, [REPORTS.name, JUDGEMENTS.name], handler)
        counting = Sizes(db, sizes)
        self._threads = [
            threading.Thread(target=self._guard, args=(name, run), name=name, daemon=True)
            for name, run in (("worker", self._worker.run), ("sizes", lambda: counting.run(self._stop)))
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let the threads finish what they are at; raises ``Defect`` where one had died."""
        self._stop.set()
        self._worker.stop()
        for thread in self._threads:
            thread.join(timeout=web.SHUTDOWN_SECONDS)
        if self._failed:
            raise Defect("a thread of the fusion service died") from self._failed[0]
        self._fuser.leave()
        resign(self._db, self.owner)

    def ready(self) -> None:
        """Raise ``Transient`` unless log and database answer."""
        self._log.ping()
        self._db.ping()

    def _guard(self, name: str, run: Callable[[], None]) -> None:
        """Run a thread's work; where it ends before its time, stop the process."""
        try:
            run()
        except BaseException as error:
            log.exception("%s has died: the process stops", name)
            self._failed.append(error)
            os.kill(os.getpid(), signal.SIGTERM)
            raise
