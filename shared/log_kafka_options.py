"""What the URL of a Kafka log says: ``kafka://user:password@host:9092,host2:9092?setting=value``.

The password may be percent-encoded; no message ever shows it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from shared.contracts.topics import Topic
from shared.errors import Misconfigured

DAY_MS: Final = 86_400_000
OVERHEAD: Final = 1 << 20
"""Bytes that key, headers and the batch around a record may take."""


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """How to reach a cluster and what to ask of it; times are in seconds.

    ``partitions``, ``replication``, ``min_insync``: of topics created from now on (``min_insync`` 0: two
    where there are three replicas or more, else one). ``session``: after that much silence a consumer
    counts as dead. ``timeout``: what one request may take; an append gives up after twice that.
    ``prefix``: of the names of topics and groups, where a cluster is shared. ``compression``: of batches
    on their way and at rest. ``max_record``: bytes of one record at most. ``security``: settings of TLS
    and SASL, named as kafka-python names them.
    """

    servers: tuple[str, ...]
    partitions: int = 12
    replication: int = 1
    min_insync: int = 0
    session: float = 6.0
    timeout: float = 5.0
    prefix: str = ""
    compression: str = "lz4"
    max_record: int = 8 << 20
    security: Mapping[str, str | bool] = field(default_factory=dict, repr=False)

    @property
    def insync(self) -> int:
        """Replicas that must have a record before it counts as durable."""
        return self.min_insync or (2 if self.replication >= 3 else 1)

    def client(self) -> dict[str, Any]:
        """What every client is told."""
        timeout = int(self.timeout * 1000)
        return {
            "bootstrap_servers": list(self.servers),
            "client_id": "interlock",
            "request_timeout_ms": timeout,
            "bootstrap_timeout_ms": timeout,
            "reconnect_backoff_max_ms": 1000,
            "metadata_max_age_ms": 30_000,
            **self.security,
        }

    def producer(self) -> dict[str, Any]:
        """What the producer is told: nothing counts as sent before it is durable."""
        return self.client() | {
            "enable_idempotence": True,
            "acks": "all",
            "compression_type": None if self.compression == "none" else self.compression,
            "batch_size": 256 << 10,
            "max_request_size": self.max_record + OVERHEAD,
            "delivery_timeout_ms": int(2000 * self.timeout),
            "max_block_ms": int(1000 * self.timeout),
            "allow_auto_create_topics": False,
            "metrics_enabled": False,
        }

    def reader(self) -> dict[str, Any]:
        """What every consumer is told: it commits when asked, and begins at the beginning."""
        return self.client() | {
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "allow_auto_create_topics": False,
            "fetch_max_bytes": 32 << 20,
            "max_partition_fetch_bytes": 4 << 20,
            "metrics_enabled": False,
        }

    def member(self, group: str) -> dict[str, Any]:
        """What a member of a group is told beside."""
        session = int(self.session * 1000)
        return self.reader() | {
            "group_id": group,
            "session_timeout_ms": session,
            "heartbeat_interval_ms": session // 4,
        }

    def topic(self, topic: Topic) -> dict[str, str]:
        """The settings of a new topic."""
        settings = {
            "min.insync.replicas": str(self.insync),
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(self.max_record + OVERHEAD),
        }
        if topic.compacted:
            return settings | {"cleanup.policy": "compact", "delete.retention.ms": str(7 * DAY_MS)}
        kept = -1 if topic.retention_days is None else topic.retention_days * DAY_MS
        return settings | {"cleanup.policy": "delete", "retention.ms": str(kept)}


_CHOICES: Final = {
    "compression": ("lz4", "gzip", "none"),
    "security_protocol": ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
    "sasl_mechanism": ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI"),
}
_NUMBERS: Final[dict[str, Callable[[str], Any]]] = {
    "partitions": int,
    "replication": int,
    "min_insync": int,
    "session": float,
    "timeout": float,
    "max_record": int,
}
_FILES: Final = ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_crlfile")
_TEXTS: Final = (
    "prefix",
    "ssl_password",
    "ssl_ciphers",
    "sasl_kerberos_service_name",
    "sasl_kerberos_domain_name",
)


def parse(url: str) -> KafkaOptions:
    """Read a log's URL. Raises ``Misconfigured``, naming the setting."""
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    servers = tuple(host if ":" in host else f"{host}:9092" for host in hosts.split(",") if host)
    if not servers or parts.path.strip("/"):
        raise Misconfigured("INTERLOCK_LOG: a Kafka log is kafka://host:9092,host2:9092?setting=value")
    values: dict[str, Any] = {}
    security: dict[str, Any] = {}
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        value = _value(name, text)
        if name in _NUMBERS or name in {"compression", "prefix"}:
            values[name] = value
        else:
            security[name] = value
    if login:
        user, _, password = login.partition(":")
        security |= {"sasl_plain_username": unquote(user), "sasl_plain_password": unquote(password)}
        security.setdefault("sasl_mechanism", "PLAIN")
    protocol = security.get("security_protocol", "PLAINTEXT")
    if security.get("sasl_mechanism") and not str(protocol).startswith("SASL"):
        raise Misconfigured("INTERLOCK_LOG: a login or sasl_mechanism needs security_protocol=SASL_SSL")
    return KafkaOptions(servers, security=security, **values)


def _value(name: str, text: str) -> Any:
    """One setting of the URL, checked. Raises ``Misconfigured``."""
    if name in _NUMBERS:
        try:
            number: float = _NUMBERS[name](text)
        except ValueError:
            raise Misconfigured(f"INTERLOCK_LOG: {name}={text} is not a number") from None
        if number < 1:
            raise Misconfigured(f"INTERLOCK_LOG: {name}={text} is too small")
        return number
    if name in _CHOICES:
        if text not in _CHOICES[name]:
            raise Misconfigured(f"INTERLOCK_LOG: {name} is one of {', '.join(_CHOICES[name])}, not {text}")
        return text
    if name in _FILES:
        if not Path(text).is_file():
            raise Misconfigured(f"INTERLOCK_LOG: {name}={text}: there is no such file")
        return text
    if name == "ssl_check_hostname":
        if text not in {"true", "false"}:
            raise Misconfigured("INTERLOCK_LOG: ssl_check_hostname is true or false")
        return text == "true"
    if name == "prefix" and not re.fullmatch(r"[A-Za-z0-9._-]{0,60}", text):
        raise Misconfigured("INTERLOCK_LOG: prefix takes letters, digits, dot, dash and underscore")
    if name in _TEXTS:
        return text
    raise Misconfigured(f"INTERLOCK_LOG: unknown setting {name}; known are {', '.join(names())}")


def names() -> list[str]:
    """Every setting that a URL may have."""
    return [*_NUMBERS, *_CHOICES, *_FILES, *_TEXTS, "ssl_check_hostname"]
