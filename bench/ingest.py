"""How fast ingest accepts, over real HTTP: `python bench/ingest.py [--log URL] [--seconds N]`.

Starts one real ingest process (EPIC) on the log, and one load generator process of its own for each
measurement: single POSTs on keep-alive connections, and bulk NDJSON. Prints one JSON object with the
machine, the versions, reports a second and latencies, and checks at the end that the log holds every
accepted report.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httptools
import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.environment import machine, peak_mb, versions
from services.ingest.feeds import FEEDS
from shared.auth import mint, signing_key
from shared.contracts.topics import TOPICS
from shared.log import open_log
from shared.settings import Settings

AGENCY = "TXZZZ0001"
PACKAGES = ("fastapi", "uvicorn", "uvloop", "httptools", "pydantic", "orjson", "jiter", "kafka-python")


def report(kind: str, number: int) -> bytes:
    """A valid report, different from all others in number, plate and time."""
    example = dict(FEEDS["EPIC"].types[kind].examples[0])
    example["source_report_no"] = f"BENCH-{os.getpid()}-{number}"
    example["originator"] = {**example["originator"], "agency_id": AGENCY}
    if "plate" in example:
        example["plate"] = f"SYN{number % 1_000_000:06d}"
    return json.dumps(example, separators=(",", ":")).encode()


class Connection(asyncio.Protocol):
    """A minimal HTTP/1.1 client: one request at a time on one keep-alive connection."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._done: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: the connection stands."""
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Asyncio: bytes arrived."""
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Asyncio: the connection ended."""
        if self._done and not self._done.done():
            self._done.set_exception(error or ConnectionResetError())

    def on_message_complete(self) -> None:
        """The parser: an answer is complete."""
        if self._done and not self._done.done():
            self._done.set_result(self._parser.get_status_code())

    async def call(self, request: bytes) -> int:
        """Send a request; the status of its answer."""
        self._done = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self.transport.write(request)
        return await self._done


def singles(port: int, token: str, bodies: list[bytes], connections: int, seconds: float) -> dict[str, Any]:
    """POST one report at a time on each connection until ``seconds`` are over."""
    head = (
        f"POST /v1/reports HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    requests = [head + str(len(b)).encode() + b"\r\n\r\n" + b for b in bodies]
    latencies: list[float] = []
    statuses: dict[int, int] = {}

    async def worker(number: int, until: float) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
        at = number
        while (start := time.perf_counter()) < until:
            status = await connection.call(requests[at % len(requests)])
            latencies.append(time.perf_counter() - start)
            statuses[status] = statuses.get(status, 0) + 1
            at += connections
        connection.transport.close()

    async def run() -> float:
        start = time.perf_counter()
        await asyncio.gather(*(worker(n, start + seconds) for n in range(connections)))
        return time.perf_counter() - start

    import uvloop  # noqa: PLC0415 - only the generator's process needs it

    took = uvloop.run(run())
    counts = {
        "connections": connections, "accepted": statuses.get(202, 0), "statuses": statuses,
        "per_second": round(statuses.get(202, 0) / took),
    }  # fmt: skip
    return counts | percentiles(latencies)


def bulks(port: int, token: str, bodies: list[bytes], lines: int, seconds: float) -> dict[str, Any]:
    """POST bulk bodies of ``lines`` lines, one after the other, until ``seconds`` are over."""
    parts = [b"\n".join(bodies[i : i + lines]) for i in range(0, len(bodies), lines)]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    latencies, accepted, refused, at = [], 0, 0, 0
    begun = time.perf_counter()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, headers=headers) as client:
        while time.perf_counter() - begun < seconds:
            start = time.perf_counter()
            answer = client.post("/v1/reports:bulk", content=parts[at % len(parts)])
            latencies.append(time.perf_counter() - start)
            answer.raise_for_status()
            accepted += answer.content.count(b'"ACCEPTED"')
            refused += answer.content.count(b'"REFUSED"')
            at += 1
    took = time.perf_counter() - begun
    return {
        "lines": lines, "accepted": accepted, "refused": refused, "per_second": round(accepted / took),
    } | percentiles(latencies)  # fmt: skip


def percentiles(latencies: list[float]) -> dict[str, float]:
    """p50, p90, p99 and the longest, in milliseconds."""
    ordered = sorted(latencies)
    at = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "max_ms": 1.0}
    return {k: round(1000 * ordered[min(len(ordered) - 1, int(q * len(ordered)))], 2) for k, q in at.items()}


def in_process(server: int, function: Any, *arguments: Any) -> dict[str, Any]:
    """Run a generator in a process of its own; adds the server's processor time per accepted report."""
    with get_context("spawn").Pool(1) as pool:
        before = cpu_seconds(server)
        result: dict[str, Any] = pool.apply(function, arguments)
        spent = cpu_seconds(server) - before
    return result | {"server_cpu_us": round(1e6 * spent / max(1, result["accepted"]), 1)}


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has spent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure(settings: Settings, server: int, port: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Every measurement against a service that runs."""
    token = mint(signing_key(settings), subject="bench", agency=AGENCY, roles=["submitter"])
    for _ in range(150):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                break
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    results: dict[str, Any] = {}
    for kind in arguments.types:
        bodies = [report(kind, n) for n in range(20_000)]
        name = kind.partition("/")[0]
        results[name] = {
            "bytes": len(bodies[0]),
            "single": [
                in_process(server, singles, port, token, bodies, c, arguments.seconds)
                for c in arguments.connections
            ],
            "bulk": in_process(server, bulks, port, token, bodies, 5_000, arguments.seconds),
        }
    return results


def kept(settings: Settings) -> int:
    """How many records the log's topic holds, by offsets."""
    log = open_log(settings.log_url)
    try:
        log.ensure(TOPICS)
        return sum(log.ends("reports.v1").values())
    finally:
        log.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", default="", help="the log's URL; default: SQLite in a new directory")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each measurement")
    parser.add_argument("--connections", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--types", nargs="+", default=["EPIC.LPR/1", "EPIC.SEIZURE/1"])
    parser.add_argument("--output", type=Path, help="also write the JSON there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as home:
        port = free_port()
        environ = {
            "INTERLOCK_HOME": home, "INTERLOCK_PORT": str(port), "INTERLOCK_LOG_LEVEL": "WARNING",
            "INTERLOCK_RATE_PER_AGENCY": "0",
        } | ({"INTERLOCK_LOG": arguments.log} if arguments.log else {})  # fmt: skip
        settings = Settings.from_env(environ)
        signing_key(settings)
        before = kept(settings) if arguments.log else 0
        server = subprocess.Popen(
            [sys.executable, "-m", "services.ingest", "--feed", "EPIC"], env={**os.environ, **environ}
        )
        try:
            facts = machine()
            results = measure(settings, server.pid, port, arguments)
            memory = peak_mb(server.pid)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
        accepted = sum(
            r["bulk"]["accepted"] + sum(s["accepted"] for s in r["single"]) for r in results.values()
        )
        held = kept(settings) - before
        outcome = {
            "bench": "ingest", "log": settings.log_url.partition(":")[0], "machine": facts,
            "versions": versions(*PACKAGES), "results": results,
            "server_peak_mb": memory, "accepted": accepted, "in_log": held,
            "nothing_lost": held >= accepted,
        }  # fmt: skip
    text = json.dumps(outcome, indent=2)
    if arguments.output:
        arguments.output.write_text(text + "\n")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
