"""Sending a simulation to running ingest services: in bulk, several batches at a time, patiently.

The reports of one agency and feed go one batch after the other, so versions arrive in order; agencies and
feeds go side by side. Every queue is bounded: slow services slow the simulation, nothing piles up.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

import httpx
import orjson

from services.simulator.generate import Simulated
from shared import batches
from shared.errors import InterlockError

BATCH: Final = 500
PATIENCE_SECONDS: Final = 300.0
SHOWN: Final = 20
"""Refusals kept with their reasons; the rest are only counted."""

Lane = tuple[str, str]
"""Feed and agency: what goes in order."""


class PushFailed(InterlockError):
    """A service refused a whole batch, or stayed away for too long; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send: the ingest's address per feed, and a token for an agency that may submit.

    ``concurrency`` is how many batches are under way at once; ``sleep`` waits between attempts.
    """

    urls: Mapping[str, str]
    token: Callable[[str], str]
    concurrency: int = 4
    sleep: Callable[[float], None] = time.sleep
    transport: httpx.BaseTransport | None = None


@dataclass(slots=True)
class Pushed:
    """How far a push is: lines accepted and refused, batches that had to be repeated."""

    accepted: int = 0
    refused: int = 0
    repeated: int = 0
    by_feed: dict[str, int] = field(default_factory=dict)
    refusals: list[dict[str, Any]] = field(default_factory=list)


def push(
    reports: Iterable[Simulated], target: Target, progress: Callable[[Pushed], None] = lambda _: None
) -> Pushed:
    """Send ``reports``; ``progress`` hears of every batch, from several threads but one at a time.

    Refused lines are counted, the first with their problems. Raises ``PushFailed``.
    """
    with httpx.Client(timeout=60, transport=target.transport) as client:
        return _Pusher(target, client, progress).run(reports)


class _Pusher:
    """One push: what is waiting per lane, and which lanes are under way."""

    def __init__(self, target: Target, client: httpx.Client, progress: Callable[[Pushed], None]) -> None:
        self._target = target
        self._client = client
        self._progress = progress
        self._done = Pushed()
        self._lock = Lock()
        self._waiting: dict[Lane, list[bytes]] = {}
        self._running: dict[Future[None], Lane] = {}

    def run(self, reports: Iterable[Simulated]) -> Pushed:
        with ThreadPoolExecutor(self._target.concurrency, "push") as pool:
            for report in reports:
                lane = (report.feed, report.agency)
                lines = self._waiting.setdefault(lane, [])
                lines.append(orjson.dumps(report.payload))
                if len(lines) >= BATCH:
                    self._start(pool, lane)
            while self._waiting:
                self._start(pool, next(iter(self._waiting)))
            self._settle(0)
        return self._done

    def _start(self, pool: ThreadPoolExecutor, lane: Lane) -> None:
        """Send what waits in a lane, once its batch under way and one of the others are through."""
        while lane in self._running.values():
            self._settle(len(self._running) - 1)
        self._settle(self._target.concurrency - 1)
        lines = self._waiting.pop(lane)
        self._running[pool.submit(self._send, lane, lines)] = lane

    def _settle(self, at_most: int) -> None:
        """Wait until at most so many batches are under way; raises what one of them raised."""
        while len(self._running) > at_most:
            finished, _ = wait(self._running, return_when=FIRST_COMPLETED)
            for future in finished:
                del self._running[future]
                future.result()

    def _send(self, lane: Lane, lines: list[bytes]) -> None:
        feed, agency = lane
        url = f"{self._target.urls[feed].rstrip('/')}{batches.BULK}"
        waited = 0.0
        while lines:
            body = b"\n".join(lines) + b"\n"
            sent = batches.send(self._client, url, self._target.token(agency), body, count=len(lines))
            if sent.refusal is not None:
                said = f"{sent.refusal.status_code} {sent.refusal.text[:500]}"
                raise PushFailed(f"{url} refused a batch of {agency}: {said}")
            self._count(feed, lines, sent.outcomes, repeat=sent.again)
            if sent.again:
                if waited + sent.pause > PATIENCE_SECONDS:
                    raise PushFailed(f"{feed} has been away for {waited:.0f} s; start it, then push again")
                self._target.sleep(sent.pause)
                waited += sent.pause
            lines = [line for line, o in zip(lines, sent.outcomes, strict=True) if o is None]

    def _count(
        self, feed: str, lines: Sequence[bytes], outcomes: Sequence[batches.Outcome | None], *, repeat: bool
    ) -> None:
        with self._lock:
            done = self._done
            for line, outcome in zip(lines, outcomes, strict=True):
                if outcome is None:
                    continue
                if outcome.get("outcome") == "REFUSED":
                    done.refused += 1
                    if len(done.refusals) < SHOWN:
                        done.refusals.append(
                            {"report": orjson.loads(line), "problem": outcome.get("problem")}
                        )
                else:
                    done.accepted += 1
                    done.by_feed[feed] = done.by_feed.get(feed, 0) + 1
            done.repeated += repeat
            self._progress(done)
