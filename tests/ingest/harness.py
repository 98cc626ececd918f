"""An ingest on a real SQLite log, with tokens, examples, and a switch that takes the log away."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.testclient import TestClient

from services.ingest.app import app_of
from services.ingest.feeds import FEEDS
from services.ingest.service import Service
from shared.auth import mint, signing_key, verifier_from
from shared.contracts.topics import Topic
from shared.errors import Transient
from shared.log import Consumer, Log, NewRecord, Position, Record
from shared.settings import Settings

AGENCY = "TXZZZ0001"


class Switched:
    """A log that can be away: then every call raises ``Transient``, after ``appends`` more appends."""

    def __init__(self, inner: Log) -> None:
        self.inner = inner
        self.away = False
        self.appends: int | None = None

    def _reach(self) -> Log:
        if self.away:
            raise Transient("the disk does not answer", retry_after=2)
        return self.inner

    def ensure(self, topics: Sequence[Topic]) -> None:
        self._reach().ensure(topics)

    def append(self, topic: str, records: Sequence[NewRecord]) -> list[Position]:
        if self.appends is not None:
            self.away = self.appends == 0
            self.appends -= 1
        return self._reach().append(topic, records)

    def consumer(self, group: str, topics: Sequence[str]) -> Consumer:
        return self._reach().consumer(group, topics)

    def read(self, position: Position, limit: int) -> list[Record]:
        return self._reach().read(position, limit)

    def ends(self, topic: str) -> dict[int, int]:
        return self._reach().ends(topic)

    def committed(self, group: str, topic: str) -> dict[int, int]:
        return self._reach().committed(group, topic)

    def ping(self) -> None:
        self._reach().ping()

    def close(self) -> None:
        self.inner.close()


class Ingest:
    """A client of one feed's ingest, and what stands behind it."""

    def __init__(self, feed: str, log: Switched, settings: Settings) -> None:
        self.feed = feed
        self.log = log
        self.settings = settings
        self.service = Service.of(FEEDS[feed], log, settings)
        self.http = TestClient(app_of(self.service, verifier_from(settings)))

    def headers(self, agency: str = AGENCY, *roles: str) -> dict[str, str]:
        token = mint(signing_key(self.settings), subject="s", agency=agency, roles=roles or ["submitter"])
        return {"Authorization": f"Bearer {token}"}

    def post(self, body: bytes, path: str = "/v1/reports", **headers: str) -> Any:
        given = {"Content-Type": "application/json" if path == "/v1/reports" else "application/x-ndjson"}
        return self.http.post(path, content=body, headers=self.headers() | given | _dashed(headers))

    def bulk(self, body: bytes, **headers: str) -> list[dict[str, Any]]:
        answer = self.post(body, "/v1/reports:bulk", **headers)
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def records(self) -> list[Record]:
        """Every record of the reports topic, by partition and offset."""
        ends = self.log.inner.ends("reports.v1")
        return [r for p in ends for r in self.log.inner.read(Position("reports.v1", p, 0), 100_000)]


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def example(schema: str, number: int | str = 1, **changes: Any) -> dict[str, Any]:
    """The type's first example as this suite's agency would send it, with another number."""
    code = schema.partition(".")[0]
    payload = dict(FEEDS[code].types[schema].examples[0])
    payload["originator"] = {**payload["originator"], "agency_id": AGENCY}
    payload["source_report_no"] = f"N-{number}"
    return payload | changes


def raw(schema: str = "EPIC.LPR/1", number: int | str = 1, **changes: Any) -> bytes:
    """``example`` as JSON text in one line."""
    return json.dumps(example(schema, number, **changes)).encode()
