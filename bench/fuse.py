"""Fusing: `python bench/fuse.py [--database URL] [--sizes 10000 50000] [--workers 2] [--stream mixed]`.

Fills a database to each size in turn (profiles) and measures there: reports committed a second, pairs
scored, where the time goes, memory, disk, and the latency of single reports. PostgreSQL is vacuumed first,
for the filling leaves it much to do. Workers are processes, each with another that makes its reports
beforehand; all wait for each other, then the clock runs while they fuse, with messages relayed to a log
that counts them. Without --database: SQLite in a temporary directory.

The mixed stream: 70 % plate reads, 8 % calls, 6 % crossings, 6 % money, 6 % targets, 4 % seizures. Of the
people and things in it, --novelty are new and the others known already. `persons`: targets alone. Everybody
has a telephone of his own, named by its IMEI: numbers reserved for fiction are too few for a million people.

First a model is trained on --train persons of the stream, as an operator would: the packaged tables do not
know how common the simulated world's names are. --train 0 takes the packaged model.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import create_engine, text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import services.fusion
from bench.environment import machine, peak_mb, versions
from services.fusion.core.model import Model, load, save
from services.fusion.core.profile import Profile
from services.fusion.core.train import train
from services.fusion.fuse import Fuser
from services.fusion.intake import arrive
from services.fusion.resolver import CoreResolver
from services.fusion.serve import open_picture
from services.fusion.size_store import ENTITIES, PROFILES, sizes
from services.fusion.worker import wait
from services.simulator.mentions import Cast
from services.simulator.population import World
from shared import memory
from shared.contracts.entities import Kind
from shared.contracts.topics import REPORTS
from shared.database import migrate, open_database
from shared.log import NewRecord, Position, Record

MIX = (("read", 70), ("calls", 8), ("crossing", 6), ("money", 6), ("target", 6), ("seizure", 4))
PACKAGES = ("sqlalchemy", "psycopg", "pydantic", "orjson", "rapidfuzz")
HANDLING = {"cui": "CUI//LEI", "tlp": "GREEN", "share": "GREEN"}
ENVELOPE = {
    "action": "INSERT", "version": 1, "received_at": "2026-03-01T08:00:00Z", "case_no": "C-26-1",
    "legal_basis": {"kind": "BORDER_SEARCH", "reference": "19 USC 1467"},
    "evaluation": {"reliability": "B", "credibility": "2"}, "handling": HANDLING,
    "retention": {"class": "INTEL", "review_by": "2027-03-01", "retain_until": "2030-03-01"},
}  # fmt: skip


class Stream:
    """Reports about a population that grows: numbers below ``known`` are old, the worker adds its own."""

    def __init__(self, seed: int, kinds: str) -> None:
        self.rng = Random(seed)
        self.world = World(1, 1 << 40)
        self.kinds = [k for k, share in MIX for _ in range(share)] if kinds == "mixed" else ["target"]

    def someone(self, known: list[int], novelty: float) -> int:
        """A number, new or known; ``known`` is [first, next new, step]."""
        if not known[0] or self.rng.random() < novelty:
            known[1] += known[2]
            return known[1] - known[2]
        return int(self.rng.random() * known[0])

    def records(self, count: int, known: list[int], novelty: float) -> list[Record]:
        """So many records."""
        return as_records([self.report(known, novelty) for _ in range(count)])

    def report(self, known: list[int], novelty: float) -> tuple[bytes, str]:
        """One report as the log holds it, and its id."""
        kind = self.rng.choice(self.kinds)
        cast = Cast(self.world, self.rng)
        getattr(self, kind)(cast, self.someone(known, novelty))
        report_id = str(UUID(int=self.rng.getrandbits(128)))
        agency = f"{self.rng.choice(('TX', 'AZ', 'CA', 'NM'))}ZZZ0001"
        document = ENVELOPE | {
            "report_id": report_id, "feed": "EPIC", "schema": "EPIC.LPR/1",
            "source_report_no": report_id[:18], "event_start": "2026-03-01T07:59:58Z",
            "originator": {"agency_id": agency, "contact_name": "Officer Example", "phone": "+19155550142"},
            "facts": {"kind": "READ"}, "relations": cast.relations, **cast.lists,
        }  # fmt: skip
        return orjson.dumps(document), report_id

    def phone(self, cast: Cast, who: int) -> str:
        """The telephone of this person."""
        return cast.add("d", "", {"role": "CONTACT", "imei": f"35{who % 10**12:012}"})

    def read(self, cast: Cast, who: int) -> None:
        """A plate reader's read."""
        cast.vehicle(who)
        reader = f"READER-{self.rng.randrange(400):03d}"
        cast.add("l", "", {"role": "PLACE", "address": reader, "city": "El Paso", "state": "TX"})

    def calls(self, cast: Cast, who: int) -> None:
        """A toll record: a number and those it called."""
        for step in (0, 1, 2):
            self.phone(cast, max(0, who - step))

    def crossing(self, cast: Cast, who: int) -> None:
        """A border crossing: driver and vehicle."""
        driver, vehicle = cast.person(who, "DRIVER", documents=0.9), cast.vehicle(who, full=True)
        cast.relate(driver, vehicle, "DRIVES")

    def money(self, cast: Cast, who: int) -> None:
        """An account and its holder."""
        cast.relate(cast.person(who, "ACCOUNT_HOLDER"), cast.account(who), "HOLDS")

    def target(self, cast: Cast, who: int) -> None:
        """A person with what is known of him."""
        person = cast.person(who, "TARGET", documents=0.5)
        cast.relate(person, self.phone(cast, who), "USES")
        if self.rng.random() < 0.5:
            cast.relate(person, cast.vehicle(who), "DRIVES")

    def seizure(self, cast: Cast, who: int) -> None:
        """A seizure: driver, passenger, vehicle, telephone, drugs."""
        driver, vehicle = cast.person(who, "SUBJECT", documents=0.8), cast.vehicle(who, full=True)
        cast.relate(driver, vehicle, "DRIVES")
        cast.relate(cast.person(max(0, who - 1), "PASSENGER"), vehicle, "PASSENGER_OF")
        self.phone(cast, who)


