"""Deconfliction at the size of a national pilot: `python -m bench.deconflict [--database URL]`.

Starts one real leads process, sends it the caseloads of 14 agencies (3,000 officers, 20,000 targets) and
their 5,000 operations of a week, and holds what it found against what was planted. Then 100 submissions a
second, each timed until the events of both sides' notices have arrived; then 5,000 calls one by one, and
5,000 under load, half of which meet a silent target, compared by the Kolmogorov-Smirnov test. Prints one
JSON object; exit code 1 where a bound is missed. Takes about five minutes.
"""

import argparse
import asyncio
import json
import math
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

from bench.environment import machine, versions
from bench.exercise import AGENCIES, STATES, Exercise, Pair, exercise
from bench.wire import Wire
from services.leads.deconfliction import meet, registry_store
from services.leads.deconfliction.keyring import KeyFile
from services.leads.deconfliction.tables import check, conflict
from shared.auth import mint, signing_key
from shared.database import open_database
from shared.settings import Settings

PACKAGES = ("fastapi", "uvicorn", "sqlalchemy", "psycopg", "cryptography", "geographiclib", "pydantic")
VARIES = re.compile(rb'DC-[0-9]{2}-[0-9A-Z]{10}|"checked_at":"[^"]*"')
"""What differs between any two answers: the number and the moment."""
TARGETS, EVENTS = "/v1/deconfliction/targets", "/v1/deconfliction/events"


def serve(settings: Settings) -> subprocess.Popen[bytes]:
    """One leads process, ready."""
    environ = os.environ | {
        "INTERLOCK_HOME": str(settings.home), "INTERLOCK_PORT": str(settings.port),
        "INTERLOCK_DECONFLICTION_DATABASE": settings.deconfliction_database,
        "INTERLOCK_DECONFLICTION_RATE": "0", "INTERLOCK_DECONFLICTION_DAILY": "1000000000",
        "INTERLOCK_LOG_LEVEL": "WARNING",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "services.leads"], env=environ)
    url = f"http://127.0.0.1:{settings.port}/readyz"
    for _ in range(600):
        try:
            if httpx.get(url).is_success:
                return process
        except httpx.HTTPError:
            time.sleep(0.1)
    process.kill()
    raise SystemExit("the service does not get ready")


class Clients:
    """A client of each agency."""

    def __init__(self, settings: Settings) -> None:
        key = signing_key(settings)
        self.tokens = {
            a: mint(
                key, subject=f"boss@{a}", agency=a, roles=("analyst", "supervisor"), ttl=timedelta(hours=8)
            )
            for a in AGENCIES
        }
        self.wire = Wire(settings.port, 200)

    async def post(self, path: str, agency: str, body: Any) -> dict[str, Any]:
        """Submit one."""
        return await self.wire.post(path, self.tokens[agency], body)


async def load(clients: Clients, made: Exercise) -> dict[str, float]:
    """Send everything; seconds for caseloads and operations."""
    began = time.perf_counter()
    loads: dict[str, list[bytes]] = defaultdict(list)
    for agency, body in made.targets:
        loads[agency].append(json.dumps(body).encode())
    for agency, lines in loads.items():
        _, answer = await clients.wire.call(
            "POST", f"{TARGETS}:bulk", clients.tokens[agency], b"\n".join(lines)
        )
        assert answer.count(b'"ACCEPTED"') == len(lines), answer[:500]
    loaded = time.perf_counter()
    waiting = list(made.events)

    async def worker() -> None:
        while waiting:
            agency, body = waiting.pop()
            await clients.post(EVENTS, agency, body)

    await asyncio.gather(*(worker() for _ in range(16)))
    return {"caseloads_s": round(loaded - began, 1), "operations_s": round(time.perf_counter() - loaded, 1)}


def found_pairs(settings: Settings) -> tuple[set[Pair], float]:
    """Every conflict between agencies in a class that notifies at once, by references; seconds waited."""
    db = open_database(settings.deconfliction_database)
    ring = KeyFile(settings.deconfliction_keys).ring()
    began = time.perf_counter()
    while True:
        with db.snapshot() as conn:
            if not conn.execute(select(func.count()).select_from(check)).scalar_one():
                break
        time.sleep(0.2)
    waited = time.perf_counter() - began
    with db.snapshot() as conn:
        rows = conn.execute(
            select(conflict.c.a, conflict.c.b).where(
                conflict.c.cls > 1, conflict.c.agency_a != conflict.c.agency_b
            )
        ).all()
        stored = registry_store.read(conn, {n for r in rows for n in r})
    reference = {n: meet.opened(ring, s).reference for n, s in stored.items()}
    db.close()
    return {frozenset({reference[r.a], reference[r.b]}) for r in rows}, waited


