"""Run one feed's ingest until it is told to stop."""

import logging
from typing import Final

from services.ingest.app import create_app
from services.ingest.feeds import FEEDS
from shared import web
from shared.auth import verifier_from
from shared.errors import Misconfigured
from shared.log import open_log
from shared.settings import Settings
from shared.telemetry import configure_logging

NAME: Final = "ingest"


def serve(settings: Settings, feed: str) -> None:
    """Serve ``feed`` (its code) on its port; returns after SIGTERM, with every request answered.

    Raises ``Misconfigured`` for an unknown feed and for settings that cannot work.
    """
    if feed not in FEEDS:
        raise Misconfigured(f"no feed {feed!r}: it is one of {', '.join(FEEDS)}")
    configure_logging(f"{NAME}-{feed}", settings.log_level)
    verifier = verifier_from(settings)
    log = open_log(settings.log_url)
    try:
        app = create_app(FEEDS[feed], log, verifier, settings)
        port = settings.listen_port(feed)
        logging.getLogger(__name__).info("listening", extra={"host": settings.host, "port": port})
        web.run(app, settings.host, port, settings)
    finally:
        log.close()