def as_records(reports: Sequence[tuple[bytes, str]]) -> list[Record]:
    """Reports as the log gives them."""
    now = int(time.time() * 1000)
    return [Record(Position(REPORTS.name, 0, n), i, value, {}, now) for n, (value, i) in enumerate(reports)]


def make(pipe: Connection, seed: int, kinds: str) -> None:
    """A process that makes a worker's reports, so that the simulated world takes no memory of the worker."""
    stream = Stream(seed, kinds)
    while (order := pipe.recv()) is not None:
        count, known, novelty = order
        pipe.send(([stream.report(known, novelty) for _ in range(count)], known[1]))


class Counting:
    """A log that counts what is sent."""

    def __init__(self) -> None:
        self.bytes = 0

    def append(self, _topic: str, records: Sequence[NewRecord]) -> list[Position]:
        """Count."""
        self.bytes += sum(len(r.value or b"") for r in records)
        return []


def trained(persons: int, size: int) -> Model:
    """The model for a population of this kind and so many profiles, a million at least."""
    model = load()
    sized = model.sized(size)
    if not persons:
        return sized
    model = replace(model, bits=max(model.bits, sized.bits))
    stream, resolver, known = Stream(99, "persons"), CoreResolver(model), [0, 0, 1]
    found: dict[str, Profile] = {}
    while len(found) < persons:
        for record in stream.records(1_000, known, 0.5):
            for mention in arrive(record, resolver).normalised.mentions:
                if mention.profile is not None and mention.kind is Kind.PERSON:
                    found[mention.profile.id] = mention.profile
        known[0] = known[1]
    return train(found.values(), model, seed=1, population=size // 5).model


def work(pipe: Connection, source: Connection, url: str, seed: int, model: Path) -> None:
    """A worker process: takes reports from its maker when told, fuses them when told, tells how it went."""
    db = open_picture(url)
    log = Counting()
    fuser = Fuser(db, CoreResolver(load(model)), f"bench-{seed}", wait)
    memory.settle()
    while (order := pipe.recv()) is not None:
        count, known, novelty, batch = order
        source.send((count, known, novelty))
        reports, known_now = source.recv()
        records = as_records(reports)
        before, compared, sent = dict(fuser.spent), fuser.cache.compared, log.bytes
        pipe.send(known_now)
        pipe.recv()
        started, cpu, relayed, batches = time.perf_counter(), time.process_time(), 0.0, []
        for at in range(0, count, batch):
            begun = time.perf_counter()
            assert fuser.handle(records[at : at + batch]) == []
            handled = time.perf_counter()
            fuser.relay(log)
            batches.append(time.perf_counter() - begun)
            relayed += time.perf_counter() - handled
        spent = {k: v - before[k] for k, v in fuser.spent.items()} | {"relay": relayed}
        pipe.send({
            "seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu, "spent": spent,
            "compared": fuser.cache.compared - compared, "bytes": log.bytes - sent, "batches": batches,
            "peak_mb": peak_mb(),
        })  # fmt: skip
    db.close()


class Bench:
    """Workers and the population that they share."""

    def __init__(self, url: str, asked: argparse.Namespace, model: Path) -> None:
        self.asked = asked
        self.url = url
        self.known = 0
        self.db = open_database(url)
        migrate(self.db, Path(services.fusion.__file__).parent / "migrations")
        context = multiprocessing.get_context("spawn")
        self.pipes: list[Connection] = []
        self.makers: list[Connection] = []
        self.processes = []
        for n in range(asked.workers):
            here, there = context.Pipe()
            source, sink = context.Pipe()
            for target, args in (
                (work, (there, source, url, asked.seed + n, model)),
                (make, (sink, asked.seed + n, asked.stream)),
            ):
                process = context.Process(target=target, args=args, daemon=True)
                process.start()
                self.processes.append(process)
            self.pipes.append(here)
            self.makers.append(source)

    def fuse(self, count: int, novelty: float, batch: int) -> list[dict[str, Any]]:
        """Let every worker fuse so many reports at once."""
        for n, pipe in enumerate(self.pipes):
            pipe.send((count, [self.known, self.known + n, len(self.pipes)], novelty, batch))
        self.known = max(pipe.recv() for pipe in self.pipes)
        for pipe in self.pipes:
            pipe.send("go")
        return [pipe.recv() for pipe in self.pipes]

    def size(self) -> dict[str, int]:
        """Profiles and entities now."""
        with self.db.snapshot() as conn:
            counted = sizes(conn)
        return {"profiles": int(counted[PROFILES]), "entities": int(counted[ENTITIES])}

    def fill(self, profiles: int) -> None:
        """Add new people and things until there are so many profiles."""
        while (left := profiles - self.size()["profiles"]) > 0:
            self.fuse(min(20_000, max(200, left // 4)), 1.0, self.asked.batch)

    def rest(self) -> None:
        """Let PostgreSQL do now what the filling left it to do (vacuum, checkpoint), not while measuring."""
        if not self.db.is_sqlite:
            engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
            with engine.connect() as conn:
                conn.execute(text("VACUUM (ANALYZE)"))
                conn.execute(text("CHECKPOINT"))
            engine.dispose()

    def measure(self) -> dict[str, Any]:
        """The figures at the present size."""
        self.rest()
        self.fuse(self.asked.batch, self.asked.novelty, self.asked.batch)
        parts = self.fuse(self.asked.reports, self.asked.novelty, self.asked.batch)
        total = self.asked.reports * len(parts)
        steps = {k: round(1e6 * sum(p["spent"][k] for p in parts) / total) for k in parts[0]["spent"]}
        singles = sorted(s for p in self.fuse(self.asked.single, self.asked.novelty, 1) for s in p["batches"])
        return {
            "reports_per_second": round(total / max(p["seconds"] for p in parts)),
            "cpu_us_per_report": round(1e6 * sum(p["cpu"] for p in parts) / total),
            "pairs_per_report": round(sum(p["compared"] for p in parts) / total, 2),
            "published_bytes_per_report": round(sum(p["bytes"] for p in parts) / total),
            "us_per_report_and_step": steps,
            "single_ms": {
                "p50": round(1e3 * singles[len(singles) // 2], 1),
                "p99": round(1e3 * singles[int(len(singles) * 0.99)], 1),
            },
            "peak_mb_per_worker": round(max(p["peak_mb"] for p in parts)),
            **self.size(),
        }

    def close(self) -> None:
        """End the workers."""
        for pipe in (*self.pipes, *self.makers):
            pipe.send(None)
        for process in self.processes:
            process.join(30)
        self.db.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--database", default="", help="an empty database; default: SQLite")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000], help="profiles")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--stream", choices=["mixed", "persons"], default="mixed")
    parser.add_argument("--novelty", type=float, default=0.2)
    parser.add_argument("--train", type=int, default=20_000, help="persons to train on; 0: packaged model")
    parser.add_argument("--reports", type=int, default=8_000, help="per worker and measurement")
    parser.add_argument("--batch", type=int, default=2_000)
    parser.add_argument("--single", type=int, default=200, help="reports fused one by one, per worker")
    parser.add_argument("--seed", type=int, default=0, help="of the stream")
    parser.add_argument("--output", type=Path, help="also write the JSON there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as home:
        url = asked.database or f"sqlite:///{home}/fusion.db"
        model = Path(home) / "model.json"
        save(trained(asked.train, max(1_000_000, *asked.sizes)), model)
        bench = Bench(url, asked, model)
        results = []
        try:
            for size in sorted(asked.sizes):
                bench.fill(size)
                results.append(bench.measure())
                sys.stderr.write(f"{results[-1]}\n")
        finally:
            bench.close()
        disk = sum(f.stat().st_size for f in Path(home).glob("fusion.db*"))
    outcome = {
        "bench": "fuse", "database": url.partition(":")[0], "stream": asked.stream,
        "workers": asked.workers, "novelty": asked.novelty, "batch": asked.batch,
        "trained_on": asked.train, "results": results,
        "disk_mb": None if asked.database else round(disk / 1e6),
        "machine": machine(), "versions": versions(*PACKAGES),
    }  # fmt: skip
    printed = json.dumps(outcome, indent=2)
    if asked.output:
        asked.output.write_text(printed + "\n")
    sys.stdout.write(printed + "\n")


if __name__ == "__main__":
    main()
