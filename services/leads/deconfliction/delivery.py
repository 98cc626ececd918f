"""Carries notices to people: signed webhooks and e-mail; the inbox and the event stream need no carrying.

Delivery is at least once: an attempt that fails is tried again with growing pauses for three days. A notice
has its id in the body and in ``Interlock-Notice``, so a repeat is recognisable. A webhook is signed:
``Interlock-Signature: t=<unix seconds>,v1=<hex HMAC-SHA-256 of "t.body" under the channel's secret>``;
receivers refuse what is older than five minutes, so that a copied call cannot be replayed.
"""

import hmac
import ipaddress
import json
import logging
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from services.leads.deconfliction import delivery_store as store
from services.leads.deconfliction.keyring import KeyRing
from services.leads.deconfliction.moments import milliseconds
from services.leads.deconfliction.registry import Registry
from shared.errors import Transient

BATCH: Final = 20
TIMEOUT: Final = 5.0
FIRST_PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 3_600.0
PAUSE: Final = 1.0
"""Seconds between two looks where nobody wakes the carrier."""
GIVE_UP_MS: Final = 3 * 86_400_000


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where e-mail is handed over; ``sender`` is its From."""

    host: str
    port: int = 25
    sender: str = "interlock@localhost"
    user: str = ""
    password: str = ""
    tls: bool = True


class Undelivered(Exception):
    """An attempt failed; the message is for the log and holds nothing of the notice."""


def check_address(channel: str, address: str) -> str | None:
    """What is wrong with a channel's address; None where nothing is.

    Webhooks go over https, or to this machine, so a notice never crosses a network in the clear.
    """
    if channel == "EMAIL":
        return None if address.count("@") == 1 and " " not in address else "no e-mail address"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return "no URL"
    if parts.username or parts.password:
        return "a URL here has no user or password: the signature authenticates the call"
    if parts.scheme == "https" and host:
        return None
    return None if parts.scheme == "http" and is_loopback(host) else "use https://…"


def is_loopback(host: str) -> bool:
    """Whether this is the machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def signature(secret: str, at: int, body: bytes) -> str:
    """The value of ``Interlock-Signature``."""
    return f"t={at},v1={hmac.new(secret.encode(), b'%d.' % at + body, 'sha256').hexdigest()}"


@dataclass(frozen=True, slots=True)
class Carrier:
    """Delivers what is due; ``post`` and ``mail`` are the ways out."""

    registry: Registry
    post: Callable[[str, bytes, dict[str, str]], None]
    mail: Callable[[str, str, str], None]

    def run(self, wait: Callable[[float], None], stopping: Callable[[], bool]) -> None:
        """Deliver until told to stop; ``wait(seconds)`` returns when there is news or the time is over."""
        while not stopping():
            try:
                busy = self.step()
            except Transient as error:
                logging.getLogger(__name__).warning("delivery waits: %s", error)
                wait(error.retry_after)
                continue
            if not busy:
                wait(PAUSE)

    def step(self) -> int:
        """Try everything that is due; how many attempts there were."""
        now = milliseconds(self.registry.clock())
        with self.registry.db.snapshot() as conn:
            if not store.is_due(conn, now):
                return 0
        with self.registry.transaction() as (conn, ring):
            rows = [(row, *_opened(ring, row)) for row in store.due(conn, now, BATCH)]
        for row, settings, body in rows:
            outcome = self._attempt(row, settings, body, now)
            with self.registry.transaction() as (conn, _):
                store.settle(conn, row.delivery_id, outcome)
        return len(rows)

    def _attempt(self, row: Any, settings: dict[str, str], body: bytes, now: int) -> dict[str, Any]:
        try:
            if row.channel == "WEBHOOK":
                at = now // 1000
                headers = {
                    "Content-Type": "application/json",
                    "Interlock-Notice": row.notice_id,
                    "Interlock-Signature": signature(settings["secret"], at, body),
                }
                self.post(settings["address"], body, headers)
            else:
                self.mail(settings["address"], *letter(row.notice_id, json.loads(body)))
        except Undelivered as error:
            logging.getLogger(__name__).warning("delivery %s failed: %s", row.delivery_id, error)
            return _put_off(row, now)
        return {"attempts": row.attempts + 1, "next_ms": None, "delivered_ms": now}


def _opened(ring: KeyRing, row: Any) -> tuple[dict[str, str], bytes]:
    """Where a delivery goes, and what."""
    notice = {"notice_id": row.notice_id, **json.loads(ring.open(row.agency, row.sealed))}
    return json.loads(ring.open(row.agency, row.address)), json.dumps(notice).encode()


def _put_off(row: Any, now: int) -> dict[str, Any]:
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**row.attempts)
    later: int | None = now + int(pause * 1000)
    if row.attempts and pause >= LONGEST_PAUSE and row.attempts * LONGEST_PAUSE * 1000 > GIVE_UP_MS:
        later = None
    return {"attempts": row.attempts + 1, "next_ms": later}


def letter(notice_id: str, notice: dict[str, Any]) -> tuple[str, str]:
    """Subject and text of a notice as an e-mail: the number and whom to call."""
    other = notice["other"]
    contact = other["contact"]
    lines = [
        f"Deconfliction notice {notice_id}",
        f"Your submission: {notice['number']} ({notice['reference']})",
        f"Match: {notice['class']}, urgency {notice['urgency']}",
        f"Call: {contact['name']}, {other['unit']}, {other['agency']}, {contact['phone']}",
        "Acknowledge in Interlock. Do not answer this message.",
    ]
    return f"[{notice['urgency']}] Deconfliction {notice['number']}", "\n".join(lines)


def post_by(client: httpx.Client) -> Callable[[str, bytes, dict[str, str]], None]:
    """Webhooks through ``client``; any answer but 2xx is a failed attempt, redirects too."""

    def post(url: str, body: bytes, headers: dict[str, str]) -> None:
        try:
            answer = client.post(url, content=body, headers=headers, timeout=TIMEOUT, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Undelivered(type(error).__name__) from error
        if not answer.is_success:
            raise Undelivered(f"the receiver answered {answer.status_code}")

    return post


def mail_by(server: MailServer | None) -> Callable[[str, str, str], None]:
    """E-mail through ``server``; without one every attempt fails and says so."""

    def mail(address: str, subject: str, text: str) -> None:
        if server is None:
            raise Undelivered("no mail server is set: see INTERLOCK_SMTP")
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = server.sender, address, subject
        message.set_content(text)
        try:
            with smtplib.SMTP(server.host, server.port, timeout=TIMEOUT) as smtp:
                if server.tls:
                    smtp.starttls()
                if server.user:
                    smtp.login(server.user, server.password)
                smtp.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise Undelivered(type(error).__name__) from error

    return mail