class Watch:
    """The streams of every agency: when which notice arrived."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.seen: dict[tuple[str, str], list[float]] = defaultdict(list)

    async def follow(self, agency: str, after: str) -> None:
        """Read one agency's stream until cancelled."""
        wire, token = self._clients.wire, self._clients.tokens[agency]
        async with wire.events("/v1/notices:stream", token, after) as events:
            async for notice in events:
                self.seen[_pair(notice["number"], notice["other"]["number"])].append(time.perf_counter())


def _pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a < b else (b, a)


@dataclass
class Traffic:
    """Submissions at a steady rate, a third of which meet a target."""

    clients: Clients
    made: Exercise
    name: str
    answers: list[float] = field(default_factory=list)
    hits: dict[tuple[str, str], float] = field(default_factory=dict)
    late: float = 0.0

    async def run(self, rate: int, seconds: float) -> None:
        """Send; every time counts from when the submission was due, whatever held the sender up."""
        rng, tasks, began = random.Random(11), [], time.perf_counter()
        for n in range(int(rate * seconds)):
            at = began + n / rate
            if (pause := at - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            self.late = max(self.late, -pause)
            tasks.append(asyncio.create_task(self._one(rng, n, at)))
        await asyncio.gather(*tasks)

    async def _one(self, rng: random.Random, n: int, at: float) -> None:
        agency = AGENCIES[n % 14]
        owner, phone = rng.choice(self.made.phones)
        meets = n % 3 == 0 and owner != agency
        fresh = {"type": "PASSPORT", "value": f"{self.name}{n:08d}", "issuer": "US"}
        body = {
            "reference": f"{self.name}-{n}", "unit": "LIVE", "label": "LIVE",
            "identifiers": [{"type": "PHONE", "value": phone} if meets else fresh],
            "contact": {"name": "SYN LIVE", "phone": "+19155550199"},
        }  # fmt: skip
        answer = await self.clients.post(TARGETS, agency, body)
        self.answers.append(time.perf_counter() - at)
        for other in answer["contacts"]:
            self.hits[_pair(answer["number"], other["number"])] = at


async def notify(clients: Clients, made: Exercise, rate: int, seconds: float) -> dict[str, Any]:
    """How long it takes from a submission until the events of both sides' notices have arrived."""
    watch, traffic = Watch(clients), Traffic(clients, made, "LIVE")
    after = f"{int(time.time() * 1000)}-00000000-0000-0000-0000-000000000000"
    streams = [asyncio.create_task(watch.follow(a, after)) for a in AGENCIES]
    await asyncio.sleep(2)
    await traffic.run(rate, seconds)
    for _ in range(100):
        if all(len(watch.seen[pair]) >= 2 for pair in traffic.hits):
            break
        await asyncio.sleep(0.1)
    for task in streams:
        task.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    told = [watch.seen[pair][1] - at for pair, at in traffic.hits.items() if len(watch.seen[pair]) >= 2]
    return {
        "rate": rate, "seconds": seconds, "submissions": len(traffic.answers), "hits": len(traffic.hits),
        "both_told": len(told), "answer_ms": quantiles(traffic.answers), "both_told_ms": quantiles(told),
        "sender_late_ms": round(traffic.late * 1000, 1),
    }  # fmt: skip


async def silence(clients: Clients, calls: int, at_once: int, name: str) -> dict[str, Any]:
    """Equal numbers of calls that meet a silent target and that meet nothing: do their times differ?

    Both ask for two hundred things again and again, so the asker's own submissions weigh the same in both.
    One call at a time, the times of those that follow a silent hit are compared as well: what the registry
    does after an answer must not show in the next one.
    """
    owner, asker = AGENCIES[0], AGENCIES[1]
    base = {"unit": "X", "label": "X", "contact": {"name": "SYN", "phone": "+19155550198"}}
    red = [f"RED{name}{n:06d}" for n in range(200)]
    for n in red:
        ids = [{"type": "PASSPORT", "value": n, "issuer": "MX"}]
        await clients.post(TARGETS, owner, base | {"reference": n, "share": "RED", "identifiers": ids})
    plan = ["silent", "clear"] * (calls // 2)
    random.Random(5).shuffle(plan)
    times = [0.0] * len(plan)
    shapes: dict[str, set[bytes]] = {"silent": set(), "clear": set()}
    waiting = list(enumerate(plan))[::-1]

    async def worker() -> None:
        while waiting:
            n, kind = waiting.pop()
            value = red[n % 200] if kind == "silent" else f"NIL{name}{n % 200:06d}"
            ids = [{"type": "PASSPORT", "value": value, "issuer": "MX"}]
            body = json.dumps(base | {"reference": f"ASK{name}{n:06d}", "identifiers": ids}).encode()
            began = time.perf_counter()
            _, answer = await clients.wire.call("POST", TARGETS, clients.tokens[asker], body)
            times[n] = time.perf_counter() - began
            shapes[kind].add(VARIES.sub(b"", answer))

    await asyncio.gather(*(worker() for _ in range(at_once)))
    silent, clear = ([t for t, kind in zip(times, plan, strict=True) if kind == k] for k in shapes)
    found = {
        "calls": calls, "at_once": at_once, "p": round(kolmogorov_smirnov(silent, clear)[1], 4),
        "same_bytes": shapes["silent"] == shapes["clear"] and len(shapes["clear"]) == 1,
        "silent_ms": quantiles(silent), "clear_ms": quantiles(clear),
    }  # fmt: skip
    if at_once == 1:
        after = [[t for t, before in zip(times[1:], plan, strict=False) if before == k] for k in shapes]
        found["p_of_the_next"] = round(kolmogorov_smirnov(*after)[1], 4)
    return found


def kolmogorov_smirnov(a: list[float], b: list[float]) -> tuple[float, float]:
    """The two-sample statistic and its asymptotic p-value (Numerical Recipes, 14.3)."""
    a, b = sorted(a), sorted(b)
    i = j = 0
    widest = 0.0
    while i < len(a) and j < len(b):
        x, y = a[i], b[j]
        i += x <= y
        j += y <= x
        widest = max(widest, abs(i / len(a) - j / len(b)))
    n = math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    scaled = (n + 0.12 + 0.11 / n) * widest
    p = 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return widest, min(1.0, max(0.0, p)) if scaled > 0.2 else 1.0


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Milliseconds."""
    ordered = sorted(seconds) or [math.nan]
    return {
        f"p{round(q * 100, 1):g}": round(ordered[min(len(ordered) - 1, int(q * len(ordered)))] * 1000, 1)
        for q in (0.5, 0.9, 0.99, 1.0)
    }


async def run(settings: Settings, given: argparse.Namespace) -> dict[str, Any]:
    """Every measurement, in turn."""
    start = datetime.now(UTC) + timedelta(days=3)
    made = exercise(given.targets, given.events, given.officers, start)
    clients = Clients(settings)
    answer: dict[str, Any] = {"load": await load(clients, made)}
    found, waited = await asyncio.to_thread(found_pairs, settings)
    answer["exercise"] = {
        "agencies": len(AGENCIES), "states": len(STATES), "officers": given.officers,
        "targets": len(made.targets), "events": len(made.events), "planted": len(made.planted),
        "true_pairs": len(made.truth), "found": len(found),
        "recall": len(found & made.truth) / len(made.truth),
        "precision": len(found & made.truth) / max(1, len(found)), "matched_after_s": round(waited, 1),
    }  # fmt: skip
    answer["notify"] = await notify(clients, made, given.rate, given.seconds)
    answer["silence"] = [await silence(clients, given.calls, 1, "A")]
    busy = asyncio.create_task(Traffic(clients, made, "BUSY").run(given.rate // 2, 3600))
    answer["silence"].append(await silence(clients, given.calls, given.at_once, "B"))
    busy.cancel()
    await asyncio.gather(busy, return_exceptions=True)
    clients.wire.close()
    return answer


def main() -> int:
    """Run it all; 1 where a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", default="", help="default: SQLite in a directory of its own")
    for name, default in (("targets", 20_000), ("events", 5_000), ("officers", 3_000), ("rate", 100),
                          ("seconds", 60), ("calls", 5_000), ("at-once", 8)):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        settings = Settings(home=Path(home), port=port, deconfliction_database=given.database)
        service = serve(settings)
        try:
            answer = asyncio.run(run(settings, given))
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(30)
    answer["machine"] = machine()
    answer["versions"] = versions(*PACKAGES)
    answer["database"] = "PostgreSQL" if given.database else "SQLite"
    answer["well"] = (
        answer["exercise"]["recall"] == 1.0
        and answer["exercise"]["precision"] >= 0.99
        and answer["notify"]["both_told"] == answer["notify"]["hits"]
        and answer["notify"]["both_told_ms"]["p99"] < 500
        and all(s["p"] > 0.01 and s.get("p_of_the_next", 1) > 0.01 for s in answer["silence"])
        and all(s["same_bytes"] for s in answer["silence"])
    )
    print(json.dumps(answer, indent=2))
    return 0 if answer["well"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
