"""Pushing a file of reports: which feed each line is for, sending in batches, and going on where it stopped.

No terminal here: the ``push`` and ``demo`` commands show what this reports.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlencode

import orjson

from services.command.console import Failed
from services.command.reach import DESK, FEEDS, Reach, in_words, reasons_of
from shared import batches

if TYPE_CHECKING:
    import httpx

WINDOW_LINES = 1_000
WINDOW_BYTES = 8_000_000
"""A window of lines is sent, and only then remembered as done."""
PATIENCE_SECONDS = 600.0
"""How long one batch is tried again while a service is away or busy."""
TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class Line:
    """One report of a file, with where it goes; ``reason`` is set where it cannot be sent at all."""

    number: int
    raw: bytes
    feed: str = ""
    agency: str = ""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one line: a receipt, or the reasons against it."""

    line: Line
    receipt_id: str | None
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """What a push has done so far."""

    accepted: int = 0
    refused: int = 0
    resumed_after: int = 0
    refusals: list[Result] = field(default_factory=list)


class Sender:
    """Sends batches to the feeds' ingests and waits where they ask to."""

    def __init__(
        self,
        reach: Reach,
        *,
        sleep: Callable[[float], None] = time.sleep,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._reach = reach
        self._sleep = sleep
        self._waiting = waiting
        self._clients: dict[str, httpx.Client] = {}

    def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            client.close()

    def send(self, lines: Sequence[Line]) -> list[Result]:
        """Send lines of any feeds and agencies; one result for each, in their order."""
        groups: dict[tuple[str, str], list[Line]] = {}
        results: dict[int, Result] = {}
        for line in lines:
            if line.reason is None:
                groups.setdefault((line.feed, line.agency), []).append(line)
            else:
                results[line.number] = Result(line, None, (line.reason,))
        for (feed, agency), group in groups.items():
            for result in self._send_group(feed, agency, group):
                results[result.line.number] = result
        return [results[line.number] for line in lines]

    def _send_group(self, feed: str, agency: str, lines: list[Line]) -> Iterator[Result]:
        waited = 0.0
        while lines:
            body = b"\n".join(line.raw for line in lines) + b"\n"
            sent = batches.send(
                self._client(feed), batches.BULK, self._token(feed, agency), body, count=len(lines)
            )
            if sent.refusal is not None:
                if sent.refusal.status_code != TOO_LARGE or len(lines) == 1:
                    said = in_words(sent.refusal)
                    raise Failed(f"{feed} at {self._reach.url(feed)} refuses the batch: {said}")
                half = len(lines) // 2
                yield from self._send_group(feed, agency, lines[:half])
                lines = lines[half:]
                continue
            again: list[Line] = []
            for line, outcome in zip(lines, sent.outcomes, strict=True):
                if outcome is None:
                    again.append(line)
                else:
                    yield _result(line, outcome)
            if again:
                waited = self._wait(feed, sent.pause, waited)
            lines = again

    def import_document(self, feed: str, agency: str, body: bytes, query: dict[str, str]) -> list[Result]:
        """Send one document of another format (``format=bsa-xml`` …); a result for each report in it."""
        path = "/v1/reports:import?" + urlencode(query)
        waited = 0.0
        while True:
            sent = batches.send(
                self._client(feed), path, self._token(feed, agency), body, kind="application/xml"
            )
            if sent.refusal is not None:
                raise Failed(in_words(sent.refusal))
            if not sent.again:
                told = [o for o in sent.outcomes if o is not None]
                return [_result(Line(o["line"], b"", feed, agency), o) for o in told]
            waited = self._wait(feed, sent.pause, waited)

    def _client(self, feed: str) -> "httpx.Client":
        if feed not in self._clients:
            self._clients[feed] = self._reach.client(feed, {})
        return self._clients[feed]

    def _token(self, feed: str, agency: str) -> str:
        return self._reach.token_for(agency, ("submitter",), (feed,))

    def _wait(self, feed: str, seconds: float, waited: float) -> float:
        if waited + seconds > PATIENCE_SECONDS:
            raise Failed(
                f"{feed} at {self._reach.url(feed)} has been away for {waited:.0f} s: try again later"
            )
        self._waiting(f"{feed} is busy or away; trying again in {seconds:g} s")
        self._sleep(seconds)
        return waited + seconds


def _result(line: Line, outcome: batches.Outcome) -> Result:
    if outcome.get("outcome") == "REFUSED":
        return Result(line, None, tuple(reasons_of(outcome.get("problem") or {})))
    return Result(line, str(outcome["receipt_id"]))


def read_line(number: int, raw: bytes) -> Line:
    """A line of NDJSON with its feed, by its schema's prefix, and its originator."""
    try:
        payload = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return Line(number, raw, reason=f"not JSON: {error}")
    schema = payload.get("schema") if isinstance(payload, dict) else None
    if not isinstance(schema, str):
        return Line(
            number, raw, reason="/schema: missing; it names the report's type, such as EPIC.SEIZURE/1"
        )
    feed = schema.partition(".")[0]
    if feed not in FEEDS:
        return Line(number, raw, reason=f"/schema: no feed {feed!r}; known are {', '.join(FEEDS)}")
    originator = payload.get("originator")
    agency = originator.get("agency_id") if isinstance(originator, dict) else None
    return Line(number, raw, feed, agency if isinstance(agency, str) else DESK)


class FilePush:
    """One NDJSON file on its way; what is done stands beside it in ``FILE.push.json`` until all is."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._state = file.with_name(file.name + ".push.json")
        self.refused_file = file.with_name(file.name + ".refused.ndjson")
        self._digest = hashlib.blake2b(digest_size=16)
        self._lines = 0
        self.offset = 0
        self.size = file.stat().st_size
        self.tally = Tally()

    def run(self, sender: Sender, taken: Callable[[Sequence[Result]], None]) -> Tally:
        """Send everything that is not sent yet; ``taken`` hears of every window."""
        with self._file.open("rb") as source:
            self._resume(source)
            while window := self._window(source):
                results = sender.send(window)
                self._record(results)
                taken(results)
            if self._done() == 0:
                raise Failed(f"{self._file} holds no report")
        self._state.unlink(missing_ok=True)
        return self.tally

    def _done(self) -> int:
        """Reports dealt with so far, in this run and earlier ones."""
        return self.tally.resumed_after + self.tally.accepted + self.tally.refused

    def _resume(self, source: IO[bytes]) -> None:
        """Skip what an earlier run of the same file has sent; a changed file starts anew."""
        try:
            state = orjson.loads(self._state.read_bytes())
            offset, lines, reports = (int(state[name]) for name in ("offset", "lines", "reports"))
        except (OSError, ValueError, KeyError, TypeError):
            state, offset, lines, reports = {}, 0, 0, 0
        while (left := offset - source.tell()) > 0 and (block := source.read(min(left, 1 << 20))):
            self._digest.update(block)
        if offset and self._digest.hexdigest() == state["digest"]:
            self.offset, self._lines, self.tally.resumed_after = offset, lines, reports
            return
        self._digest = hashlib.blake2b(digest_size=16)
        source.seek(0)
        self.refused_file.unlink(missing_ok=True)

    def _window(self, source: IO[bytes]) -> list[Line]:
        """The next lines; blank ones and comments (#) are passed over."""
        window: list[Line] = []
        taken = 0
        while len(window) < WINDOW_LINES and (taken < WINDOW_BYTES or not window):
            raw = source.readline()
            if not raw:
                break
            self._digest.update(raw)
            self._lines += 1
            taken += len(raw)
            text = raw.strip()
            if text and not text.startswith(b"#"):
                window.append(read_line(self._lines, text))
        self.offset += taken
        return window

    def _record(self, results: Sequence[Result]) -> None:
        """Remember a window as done, its refusals first: a crash between repeats them, never loses them."""
        refused = [r for r in results if r.receipt_id is None]
        if refused:
            with self.refused_file.open("ab") as file:
                for result in refused:
                    why = "; ".join(result.reasons).replace("\n", " ")
                    file.write(f"# line {result.line.number}: {why}\n".encode() + result.line.raw + b"\n")
        self.tally.accepted += len(results) - len(refused)
        self.tally.refused += len(refused)
        self.tally.refusals += refused[: max(0, 100 - len(self.tally.refusals))]
        state = {
            "offset": self.offset,
            "lines": self._lines,
            "reports": self._done(),
            "digest": self._digest.hexdigest(),
        }
        draft = self._state.with_suffix(".tmp")
        draft.write_bytes(orjson.dumps(state))
        draft.replace(self._state)
