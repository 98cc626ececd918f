"""Run one fusion worker: the loop over reports and judgements, with health and metrics over HTTP.

A loop that ends by itself has met a defect: the process then stops, loudly, and its supervisor starts it
again. SIGTERM lets the batch at hand finish.
"""

import logging
import os
import signal
import threading
from pathlib import Path
from typing import Final

from services.fusion import migrations
from services.fusion.core.model import load
from services.fusion.rebuild import check_model
from services.fusion.recover import new_owner, resign
from services.fusion.resolver import CoreResolver
from services.fusion.worker import FusionHandler
from shared import web
from shared.auth import verifier_from
from shared.contracts.topics import FUSION_GROUP, JUDGEMENTS, REPORTS, TOPICS
from shared.database import Database, migrate, open_database
from shared.log import Log, open_log
from shared.settings import Settings
from shared.telemetry import configure_logging
from shared.worker import Worker

NAME: Final = "fusion"
CACHE_MB: Final = 128
"""SQLite's page cache of a worker: with the caches of profiles it stays well below 400 MB."""

log = logging.getLogger(__name__)


class Defect(RuntimeError):
    """The worker has stopped by itself."""


def open_fusion(settings: Settings) -> tuple[Log, Database, CoreResolver]:
    """The log, the migrated database and the resolver; raises ``Misconfigured`` where they do not fit."""
    topics = open_log(settings.log_url)
    topics.ensure(TOPICS)
    db = open_database(settings.fusion_database, cache_mb=CACHE_MB, pool_size=2)
    migrate(db, Path(migrations.__file__).parent)
    return topics, db, CoreResolver(load(settings.model_file))


def serve(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; raises ``Defect`` where the loop died, or ``Misconfigured``."""
    configure_logging(NAME, settings.log_level)
    verifier = verifier_from(settings)
    topics, db, resolver = open_fusion(settings)
    owner = new_owner()
    try:
        check_model(db, resolver.version)
        handler = FusionHandler(db, topics, resolver, owner)
        worker = Worker(topics, FUSION_GROUP, [REPORTS.name, JUDGEMENTS.name], handler)
        failed: list[BaseException] = []

        def work() -> None:
            try:
                worker.run()
            except BaseException as error:
                log.exception("the worker has died: the process stops")
                failed.append(error)
                os.kill(os.getpid(), signal.SIGTERM)
                raise

        def ready() -> None:
            topics.ping()
            db.ping()

        thread = threading.Thread(target=work, name="fusion", daemon=True)
        app = web.create_app("Interlock fusion", verifier=verifier, ready=ready, settings=settings)
        thread.start()
        port = settings.listen_port(NAME)
        log.info("listening", extra={"host": settings.host, "port": port, "owner": owner})
        web.run(app, settings.host, port, settings)
        worker.stop()
        thread.join(timeout=web.SHUTDOWN_SECONDS)
        if failed:
            raise Defect("the fusion worker died") from failed[0]
        resign(db, owner)
    finally:
        db.close()
        topics.close()
