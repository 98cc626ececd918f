"""The feeds' examples, and ways to vary them."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from services.ingest.feeds import FEEDS
from services.ingest.feeds.base import Identification, ReportType
from services.ingest.feeds.problems import Problem, problems_of
from shared.contracts.report import Report

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TYPES: tuple[ReportType, ...] = tuple(t for feed in FEEDS.values() for t in feed.types.values())
CASES = [(t.schema, n) for t in TYPES for n in range(len(t.examples))]


def example(schema: str, number: int = 0) -> dict[str, Any]:
    """A fresh copy of an example by schema, such as ``EPIC.LPR/1`` (``/1`` may be left out)."""
    name = schema if "/" in schema else f"{schema}/1"
    kind = FEEDS[name.partition(".")[0]].types[name]
    return copy.deepcopy(kind.examples[number])


def changed(payload: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """The payload with the value at ``pointer`` set, or removed where ``value`` is ``...``."""
    *path, last = pointer.strip("/").split("/")
    node: Any = payload
    for part in path:
        node = node[int(part)] if isinstance(node, list) else node[part]
    key: Any = int(last) if isinstance(node, list) else last
    if value is ...:
        del node[key]
    else:
        node[key] = value
    return payload


def parse(payload: dict[str, Any] | bytes, at: datetime = NOW) -> Identification:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    name = json.loads(raw)["schema"] if not isinstance(payload, dict) else payload["schema"]
    return FEEDS[name.partition(".")[0]].parse(raw, at)


def report(payload: dict[str, Any], at: datetime = NOW) -> Report:
    """The canonical report of a payload."""
    parsed = parse(payload, at)
    return FEEDS[payload["schema"].partition(".")[0]].to_report(parsed, at)


def problems(payload: dict[str, Any] | bytes, feed: str = "", at: datetime = NOW) -> list[Problem]:
    """Why a payload is refused; empty where it is not."""
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    code = feed or json.loads(raw)["schema"].partition(".")[0]
    try:
        FEEDS[code].parse(raw, at)
    except ValidationError as error:
        return problems_of(error)
    return []


def pointers(payload: dict[str, Any], at: datetime = NOW) -> list[str]:
    return [p["pointer"] for p in problems(payload, at=at)]


def links(canonical: Report) -> set[tuple[str, str, str]]:
    """(source, type, target) of every relation."""
    return {(r.source, r.type.value, r.target) for r in canonical.relations}
