"""Telemetry: JSON logs, W3C trace context, and the Prometheus metrics of every service."""

import logging
import re
import secrets
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

import orjson
from prometheus_client import Counter, Gauge, Histogram

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}

traceparent: ContextVar[str] = ContextVar("traceparent", default="")
"""The trace context of what this thread or task is doing; ``""`` = none."""
request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the HTTP request being answered; ``""`` = none."""

LATENCY_BUCKETS: Final = (
    .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
)  # fmt: skip

ACCEPTED = Counter("interlock_accepted_total", "Reports durably accepted", ["feed", "type"])
REFUSED = Counter("interlock_refused_total", "Reports refused at ingest", ["feed", "problem"])
FUSED = Counter("interlock_fused_total", "Reports fused (repeats and outdated versions included)")
DEAD_LETTERS = Counter("interlock_dead_letters_total", "Records dead-lettered", ["step"])
RETRIES = Counter("interlock_retries_total", "Batches tried again after a transient error", ["group"])
LAG = Gauge("interlock_lag", "Records not yet committed by a consumer group", ["group"])
BATCH = Histogram(
    "interlock_batch_records",
    "Records per batch of a worker",
    ["group"],
    buckets=(1, 4, 16, 64, 256, 1024, 4096, 16384),
)
ACCEPT_SECONDS = Histogram(
    "interlock_accept_seconds", "From request to durable", ["feed"], buckets=LATENCY_BUCKETS
)
FUSE_SECONDS = Histogram("interlock_fuse_seconds", "From accepted to fused", buckets=LATENCY_BUCKETS)
LEAD_SECONDS = Histogram("interlock_lead_seconds", "From accepted to lead visible", buckets=LATENCY_BUCKETS)
HTTP_SECONDS = Histogram(
    "interlock_http_seconds",
    "Answering a request; its count by status is the request counter",
    ["method", "route", "status"],
    buckets=LATENCY_BUCKETS,
)
HTTP_IN_FLIGHT = Gauge("interlock_http_in_flight", "Requests being answered")


def new_traceparent() -> str:
    """A new W3C trace context, sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def child(parent: str) -> str:
    """The same trace with a span of its own; a new trace where ``parent`` is missing or malformed."""
    if not _TRACEPARENT.fullmatch(parent):
        return new_traceparent()
    return f"{parent[:36]}{secrets.token_hex(8)}{parent[52:]}"


def trace_id(context: str) -> str:
    """The 32 hexadecimal digits that all spans of one trace share; ``""`` where there is no trace."""
    return context[3:35]


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, service, logger, message, trace id, request id, extras."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; extras of the call become fields, and control characters cannot break lines."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if context := traceparent.get():
            line["trace_id"] = trace_id(context)
        if current := request_id.get():
            line["request_id"] = current
        line.update({name: value for name, value in record.__dict__.items() if name not in _STANDARD})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z).decode()


def configure_logging(service: str, level: str = "INFO") -> None:
    """Send every log record of this process to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for chatty in ("kafka", "httpx", "httpcore", "alembic", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))
