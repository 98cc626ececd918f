"""Settings: read once from the environment at the edge, passed as one frozen value from there on."""

# ruff: noqa: RUF009 - `_setting` only wraps `dataclasses.field`, which ruff does not see through

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self

from shared.errors import Misconfigured

PORT_OFFSETS: Final[Mapping[str, int]] = {
    "SOD": 1,
    "OFC": 2,
    "EPIC": 3,
    "BCSC": 4,
    "leads": 100,
    "fusion": 200,
}
"""What each service adds to ``port_base``."""


def _setting(variable: str, default: object, doc: str, *, secret: bool = False) -> Any:
    """A field with its environment variable and its text for the settings table."""
    return field(
        default=default, repr=not secret, metadata={"variable": variable, "doc": doc, "secret": secret}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that an operator can set; ``""`` and None mean the default that ``__post_init__`` derives."""

    home: Path = _setting(
        "INTERLOCK_HOME",
        Path(),
        "Directory of the embedded log, databases and keys; default `~/.local/share/interlock`.",
    )
    log_url: str = _setting(
        "INTERLOCK_LOG",
        "",
        "The log: `sqlite:///…/log.db?partitions=4` or `kafka://host:9092,…`; default SQLite in the home.",
        secret=True,
    )
    fusion_database: str = _setting(
        "INTERLOCK_FUSION_DATABASE",
        "",
        "Fusion's database: `sqlite:///…` or `postgresql+psycopg://…`; default SQLite in the home.",
        secret=True,
    )
    leads_database: str = _setting(
        "INTERLOCK_LEADS_DATABASE",
        "",
        "Leads' database: `sqlite:///…` or `postgresql+psycopg://…`; default SQLite in the home.",
        secret=True,
    )
    deconfliction_database: str = _setting(
        "INTERLOCK_DECONFLICTION_DATABASE",
        "",
        "The deconfliction registry and the life of leads; default: SQLite in the home, or the leads "
        "database where that is PostgreSQL. It cannot be rebuilt from the log.",
        secret=True,
    )
    deconfliction_keys: Path = _setting(
        "INTERLOCK_DECONFLICTION_KEYS",
        Path(),
        "The registry's keys, shared by all leads processes, which write it when they are rotated; made on "
        "first use; default `<home>/keys/deconfliction.json`. Without it the registry cannot be read.",
    )
    deconfliction_quantum: int = _setting(
        "INTERLOCK_DECONFLICTION_QUANTUM",
        50,
        "Answers to submissions leave at the next multiple of so many milliseconds, so that their time "
        "tells nothing.",
    )
    deconfliction_daily: int = _setting(
        "INTERLOCK_DECONFLICTION_DAILY",
        500,
        "Identifiers, names and addresses that one person may submit in a day, one by one.",
    )
    deconfliction_rate: int = _setting(
        "INTERLOCK_DECONFLICTION_RATE",
        50,
        "Submissions a second that one agency may make one by one, with two seconds' burst; 0 = no limit.",
    )
    smtp: str = _setting(
        "INTERLOCK_SMTP",
        "",
        "Mail server for notices: `smtp://user:password@host:587` (STARTTLS), or one on this machine; "
        "unset = no e-mail.",
        secret=True,
    )
    smtp_from: str = _setting("INTERLOCK_SMTP_FROM", "interlock@localhost", "From whom notices are mailed.")
    host: str = _setting("INTERLOCK_HOST", "127.0.0.1", "Address to listen on; loopback unless set.")
    port_base: int = _setting(
        "INTERLOCK_PORT_BASE",
        8100,
        "SOD, OFC, EPIC, BCSC listen on base+1 … base+4, leads on base+100, fusion on base+200.",
    )
    port: int = _setting(
        "INTERLOCK_PORT", 0, "Port of this one service, whatever the base says; 0 = follow the base."
    )
    issuer: str = _setting("INTERLOCK_ISSUER", "interlock", "Issuer (`iss`) that tokens must come from.")
    audience: str = _setting("INTERLOCK_AUDIENCE", "interlock", "Audience (`aud`) that tokens must name.")
    jwks_url: str = _setting(
        "INTERLOCK_JWKS_URL",
        "",
        "Where the OpenID Connect issuer publishes its keys; unset = tokens signed by the key file.",
    )
    key_file: Path = _setting(
        "INTERLOCK_KEY_FILE",
        Path(),
        "Key that signs and checks embedded tokens; made on first use; default `<home>/keys/signing.pem`.",
    )
    secret: str = _setting(
        "INTERLOCK_SECRET",
        "",
        "At least 32 characters, equal on all replicas: receipts and keyed hashes derive from it; "
        "default: derived from the key file.",
        secret=True,
    )
    tls_certificate: Path | None = _setting(
        "INTERLOCK_TLS_CERTIFICATE", None, "Certificate chain (PEM) to serve HTTPS with."
    )
    tls_key: Path | None = _setting("INTERLOCK_TLS_KEY", None, "Private key (PEM) of the certificate.")
    tls_client_ca: Path | None = _setting(
        "INTERLOCK_TLS_CLIENT_CA", None, "CA (PEM) whose client certificates are required (mutual TLS)."
    )
    model_file: Path | None = _setting(
        "INTERLOCK_MODEL", None, "Trained resolver model; unset = the model that Interlock ships."
    )
    max_body: int = _setting(
        "INTERLOCK_MAX_BODY", 1 << 20, "Largest body of one report or JSON request, in bytes."
    )
    max_line: int = _setting("INTERLOCK_MAX_LINE", 1 << 20, "Longest line of a bulk body, in bytes.")
    max_batch_bytes: int = _setting(
        "INTERLOCK_MAX_BATCH_BYTES", 1 << 30, "Largest bulk body once decompressed, in bytes."
    )
    max_batch_lines: int = _setting("INTERLOCK_MAX_BATCH_LINES", 250_000, "Most lines of one bulk body.")
    max_import: int = _setting(
        "INTERLOCK_MAX_IMPORT", 32 << 20, "Largest document given to an import format, in bytes."
    )
    max_depth: int = _setting("INTERLOCK_MAX_DEPTH", 32, "Deepest nesting of a JSON body.")
    rate_per_agency: int = _setting(
        "INTERLOCK_RATE_PER_AGENCY",
        20_000,
        "Reports a second that one agency may send to one feed, with two seconds' burst; 0 = no limit.",
    )
    max_backlog: int = _setting(
        "INTERLOCK_MAX_BACKLOG",
        5_000_000,
        "Reports waiting for fusion beyond which ingest answers 503; 0 = no limit.",
    )
    clock: Path | None = _setting(
        "INTERLOCK_CLOCK",
        None,
        "For exercises only: a file with the seconds that the leads service's clock is ahead, read again and "
        "again, so that escalation, expiry and re-check can be played through.",
    )
    log_level: str = _setting("INTERLOCK_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR.")

    def __post_init__(self) -> None:
        """Fill in what derives from the home, and refuse what cannot be meant."""
        if self.home == Path():
            self._set("home", Path.home() / ".local" / "share" / "interlock")
        self._set("home", self.home.expanduser().absolute())
        defaults: dict[str, object] = {
            "log_url": f"sqlite:///{self.home / 'log.db'}?partitions=4",
            "fusion_database": f"sqlite:///{self.home / 'fusion.db'}",
            "leads_database": f"sqlite:///{self.home / 'leads.db'}",
            "key_file": self.home / "keys" / "signing.pem",
            "deconfliction_keys": self.home / "keys" / "deconfliction.json",
        }
        for name, value in defaults.items():
            if getattr(self, name) in ("", Path()):
                self._set(name, value)
        if not self.deconfliction_database:
            own = f"sqlite:///{self.home / 'deconfliction.db'}"
            shared = not self.leads_database.startswith("sqlite:")
            self._set("deconfliction_database", self.leads_database if shared else own)
        self._set("log_level", self.log_level.upper())
        self._check()

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check(self) -> None:
        """Raise ``Misconfigured`` for values that no service could start with."""
        if self.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise Misconfigured(
                f"INTERLOCK_LOG_LEVEL is {self.log_level!r}: use DEBUG, INFO, WARNING or ERROR"
            )
        if not 0 < self.port_base <= 65_000 or not 0 <= self.port <= 65_535:
            raise Misconfigured("INTERLOCK_PORT_BASE must be 1 to 65000 and INTERLOCK_PORT 0 to 65535")
        if self.secret and len(self.secret) < 32:
            raise Misconfigured("INTERLOCK_SECRET is too short: use at least 32 random characters")
        if self.tls_client_ca and not self.tls_certificate:
            raise Misconfigured("INTERLOCK_TLS_CLIENT_CA needs INTERLOCK_TLS_CERTIFICATE: it is for HTTPS")
        for name in ("max_body", "max_line", "max_batch_bytes", "max_batch_lines", "max_import", "max_depth"):
            if getattr(self, name) <= 0:
                raise Misconfigured(f"{variable_of(name)} must be above 0")
        if self.deconfliction_quantum <= 0:
            raise Misconfigured("INTERLOCK_DECONFLICTION_QUANTUM must be above 0")
        for name in ("rate_per_agency", "max_backlog", "deconfliction_daily", "deconfliction_rate"):
            if getattr(self, name) < 0:
                raise Misconfigured(f"{variable_of(name)} must not be negative")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The settings that ``environ`` (default: this process's) gives; raises ``Misconfigured``."""
        environ = os.environ if environ is None else environ
        given: dict[str, Any] = {}
        for f in fields(cls):
            raw = environ.get(f.metadata["variable"], "").strip()
            if raw:
                given[f.name] = _read(raw, str(f.type), f.metadata["variable"])
        return cls(**given)

    def port_of(self, service: str) -> int:
        """The port of a service (a feed's code, ``leads`` or ``fusion``), by ``port_base``."""
        if service not in PORT_OFFSETS:
            raise Misconfigured(f"no service {service!r}: it is one of {', '.join(PORT_OFFSETS)}")
        return self.port_base + PORT_OFFSETS[service]

    def listen_port(self, service: str) -> int:
        """The port that this process listens on as ``service``: ``port`` where set."""
        return self.port or self.port_of(service)

    def url_of(self, service: str) -> str:
        """Where another process on this machine finds the service."""
        scheme = "https" if self.tls_certificate else "http"
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104 - compared, not bound
        return f"{scheme}://{host}:{self.port_of(service)}"


def variable_of(name: str) -> str:
    """The environment variable of a field of ``Settings``."""
    return str(next(f.metadata["variable"] for f in fields(Settings) if f.name == name))


def settings_table() -> list[tuple[str, str, str]]:
    """Variable, default and text of every setting, for the documentation."""
    rows = []
    for f in fields(Settings):
        default = "" if f.default in (None, "", Path()) else f"`{f.default}`"
        rows.append((f.metadata["variable"], default, f.metadata["doc"]))
    return rows


def _read(raw: str, kind: str, variable: str) -> object:
    """``raw`` as the field's type: text, whole number or path."""
    if "Path" in kind:
        return Path(raw).expanduser().absolute()
    if "int" in kind:
        try:
            return int(raw.replace("_", ""))
        except ValueError:
            raise Misconfigured(f"{variable} is {raw!r}: it must be a whole number") from None
    return raw
