"""What ``interlock doctor`` looks at: each check finds all well, or a trouble and its remedy."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import services
from services.command.figures import summed
from services.command.letters import open_letters
from services.command.ports import holder
from services.command.reach import FEEDS, Reach
from shared.contracts.topics import FUSION_GROUP, LEADS_GROUP, REPORTS, RESOLUTIONS, TOPICS
from shared.database import open_database
from shared.errors import InterlockError
from shared.log import Log, open_log
from shared.settings import Settings

ENOUGH_BYTES = 1_000_000_000
MANY_WAITING = 1_000
VERSION_TABLES = {"deconfliction": "deconfliction_version"}
CROWD = 1_000
LOOK_SECONDS = 2.0
CLOCK_SECONDS = 30.0
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; a trouble has a remedy."""

    what: str
    found: str
    remedy: str | None = None

    @property
    def well(self) -> bool:
        """Whether nothing needs doing."""
        return self.remedy is None


def examine(reach: Reach, sleep: Callable[[float], None] = time.sleep) -> Iterator[Finding]:
    """Every finding about the deployment that the settings describe."""
    settings = reach.settings
    yield python()
    if any(url.startswith("sqlite:") for url in (settings.log_url, settings.fusion_database)):
        yield from storage(settings)
    yield key(settings)
    yield from log(settings, sleep)
    for name, (url, migrations) in databases(settings).items():
        yield database(name, url, migrations)
    yield registry_keys(settings)
    with httpx.Client(timeout=5, verify=False) as client:  # noqa: S501 - asks only whether our own answer
        for service in (*FEEDS, "fusion", "leads"):
            yield from reachable(client, reach, service)
        yield from crowd(client, reach)


