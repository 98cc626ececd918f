"""The registry as a service runs it: opened from the settings, with its threads and their wake-up."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx

from services.leads.deconfliction import migrations
from services.leads.deconfliction.delivery import Carrier, MailServer, is_loopback, mail_by, post_by
from services.leads.deconfliction.keyring import KeyFile
from services.leads.deconfliction.matcher import Matcher
from services.leads.deconfliction.registry import Registry
from shared.database import migrate, open_database
from shared.errors import Misconfigured
from shared.settings import Settings

SMTP_PORT: Final = 25
GATHER: Final = 0.02
"""Seconds in which what comes shortly after a wake-up is dealt with together."""


def open_registry(settings: Settings, clock: Callable[[], datetime]) -> Registry:
    """The registry of a deployment, its tables brought to this version's; raises ``Misconfigured``."""
    keys = KeyFile(settings.deconfliction_keys)
    keys.ring()
    db = open_database(settings.deconfliction_database, durable=True)
    try:
        migrate(db, Path(migrations.__file__).parent)
    except BaseException:
        db.close()
        raise
    return Registry(
        db, keys, clock, quantum=settings.deconfliction_quantum / 1000, daily=settings.deconfliction_daily
    )


def mail_server(settings: Settings) -> MailServer | None:
    """The mail server of the settings; None where there is none. Raises ``Misconfigured``.

    A server elsewhere must offer STARTTLS, for a notice crosses no network in the clear.
    """
    if not settings.smtp:
        return None
    try:
        parts = urlsplit(settings.smtp)
        host, port = parts.hostname or "", parts.port or SMTP_PORT
    except ValueError:
        host, port, parts = "", SMTP_PORT, urlsplit("")
    if parts.scheme != "smtp" or not host:
        raise Misconfigured("INTERLOCK_SMTP is no mail server: use smtp://user:password@host:587")
    return MailServer(
        host,
        port,
        settings.smtp_from,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        tls=not is_loopback(host),
    )


class Office:
    """The registry's threads: one works out matches and timers, one carries notices to people."""

    def __init__(self, registry: Registry, mail: MailServer | None) -> None:
        self.registry = registry
        self._stop = threading.Event()
        self._matches, self._letters = threading.Event(), threading.Event()
        self._client = httpx.Client()
        self._matcher = Matcher(registry, self._letters.set)
        self._carrier = Carrier(registry, post_by(self._client), mail_by(mail))

    def wake(self) -> None:
        """There is something to match, or to deliver."""
        self._matches.set()

    def match(self) -> None:
        """Work out matches and timers until stopped."""
        self._matcher.run(_waiting(self._matches), self._stop.is_set)

    def carry(self) -> None:
        """Deliver notices until stopped."""
        self._carrier.run(_waiting(self._letters), self._stop.is_set)

    def stop(self) -> None:
        """Let both threads finish what they are at."""
        self._stop.set()
        self._matches.set()
        self._letters.set()

    def close(self) -> None:
        """Let go of the database and of connections."""
        self._client.close()
        self.registry.db.close()


def _waiting(event: threading.Event) -> Callable[[float], None]:
    """Wait for the event or so many seconds; what is set while others work ends the next wait at once."""

    def wait(seconds: float) -> None:
        if event.wait(seconds):
            time.sleep(GATHER)
        event.clear()

    return wait
