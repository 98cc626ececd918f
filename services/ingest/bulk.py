"""Many reports in one call: checked and written in chunks, answered line by line, in bounded memory.

The answer goes to a spool and is sent once the body was read: a client that does not read while it sends
can then block neither the service nor itself. What was accepted stays accepted, whatever happens later.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Any, Final

import orjson
from anyio import to_thread
from fastapi import Request
from starlette.responses import StreamingResponse

from services.ingest.body import Lines, pieces
from services.ingest.intake import Admitted, Intake, record_headers
from services.ingest.progress import Progress
from shared import telemetry
from shared.errors import Transient
from shared.problems import TOO_LARGE, UNAVAILABLE, Problem
from shared.rate import Rate
from shared.settings import Settings

Item = tuple[int, bytes | Problem]
"""A numbered line or document: its bytes, or why it is not even looked at."""

CHUNK_LINES: Final = 500
CHUNK_BYTES: Final = 1 << 20
SPOOL: Final = 1 << 20
"""Bytes of the answer kept in memory; a longer one goes to a temporary file."""
SENT: Final = 64 << 10
"""Bytes of the answer sent at a time."""


class Batch:
    """One bulk call: takes chunks in order, keeps the answer."""

    def __init__(self, intake: Intake, progress: Progress, agency: str, instance: str) -> None:
        self._intake = intake
        self._progress = progress
        self._agency = agency
        self._instance = instance
        self._headers = record_headers(telemetry.traceparent.get())
        self._seconds = telemetry.ACCEPT_SECONDS.labels(intake.feed.code)
        self._answer = SpooledTemporaryFile(SPOOL)  # noqa: SIM115 - closed when the answer was sent
        self._lost: Problem | None = None

    def take(self, chunk: Iterable[Item]) -> None:
        """Check a chunk, write what is valid, and answer every line of it."""
        started = time.perf_counter()
        now = datetime.now(UTC)
        checked = [(number, self._check(item, now)) for number, item in chunk]
        admitted = [found for _, found in checked if isinstance(found, Admitted)]
        receipts = iter(self._write(admitted))
        lines = [
            self._accepted(number, found, next(receipts))
            if isinstance(found, Admitted) and self._lost is None
            else self._refused(number, found if isinstance(found, Problem) else self._lost)
            for number, found in checked
        ]
        self._answer.write(b"".join(lines))
        self._seconds.observe(time.perf_counter() - started)

    def close(self) -> None:
        """Throw the answer away."""
        self._answer.close()

    def response(self) -> StreamingResponse:
        """The answer, read from the spool as it is sent."""
        self._answer.seek(0)
        return StreamingResponse(self._sent(), media_type="application/x-ndjson")

    def _check(self, item: bytes | Problem, now: datetime) -> Admitted | Problem:
        if isinstance(item, Problem):
            return item
        if self._lost is not None:
            return self._lost
        try:
            return self._intake.admit(item, self._agency, now, self._headers)
        except Problem as problem:
            return problem

    def _write(self, admitted: list[Admitted]) -> list[str]:
        """Receipts of what is durable; after the first failure nothing more is tried."""
        if not admitted or self._lost is not None:
            return []
        try:
            return self._intake.receipts(self._intake.append(admitted), self._agency)
        except Transient as error:
            self._progress.lost(error)
            self._lost = UNAVAILABLE.retry(
                f"{error}. Send this line again: if it did arrive, that changes nothing.", error.retry_after
            )
            return []

    def _accepted(self, number: int, admitted: Admitted, receipt_id: str) -> bytes:
        return orjson.dumps(
            {
                "line": number,
                "outcome": "ACCEPTED",
                "receipt_id": receipt_id,
                "report_id": admitted.report_id,
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )

    def _refused(self, number: int, problem: Problem | None) -> bytes:
        assert problem is not None
        self._intake.refused(problem)
        line: dict[str, Any] = {
            "line": number,
            "outcome": "REFUSED",
            "problem": problem.document(self._instance),
        }
        return orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE)

    def _sent(self) -> Iterator[bytes]:
        with self._answer:
            while part := self._answer.read(SENT):
                yield part


async def stream(batch: Batch, chunks: AsyncIterator[list[Item]]) -> StreamingResponse:
    """Take every chunk, reading the next while a thread works on one; then the answer."""
    working: asyncio.Task[None] | None = None
    try:
        async for chunk in chunks:
            if working is not None:
                await working
            working = asyncio.create_task(to_thread.run_sync(batch.take, chunk))
        if working is not None:
            await working
    except BaseException:
        if working is not None:
            await asyncio.wait([working])
        batch.close()
        raise
    return batch.response()


async def chunks_of(
    request: Request, settings: Settings, rate: Rate, agency: str
) -> AsyncIterator[list[Item]]:
    """The body's lines in chunks, no faster than the agency may send.

    A body that is bad from the start raises its problem; one that goes bad later ends with it, as the
    answer to the first line that was not read.
    """
    lines = Lines(settings.max_line)
    chunk: list[Item] = []
    size = 0
    try:
        async for piece in pieces(request, settings.max_batch_bytes):
            for number, line in lines.feed(piece):
                if number > settings.max_batch_lines:
                    raise TOO_LARGE.because(f"A body has at most {settings.max_batch_lines} lines.")
                chunk.append((number, _too_long(settings) if line is None else line))
                size += len(line or b"")
                if len(chunk) >= CHUNK_LINES or size >= CHUNK_BYTES:
                    yield chunk
                    rate.charge(agency, len(chunk))
                    await asyncio.sleep(rate.wait(agency))
                    chunk, size = [], 0
        chunk += [(number, _too_long(settings) if line is None else line) for number, line in lines.end()]
    except Problem as problem:
        if lines.number == 0:
            raise
        detail = f"{problem.detail} Neither this line nor any after it was read."
        unread = min(lines.number, settings.max_batch_lines) + 1
        chunk.append((unread, Problem(problem.status_code, problem.type, problem.title, detail)))
    if chunk:
        rate.charge(agency, len(chunk))
        yield chunk


def _too_long(settings: Settings) -> Problem:
    return TOO_LARGE.because(f"The line exceeds {settings.max_line} bytes.")


def take_all(batch: Batch, items: Iterable[Item], rate: Rate, agency: str) -> StreamingResponse:
    """Take everything that ``items`` yields; on a thread, for formats that are read in one piece."""
    source = iter(items)
    try:
        while chunk := list(islice(source, CHUNK_LINES)):
            rate.charge(agency, len(chunk))
            batch.take(chunk)
    except BaseException:
        batch.close()
        raise
    return batch.response()