def python() -> Finding:
    """The interpreter is recent enough."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", found, "Install Python 3.11 or newer and run make setup again.")
    return Finding("python", found)


def storage(settings: Settings) -> Iterator[Finding]:
    """The data directory exists, can be written, and its disk has room."""
    home = settings.home
    if not home.is_dir():
        yield Finding(
            "data directory", f"{home} is missing", "Start Interlock once (interlock up); it makes it."
        )
        return
    try:
        probe = home / ".doctor"
        probe.write_bytes(b"")
        probe.unlink()
        yield Finding("data directory", str(home))
    except OSError as error:
        yield Finding(
            "data directory", f"{home}: {error.strerror}", f"Make {home} writable for the user that runs it."
        )
    free = shutil.disk_usage(home).free
    room = f"{free / 1e9:.1f} GB free"
    few = "Make room: below 1 GB nothing more may be accepted. The log grows by about 2 KB a report."
    yield Finding("disk space", room, few if free < ENOUGH_BYTES else None)


def key(settings: Settings) -> Finding:
    """The signing key exists and only its owner can read it."""
    file = settings.key_file
    if settings.jwks_url:
        return Finding("signing key", f"tokens come from {settings.jwks_url}")
    if not file.exists():
        return Finding(
            "signing key", f"{file} is missing", "Start Interlock once (interlock up); it makes it."
        )
    if file.stat().st_mode & 0o077:
        return Finding("signing key", f"others can read {file}", f"chmod 600 {file}")
    return Finding("signing key", str(file))


def log(settings: Settings, sleep: Callable[[float], None]) -> Iterator[Finding]:
    """The log answers, its consumers move, its dead letters are dealt with, and its clock is ours."""
    url = settings.log_url
    remedy = "Start the broker, or correct INTERLOCK_LOG."
    if url.startswith("sqlite:"):
        file = sqlite_file(url)
        remedy = f"Restore {file} from a backup, or start Interlock once (interlock up); it makes it."
        if not file.exists():
            yield Finding("log", f"{file} is missing", remedy)
            return
    try:
        with closing(open_log(url)) as opened:
            opened.ping()
            opened.ensure(TOPICS)
            yield Finding("log", _without_secrets(url))
            yield from _consumers(opened, sleep)
            yield _letters(opened)
    except InterlockError as error:
        yield Finding("log", f"{_without_secrets(url)}: {error}", remedy)


def _consumers(opened: Log, sleep: Callable[[float], None]) -> Iterator[Finding]:
    groups = ((FUSION_GROUP, REPORTS.name), (LEADS_GROUP, RESOLUTIONS.name))
    first = [_waiting(opened, group, topic) for group, topic in groups]
    if any(waiting for waiting, _ in first):
        sleep(LOOK_SECONDS)
    for (group, topic), (before, done_before) in zip(groups, first, strict=True):
        now, done = _waiting(opened, group, topic)
        yield _progress(group, before, now, moved=done != done_before)


def _waiting(opened: Log, group: str, topic: str) -> tuple[int, int]:
    """How many records the group has yet to commit, and how far it is in all."""
    committed = opened.committed(group, topic)
    ends = opened.ends(topic)
    behind = sum(max(0, end - committed.get(partition, 0)) for partition, end in ends.items())
    return behind, sum(committed.values())


def _progress(group: str, before: int, now: int, *, moved: bool) -> Finding:
    found = f"{now:,} records wait"
    if before and now and not moved:
        return Finding(
            f"{group} keeps up",
            f"{found}, and none was processed in {LOOK_SECONDS:g} s",
            f"Look into the log of {group}: what does it wait for? Is it running?",
        )
    if now > max(before, MANY_WAITING):
        return Finding(
            f"{group} keeps up",
            f"{found}, and more come than go",
            f"Add {group} processes (interlock up --workers N) and log partitions, or slow the senders.",
        )
    return Finding(f"{group} keeps up", found)


def _letters(opened: Log) -> Finding:
    count = len(open_letters(opened))
    remedy = "interlock dead-letters list says what and why; mend the cause, then retry or discard them."
    return Finding("dead letters", f"{count:,} open", remedy if count else None)


def databases(settings: Settings) -> dict[str, tuple[str, str]]:
    """The URL of each database, and where its migrations stand among the services."""
    return {
        "fusion": (settings.fusion_database, "fusion/migrations"),
        "leads": (settings.leads_database, "leads/migrations"),
        "deconfliction": (settings.deconfliction_database, "leads/deconfliction/migrations"),
    }


def database(name: str, url: str, migrations: str) -> Finding:
    """The database answers and has the schema of this version."""
    what = f"{name} database"
    if url.startswith("sqlite:") and not sqlite_file(url).exists():
        return Finding(what, f"{sqlite_file(url)} is missing", "Start Interlock (interlock up): it makes it.")
    try:
        opened = open_database(url)
        with closing(opened), opened.snapshot() as connection:
            options = {"version_table": VERSION_TABLES.get(name, "alembic_version")}
            context = MigrationContext.configure(connection, opts=options)
            current = context.get_current_revision()
    except InterlockError as error:
        remedy = f"Start the database server, or correct INTERLOCK_{name.upper()}_DATABASE."
        return Finding(what, str(error), remedy)
    scripts = Path(services.__path__[0]) / migrations
    head = ScriptDirectory(str(scripts)).get_current_head() if scripts.is_dir() else current
    if current is None or current != head:
        found = f"schema {current or 'missing'}, this version needs {head or 'another'}"
        remedy = "Start Interlock: it migrates. If that fails, the service's log says why."
        return Finding(what, found, remedy)
    return Finding(what, f"schema {current}")


def registry_keys(settings: Settings) -> Finding:
    """The keys of an embedded registry are there, once it is."""
    keys, url = settings.deconfliction_keys, settings.deconfliction_database
    if url.startswith("sqlite:") and sqlite_file(url).exists() and not keys.exists():
        return Finding("registry keys", f"{keys} are missing", "Restore them from the backup.")
    return Finding("registry keys", str(keys))


def reachable(client: httpx.Client, reach: Reach, service: str) -> Iterator[Finding]:
    """The service is ready, and its clock agrees with ours."""
    url = reach.url(service)
    try:
        answer = client.get(f"{url}/readyz")
    except httpx.HTTPError as error:
        user = None if reach.pattern else holder(reach.settings.port_of(service))
        remedy = (
            f"{user} uses its port: end it, or move Interlock with --port-base."
            if user and "services" not in user
            else "Start it: interlock up. If it does not stay, its log says why."
        )
        yield Finding(service, f"{url} does not answer ({type(error).__name__})", remedy)
        return
    if answer.is_success:
        yield Finding(service, f"ready at {url}")
    else:
        yield Finding(
            service, f"{url} is not ready: {answer.text[:300]}", "Mend what it names; it recovers by itself."
        )
    yield from _clock(service, answer.headers.get("Date"))


def crowd(client: httpx.Client, reach: Reach) -> Iterator[Finding]:
    """No component is so large that settling it takes long: names are as rare as the model says."""
    try:
        answer = client.get(f"{reach.url('fusion')}/metrics")
    except httpx.HTTPError:
        return  # that it does not answer was said already
    most = summed([answer.text]).get(("interlock_largest_component", "")) if answer.is_success else None
    if most is not None:
        remedy = (
            "Names are commoner here than the model takes them for: run interlock train, look at what it "
            "would change, and rebuild with the new model (docs/resolving.md)."
        )
        yield Finding(
            "components", f"the largest holds {most:,.0f} profiles", remedy if most > CROWD else None
        )


def _clock(service: str, date: str | None) -> Iterator[Finding]:
    if date is None:
        return
    apart = abs(parsedate_to_datetime(date).timestamp() - time.time())
    if apart > CLOCK_SECONDS:
        yield Finding(
            "clock",
            f"{service} is {apart:.0f} s off",
            "Run a time service (chrony, systemd-timesyncd) on both machines.",
        )


def _without_secrets(url: str) -> str:
    return url.partition("?")[0]


def sqlite_file(url: str) -> Path:
    """The file of a ``sqlite:///`` URL, whose path may start with one slash too many."""
    return Path("/" + unquote(urlsplit(url).path).lstrip("/"))
