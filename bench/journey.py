"""From accepted to visible: `python bench/journey.py [--rate 500] [--seconds 30]`.

Starts the whole system (embedded, or on the log and databases that INTERLOCK_LOG and the like name), sends
``--rate`` simulated reports a second over HTTP, and among them probes: two reports of one plate, from two
feeds and two agencies, which together make a lead. A probe's time runs from the answer ``202`` of its second
report to the first answer of ``GET /v1/leads`` that shows its lead, asked for every few milliseconds.
Prints one JSON object with machine and versions.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.environment import machine, versions
from services.simulator.generate import generate
from tests.system import System

PROBE_AGENCIES = {"EPIC": "TXZZZ0001", "BCSC": "AZZZZ0003"}
OBSERVER = "CAZZZ0002"
PACKAGES = ("fastapi", "uvicorn", "pydantic", "sqlalchemy", "kafka-python", "psycopg")
POLL = 0.05
"""Seconds between two looks of a probe: an observer, not a load."""


def probe(example: dict[str, Any], agency: str, number: str, plate: str) -> dict[str, Any]:
    """A feed's own example as ``agency`` would send it today, about one plate, for everyone to see."""
    copied: dict[str, Any] = json.loads(json.dumps(example))
    today = datetime.now(UTC).isoformat()
    copied |= {"source_report_no": number, "event_start": today}
    copied.pop("event_end", None)
    copied["originator"]["agency_id"] = agency
    copied["handling"] |= {"share": "GREEN", "orcon": False, "release_to": [], "caveats": []}
    copied["retention"] |= {"review_by": today[:10], "retain_until": f"{int(today[:4]) + 2}-01-01"}
    copied["vehicles"][0] |= {"plate": plate, "jurisdiction": "US-TX"}
    copied["vehicles"][0].pop("vin", None)
    return copied


class Probes:
    """Plants one lead after another and watches for each."""

    def __init__(self, system: System) -> None:
        self._clients = {f: system.ingest(f, a) for f, a in PROBE_AGENCIES.items()}
        self._leads = system.leads(OBSERVER)
        self._examples = {
            feed: client.get(f"/v1/schemas/{feed}.SEIZURE").json()["examples"][0]
            for feed, client in self._clients.items()
        }
        self.seconds: list[float] = []
        self.missed = 0

    def run(self, stopping: threading.Event, wait: float) -> None:
        """Probe until told to stop, at most one probe each ``wait`` seconds."""
        number = 0
        while not stopping.is_set():
            number += 1
            began = time.monotonic()
            self._one(number)
            stopping.wait(max(0.0, wait - (time.monotonic() - began)))

    def _one(self, number: int) -> None:
        plate = f"SYN{number:05d}Q"
        for feed, client in self._clients.items():
            body = probe(self._examples[feed], PROBE_AGENCIES[feed], f"PROBE-{feed}-{number}", plate)
            answer = client.post("/v1/reports", json=body)
            assert answer.status_code == 202, answer.text
        accepted = time.monotonic()
        while time.monotonic() - accepted < 20:
            found = self._leads.get("/v1/leads", params={"q": plate, "rule": "L01", "limit": 1})
            if found.status_code == 200 and found.json()["items"]:
                self.seconds.append(time.monotonic() - accepted)
                return
            time.sleep(POLL)
        self.missed += 1


def bodies(rate: int, seconds: float) -> Iterator[tuple[str, str, list[bytes]]]:
    """(feed, agency, lines): what the agencies send, in groups of up to twenty lines of one sender."""
    waiting: dict[tuple[str, str], list[bytes]] = {}
    for item in generate(int(rate * seconds), 7):
        sender = (item.feed, item.payload["originator"]["agency_id"])
        lines = waiting.setdefault(sender, [])
        lines.append(json.dumps(item.payload).encode())
        if len(lines) == 20:
            yield (*sender, waiting.pop(sender))
    for sender, lines in waiting.items():
        yield (*sender, lines)


def stream(system: System, rate: int, seconds: float) -> dict[str, Any]:
    """Send at ``rate`` reports a second; what was accepted and how late the last was."""
    groups = deque(bodies(rate, seconds))
    clients: dict[tuple[str, str], httpx.Client] = {}
    accepted = refused = sent = 0
    start = time.monotonic()
    while groups:
        feed, agency, lines = groups.popleft()
        time.sleep(max(0.0, start + sent / rate - time.monotonic()))
        client = clients.setdefault((feed, agency), system.ingest(feed, agency))
        answer = client.post(
            "/v1/reports:bulk", content=b"\n".join(lines), headers={"Content-Type": "application/x-ndjson"}
        )
        results = [json.loads(line) for line in answer.text.splitlines()]
        accepted += sum(r["outcome"] == "ACCEPTED" for r in results)
        refused += sum(r["outcome"] != "ACCEPTED" for r in results)
        sent += len(lines)
    spent = time.monotonic() - start
    return {"accepted": accepted, "refused": refused, "reports_per_second": round(accepted / spent, 1)}


def percentiles(seconds: list[float]) -> dict[str, float]:
    """p50, p90, p99 and the largest, in milliseconds."""
    ordered = sorted(seconds)
    cuts = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {
        k: round(1000 * ordered[min(len(ordered) - 1, int(q * len(ordered)))], 1) for k, q in cuts.items()
    }


def measure(system: System, rate: int, seconds: float) -> dict[str, Any]:
    """Run the stream and the probes side by side."""
    probes, stopping = Probes(system), threading.Event()
    watcher = threading.Thread(target=probes.run, args=(stopping, 0.25))
    watcher.start()
    try:
        sent = stream(system, rate, seconds)
    finally:
        stopping.set()
        watcher.join()
    found = {"probes": len(probes.seconds), "missed": probes.missed}
    if probes.seconds:
        found["accepted_to_visible_ms"] = percentiles(probes.seconds)  # type: ignore[assignment]
    return sent | found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=500, help="reports a second (default 500)")
    parser.add_argument("--seconds", type=float, default=30, help="how long (default 30)")
    options = parser.parse_args()
    names = ("INTERLOCK_LOG", "INTERLOCK_FUSION_DATABASE", "INTERLOCK_LEADS_DATABASE")
    environment = {n: os.environ[n] for n in names if n in os.environ}
    with tempfile.TemporaryDirectory() as folder:
        system = System(Path(folder), environment)
        system.start()
        try:
            measured = measure(system, options.rate, options.seconds)
        finally:
            system.stop()
    result = {
        "bench": "journey", "command": " ".join(sys.argv),
        "deployment": "distributed" if environment else "embedded",
        "rate": options.rate, "seconds": options.seconds, **measured,
        "machine": machine(), "versions": versions(*PACKAGES),
    }  # fmt: skip
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
