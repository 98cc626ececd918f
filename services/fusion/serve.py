"""Run one fusion worker: the loop over the log in one thread, health and metrics over HTTP in another.

Any number of workers may run. Each says every few seconds that it lives, and looks whether another has
gone and left work. A loop that ends by itself has met a defect: the process stops, loudly, and its
supervisor starts it again.
"""

import logging
import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.fusion import migrations
from services.fusion.core.model import load
from services.fusion.fuse import Fuser
from services.fusion.modelled import ModelledResolver
from services.fusion.recover import LEASE, beat, new_owner, recover, resign
from services.fusion.size_store import sizes
from shared import web
from shared.auth import verifier_from
from shared.contracts.topics import FUSION_GROUP, JUDGEMENTS, REPORTS, TOPICS
from shared.database import Database, migrate, open_database
from shared.errors import Transient
from shared.log import Log, Record, open_log
from shared.settings import Settings
from shared.sizes import Sizes
from shared.telemetry import FUSE_SECONDS, FUSED, configure_logging
from shared.worker import DeadLetter, Pace, Worker

NAME: Final = "fusion"
BEAT_SECONDS: Final = LEASE / 6
PACE: Final = Pace(least=64, most=2_048, seconds=0.5)
LONGEST_WAIT: Final = 0.25

log = logging.getLogger(__name__)


class Defect(RuntimeError):
    """The worker's loop has stopped by itself."""


def serve(settings: Settings) -> None:
    """Fuse until SIGTERM or SIGINT; raises ``Defect`` where the loop died, or ``Misconfigured``."""
    configure_logging(NAME, settings.log_level)
    resolver = ModelledResolver(load(settings.model_file))
    topics = open_log(settings.log_url)
    db = open_database(settings.fusion_database, cache_mb=256)
    try:
        topics.ensure(TOPICS)
        migrate(db, Path(migrations.__file__).parent)
        service = Service(db, topics, resolver)
        app = web.create_app(
            "Interlock fusion", verifier=verifier_from(settings), ready=service.ready, settings=settings
        )
        service.start()
        port = settings.listen_port(NAME)
        log.info("listening", extra={"host": settings.host, "port": port, "model": resolver.version})
        web.run(app, settings.host, port, settings)
        service.stop()
    finally:
        db.close()
        topics.close()


class Handling:
    """What the loop does with a batch: fuse it, count it, relay what it published."""

    def __init__(self, fuser: Fuser, topics: Log) -> None:
        self._fuser = fuser
        self._log = topics
        self._look_at = 0.0

    def handle(self, records: Sequence[Record]) -> list[DeadLetter]:
        """Fuse a batch durably; gives back what can never be fused."""
        refused = self._fuser.handle(records)
        now = time.time()
        FUSED.inc(len(records) - len(refused))
        for record in records:
            FUSE_SECONDS.observe(max(0.0, now - record.timestamp_ms / 1000))
        return [DeadLetter(record, str(poison), poison.step) for record, poison in refused]

    def relay(self) -> None:
        """Send what this worker has published; now and then finish what a worker that is gone has left."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + BEAT_SECONDS
            if gone := recover(self._fuser, time.time()):
                log.warning("finished what others left", extra={"workers": sorted(gone)})
        self._fuser.relay(self._log)


class Service:
    """The threads beside health and metrics."""

    def __init__(self, db: Database, topics: Log, resolver: ModelledResolver) -> None:
        self._db = db
        self._log = topics
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        self.owner = new_owner()
        fuser = Fuser(db, resolver, self.owner, self._wait)
        handling = Handling(fuser, topics)
        self._worker = Worker(topics, FUSION_GROUP, [REPORTS.name, JUDGEMENTS.name], handling, pace=PACE)
        self._threads = [
            threading.Thread(target=self._fuse, name="fusion", daemon=True),
            threading.Thread(target=self._beat, name="beat", daemon=True),
            threading.Thread(target=Sizes(db, sizes).run, args=(self._stop,), name="sizes", daemon=True),
        ]

    def start(self) -> None:
        """Say that this worker lives, then start the threads."""
        beat(self._db, self.owner, time.time())
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the batch at hand; raises ``Defect`` where the loop had died."""
        self._stop.set()
        self._worker.stop()
        for thread in self._threads:
            thread.join(timeout=web.SHUTDOWN_SECONDS)
        if self._failed:
            raise Defect("the fusion loop died") from self._failed[0]
        resign(self._db, self.owner)

    def ready(self) -> None:
        """Raise ``Transient`` unless log and database answer."""
        self._log.ping()
        self._db.ping()

    def _wait(self, attempt: int) -> None:
        """Another worker is in the way: a random moment, longer each time."""
        most = min(LONGEST_WAIT, 0.002 * 2.0 ** min(attempt, 10))
        self._stop.wait(random.uniform(0.0, most))  # noqa: S311 - spreads the workers, decides nothing

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            try:
                beat(self._db, self.owner, time.time())
            except Transient as error:
                log.warning("could not say that this worker lives: %s", error)

    def _fuse(self) -> None:
        try:
            self._worker.run()
        except BaseException as error:
            log.exception("the loop has died: the process stops")
            self._failed.append(error)
            os.kill(os.getpid(), signal.SIGTERM)
            raise
