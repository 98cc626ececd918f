"""The one thread of a process that writes the SQLite log: what is queued becomes one transaction.

While one commit is on its way to the disk the next jobs queue up, so the busier the process, the more one
commit carries, and an idle one waits for nothing. A job that raises one of our own errors is undone alone;
an error of the file fails all jobs of the transaction.
"""

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from shared import log_sqlite_store as store
from shared.errors import InterlockError, Transient

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

QUEUED: Final = 64 << 20
"""Bytes that may wait to be written; more is refused, not held in memory."""
TOGETHER: Final = 8 << 20
"""Bytes, about, that one transaction carries at most."""
JOB_COST: Final = 512
"""Bytes that a job counts for beside its content."""
ANSWER: Final = 30.0
"""Seconds after which a job's caller gives up waiting: a disk that hangs must not hang everybody."""

Job = Callable[[sqlite3.Connection], Any]


@dataclass(slots=True)
class _Queued:
    job: Job
    cost: int
    result: Future[Any] = field(default_factory=Future)


class Writer:
    """Runs jobs in order, many to a transaction, and ``chores`` (alone) every ``pause`` seconds."""

    def __init__(self, path: Path, chores: Callable[[], None], pause: float) -> None:
        self._path = path
        self._chores = chores
        self._pause = pause
        self._connection: sqlite3.Connection | None = None
        self._turnstile = store.Turnstile(path)
        self._queue: deque[_Queued] = deque()
        self._waiting = 0
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._done = threading.Condition()
        self._commits = 0
        self._closed = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def execute(self, job: Callable[[sqlite3.Connection], T], size: int = 0) -> T:
        """Run ``job`` in a transaction and give its result once that is on the disk.

        ``size`` is the content's bytes. Raises what the job raised, or ``Transient``.
        """
        queued = _Queued(job, size + JOB_COST)
        with self._lock:
            if self._failure is not None:
                raise RuntimeError("the log's writer has failed") from self._failure
            if self._closed:
                raise Transient("the log is closed in this process")
            if self._waiting and self._waiting + queued.cost > QUEUED:
                raise Transient("the log cannot keep up with what this process sends", retry_after=1.0)
            self._waiting += queued.cost
            self._queue.append(queued)
            self._work.notify()
        try:
            result: T = queued.result.result(timeout=ANSWER)
        except TimeoutError:
            raise Transient(
                f"the disk of {self._path} did not answer in {ANSWER:.0f} s", retry_after=5.0
            ) from None
        return result

    @property
    def commits(self) -> int:
        """How many transactions were committed: changes when there may be something new to read."""
        return self._commits

    def wait(self, commits: int, timeout: float) -> None:
        """Wait until there were more than ``commits``, or ``timeout`` seconds."""
        with self._done:
            self._done.wait_for(lambda: self._commits != commits, timeout)

    def run_now(self, job: Job) -> None:
        """Run a job in a transaction of its own; for chores only, which run on the writer's thread."""
        queued = _Queued(job, 0)
        self._commit([queued], wake=False)
        queued.result.result()

    def close(self) -> None:
        """Write what is queued, then stop."""
        with self._lock:
            self._closed = True
            self._work.notify()
        self._thread.join(ANSWER)

    def _run(self) -> None:
        try:
            self._loop()
        except BaseException as error:
            with self._lock:
                self._failure = error
                for queued in self._queue:
                    queued.result.set_exception(error)
            raise
        finally:
            self._forget()
            self._turnstile.close()

    def _loop(self) -> None:
        due = time.monotonic() + self._pause
        while True:
            batch = self._take(due)
            if batch:
                self._commit(batch)
            if time.monotonic() >= due:
                self._chore()
                due = time.monotonic() + self._pause
            if self._closed and not self._queue:
                return

    def _take(self, due: float) -> list[_Queued]:
        """The jobs of the next transaction; waits for one until chores are due."""
        batch: list[_Queued] = []
        with self._lock:
            self._work.wait_for(lambda: self._queue or self._closed, max(0.0, due - time.monotonic()))
            cost = 0
            while self._queue and cost < TOGETHER:
                queued = self._queue.popleft()
                cost += queued.cost
                batch.append(queued)
            self._waiting -= cost
        return batch

    def _commit(self, batch: list[_Queued], *, wake: bool = True) -> None:
        """Run the jobs in one transaction, then tell their callers."""
        outcomes: list[tuple[_Queued, Any, InterlockError | None]] = []
        try:
            if self._connection is None:
                self._connection = store.connect(self._path, wait=0)
            with store.transaction(self._connection, self._path, self._turnstile):
                for queued in batch:
                    try:
                        with store.savepoint(self._connection):
                            outcomes.append((queued, queued.job(self._connection), None))
                    except InterlockError as refused:
                        outcomes.append((queued, None, refused))
        except BaseException as error:  # noqa: BLE001 - each caller gets it and raises it on
            self._forget()
            for queued in batch:
                queued.result.set_exception(error)
            return
        for queued, result, refused_as in outcomes:
            if refused_as is None:
                queued.result.set_result(result)
            else:
                queued.result.set_exception(refused_as)
        if wake:
            with self._done:
                self._commits += 1
                self._done.notify_all()

    def _forget(self) -> None:
        """Start again with a new connection: after an error of the disk the old one may be no good."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _chore(self) -> None:
        try:
            self._chores()
        except (InterlockError, sqlite3.Error) as error:
            _LOG.warning("the log's upkeep has to wait: %s", error)
