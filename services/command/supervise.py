"""The supervisor: starts the services as child processes, keeps them running, stops them in order.

One thread does it all: ``start``, then ``tend`` again and again, then ``stop``. Nothing here outlives the
process that called it (see ``child``).
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from services.command.ports import holder, is_free
from shared.errors import Misconfigured

STOP_SECONDS = 15.0
PORTS_SECONDS = 3.0
"""Children of a supervisor that was just killed need a moment to let go of their ports."""
LOG_BYTES = 10_000_000
"""A child's log is moved to ``.1`` past this size, so each child keeps at most twice as much."""
FIRST_BACKOFF, LONGEST_BACKOFF, STEADY_SECONDS = 0.5, 30.0, 60.0
MISCONFIGURED_EXIT = 2
"""A child that leaves with this code needs the operator: starting it again would not help."""


@dataclass(frozen=True, slots=True)
class Part:
    """One service to run: ``stage`` orders the stopping, lowest first."""

    name: str
    arguments: tuple[str, ...]
    port: int
    stage: int
    environment: Mapping[str, str] = field(default_factory=dict)


def parts(port_base: int, feeds: Sequence[str], workers: int = 1) -> list[Part]:
    """The whole embedded system: an ingest for each feed, ``workers`` fusion processes, and leads."""
    ingest = [
        Part(f"ingest-{feed.lower()}", ("services.ingest", "--feed", feed), port_base + 1 + i, 0)
        for i, feed in enumerate(feeds)
    ]
    fusion = [
        Part(
            "fusion" if i == 0 else f"fusion-{i + 1}",
            ("services.fusion",),
            port_base + 200 + i,
            1,
            {"INTERLOCK_PORT": str(port_base + 200 + i)},
        )
        for i in range(workers)
    ]
    return [*ingest, *fusion, Part("leads", ("services.leads",), port_base + 100, 2)]


@dataclass(slots=True)
class _Running:
    """A part and its process; ``restart_at`` is set while the process is down."""

    part: Part
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float | None = None
    backoff: float = FIRST_BACKOFF
    restarts: int = 0


class Supervisor:
    """Keeps ``parts`` running on the data directory ``home``; ``say`` tells people what happens."""

    def __init__(
        self,
        home: Path,
        parts: Sequence[Part],
        environment: Mapping[str, str],
        *,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home
        self._environment = dict(environment)
        self._say = say
        self._clock = clock
        self._running = [_Running(part) for part in parts]
        self._lock = self._claim()
        self._lifeline, self._held = os.pipe()

    def _claim(self) -> IO[str]:
        """Take the data directory for this supervisor alone."""
        (self._home / "logs").mkdir(parents=True, exist_ok=True)
        lock = (self._home / "supervisor.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            who = lock.read().strip() or "unknown"
            lock.close()
            raise Misconfigured(
                f"Interlock already runs on {self._home} (process {who}). End it, or give another --data."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock

    def check_ports(self, host: str) -> None:
        """Raise ``Misconfigured`` naming every port that stays taken, and by whom."""
        end = self._clock() + PORTS_SECONDS
        while taken := [r.part for r in self._running if not is_free(host, r.part.port)]:
            if self._clock() >= end:
                break
            time.sleep(0.1)
        else:
            return
        lines = [f"  port {p.port}, for {p.name}: {holder(p.port) or 'another process'}" for p in taken]
        raise Misconfigured(
            "Ports are in use:\n"
            + "\n".join(lines)
            + "\nEnd what uses them, or move Interlock: --port-base 18100"
        )

    def start(self) -> None:
        """Start every part."""
        for running in self._running:
            self._start(running)

    def _start(self, running: _Running) -> None:
        part = running.part
        guard = ("-m", "services.command.child", str(self._lifeline), str(os.getpid()))
        with self.log_file(part.name).open("ab") as log:
            running.process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
                [sys.executable, *guard, *part.arguments],
                env={**os.environ, **self._environment, **part.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[self._lifeline],
                process_group=0,
            )
        running.started_at, running.restart_at = self._clock(), None

    def log_file(self, name: str) -> Path:
        """Where a part writes what it prints."""
        return self._home / "logs" / f"{name}.log"

    def processes(self) -> dict[str, int]:
        """The process id of every part that runs."""
        return {r.part.name: r.process.pid for r in self._running if r.process is not None}

    def ports(self) -> dict[str, int]:
        """The port of every part."""
        return {r.part.name: r.part.port for r in self._running}

    def tend(self) -> None:
        """Look after the children once: start crashed ones again, bound their logs.

        Raises ``Misconfigured`` where a child says that the operator must change something.
        """
        for running in self._running:
            if running.process is not None and running.process.poll() is not None:
                self._crashed(running, running.process.returncode)
            if running.restart_at is not None and self._clock() >= running.restart_at:
                self._start(running)
            _bound(self.log_file(running.part.name))

    def _crashed(self, running: _Running, code: int) -> None:
        name = running.part.name
        running.process = None
        if code == MISCONFIGURED_EXIT:
            raise Misconfigured(f"{name} cannot run as it is configured:\n{self.last_lines(name)}")
        if self._clock() - running.started_at >= STEADY_SECONDS:
            running.backoff = FIRST_BACKOFF
        running.restart_at = self._clock() + running.backoff
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        self._say(f"{name} {how}; starting it again in {running.backoff:g} s (log: {self.log_file(name)})")
        running.backoff = min(running.backoff * 2, LONGEST_BACKOFF)
        running.restarts += 1

    def last_lines(self, name: str, count: int = 8) -> str:
        """The end of a part's log, for a person to read."""
        try:
            with self.log_file(name).open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 8_192))
                lines = log.read().decode(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-count:])

    def stop(self) -> None:
        """Stop every part: ingest first, then fusion, then leads; each kindly, past the deadline by force."""
        for stage in sorted({r.part.stage for r in self._running}):
            self._stop_stage([r for r in self._running if r.part.stage == stage])
        for descriptor in (self._held, self._lifeline):
            os.close(descriptor)
        self._lock.close()

    def kill(self) -> None:
        """End every child at once: the answer to a second Ctrl-C."""
        for running in self._running:
            if running.process is not None:
                running.process.kill()

    def _stop_stage(self, stage: Sequence[_Running]) -> None:
        deadline = self._clock() + STOP_SECONDS
        alive = [r for r in stage if r.process is not None and r.process.poll() is None]
        for running in alive:
            assert running.process is not None
            running.process.terminate()
        for running in alive:
            assert running.process is not None
            try:
                running.process.wait(max(0.0, deadline - self._clock()))
            except subprocess.TimeoutExpired:
                self._say(f"{running.part.name} did not stop within {STOP_SECONDS:g} s and was killed")
                running.process.kill()
                running.process.wait()
        for running in stage:
            running.process, running.restart_at = None, None


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Hold a data directory so that nothing starts on it; raises ``Misconfigured`` where something runs."""
    supervisor = Supervisor(home, [], {}, say=lambda _: None)
    try:
        yield
    finally:
        supervisor.stop()


def _bound(log: Path) -> None:
    """Move a log that has grown too large aside; the child goes on appending to the same file."""
    try:
        if log.stat().st_size <= LOG_BYTES:
            return
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)
    except FileNotFoundError:
        return
