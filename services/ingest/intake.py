"""From the bytes an agency sent to a durable record: what single, bulk and import calls have in common."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import jiter
import orjson
from pydantic import ValidationError

from services.ingest.feeds import FEEDS
from services.ingest.feeds.base import Feed
from services.ingest.feeds.problems import problems_of
from services.ingest.limits import deeper_than
from services.ingest.problems import (
    INVALID_REPORT,
    MALFORMED,
    NOT_ORIGINATOR,
    TOO_DEEP,
    UNKNOWN_SCHEMA,
    WRONG_FEED,
)
from services.ingest.receipts import Receipt, Sealer
from shared import telemetry
from shared.contracts.topics import H_SCHEMA, H_TRACEPARENT, REPORTS
from shared.log import Log, NewRecord, Position
from shared.problems import TOO_LARGE, Problem
from shared.settings import Settings

SCHEMA: Final = "report/1"
"""Contract and version of the records' values."""
LARGEST: Final = 4 << 20
"""Bytes of a canonical report: half of what the log takes, whatever the limits of bodies are set to."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A report that passed every check and waits to be written."""

    record: NewRecord
    version: int
    type: str

    @property
    def report_id(self) -> str:
        """The report's id."""
        return self.record.key


class Intake:
    """Checks, maps and writes the reports of one feed; threads share it."""

    def __init__(self, feed: Feed, log: Log, sealer: Sealer, settings: Settings) -> None:
        self.feed = feed
        self._log = log
        self._sealer = sealer
        self._max_depth = settings.max_depth
        self._counters = {
            name: telemetry.ACCEPTED.labels(feed.code, name.partition("/")[0]) for name in feed.types
        }

    def admit(self, raw: bytes, agency: str, received_at: datetime, headers: Mapping[str, str]) -> Admitted:
        """Check one report as sent by ``agency``; raises ``Problem``."""
        self._readable(raw)
        try:
            payload = self.feed.parse(raw, received_at)
        except ValidationError as error:
            raise self._refusal(raw, error) from None
        originator = payload.originator.agency_id
        if originator != agency:
            errors = [
                {"pointer": "/originator/agency_id", "message": f"must be {agency}", "allowed": [agency]}
            ]
            raise NOT_ORIGINATOR.because(
                f"The token speaks for {agency}, the report for {originator}: nobody writes as another.",
                errors,
            )
        report = self.feed.to_report(payload, received_at)
        value = report.to_json()
        if len(value) > LARGEST:
            raise TOO_LARGE.because(f"The report exceeds {LARGEST} bytes once mapped: split it.")
        record = NewRecord(report.report_id, value, headers)
        return Admitted(record, report.version, payload.schema_)

    def append(self, admitted: Sequence[Admitted]) -> list[Position]:
        """Make reports durable, in order; raises ``Transient``."""
        positions = self._log.append(REPORTS.name, [a.record for a in admitted])
        for a in admitted:
            self._counters[a.type].inc()
        return positions

    def receipts(self, positions: Sequence[Position], agency: str) -> list[str]:
        """The receipt ids of reports that have just become durable at ``positions``."""
        accepted_ms = int(time.time() * 1000)
        return [self._sealer.seal(Receipt(p.partition, p.offset, agency, accepted_ms)) for p in positions]

    def refused(self, problem: Problem) -> None:
        """Count a refused report."""
        telemetry.REFUSED.labels(self.feed.code, problem.type.rpartition("/")[2]).inc()

    def _readable(self, raw: bytes) -> None:
        """Raise the problem of text that is no JSON, ambiguous, or nested beyond reason."""
        if deeper_than(raw, self._max_depth):
            raise TOO_DEEP.because(f"The JSON nests deeper than {self._max_depth} levels.")
        try:
            jiter.from_json(raw, allow_inf_nan=False, catch_duplicate_keys=True, partial_mode=False)
        except ValueError as error:
            raise MALFORMED.because(f"The JSON cannot be read: {error}.") from None
        except RecursionError:  # pragma: no cover - the depth was checked
            raise TOO_DEEP.because("The JSON nests too deeply.") from None

    def _refusal(self, raw: bytes, error: ValidationError) -> Problem:
        """Why the report is refused, in the most telling words."""
        errors = problems_of(error)
        if any(e["pointer"] == "/schema" for e in errors):
            sent = _schema_of(raw)
            known = sorted(self.feed.types)
            for other in FEEDS.values():
                if sent in other.types and sent not in self.feed.types:
                    detail = f"{sent} belongs to {other.code} ({other.title}): send it to that feed's ingest."
                    return WRONG_FEED.because(
                        detail,
                        [{"pointer": "/schema", "message": f"belongs to {other.code}", "allowed": known}],
                    )
            if sent not in self.feed.types:
                errors = [{**e, "allowed": known} if e["pointer"] == "/schema" else e for e in errors]
                said = next(e["message"] for e in errors if e["pointer"] == "/schema")
                detail = f"/schema {said}; {self.feed.code} takes {', '.join(known)}."
                return UNKNOWN_SCHEMA.because(detail, errors)
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        detail = f"{first['pointer'] or 'the report'}: {first['message']}{more}"
        return INVALID_REPORT.because(detail, errors)


def _schema_of(raw: bytes) -> str | None:
    """The ``schema`` of a payload that may be anything."""
    try:
        payload: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    schema = payload.get("schema") if isinstance(payload, dict) else None
    return schema if isinstance(schema, str) else None


def record_headers(traceparent: str) -> dict[str, str]:
    """The headers of the records that one request writes."""
    return {H_TRACEPARENT: traceparent, H_SCHEMA: SCHEMA}
