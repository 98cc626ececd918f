"""Projecting and evaluating: `python bench/project.py [--reports 4000] [--batch 100] [--database URL]`.

Simulated reports of all four feeds are fused first, outside the clock; what fusion says of them, batch by
batch, is then projected into an empty leads database and evaluated, as the leads service does it. Prints the
processor time of each step a report and a component, and how many SQL statements it took, as one JSON
object with machine and versions. ``--profile FILE`` also writes what cProfile saw.
"""

import argparse
import cProfile
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import event, select

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import services.fusion
import services.leads
from bench.environment import machine, versions
from services.fusion.core.model import load
from services.fusion.fuse import Fuser
from services.fusion.resolver import CoreResolver
from services.fusion.worker import wait
from services.ingest.feeds import FEEDS
from services.leads.evaluate import LARGEST, evaluate_due
from services.leads.lead_tables import lead
from services.leads.project import Projector
from services.simulator.generate import generate
from shared import memory
from shared.contracts.topics import REPORTS, RESOLUTIONS
from shared.database import Database, migrate, open_database
from shared.log import NewRecord, Position, Record

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
PACKAGES = ("sqlalchemy", "psycopg", "pydantic", "orjson")


class Kept:
    """A log that keeps what is sent."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._offset = 0

    def append(self, topic: str, records: Sequence[NewRecord]) -> list[Position]:
        """Keep, as the topic's reader would get it."""
        positions = []
        for r in records:
            self._offset += 1
            positions.append(Position(topic, 0, self._offset))
            self.records.append(Record(positions[-1], r.key, r.value, {}, 1_000 + self._offset))
        return positions


def messages(reports: int, batch: int, seed: int, home: Path) -> Iterator[list[Record]]:
    """What fusing so many simulated reports says, a list for each batch of reports."""
    db = open_database(f"sqlite:///{home}/fusion.db", cache_mb=128, pool_size=2)
    migrate(db, Path(services.fusion.__file__).parent / "migrations")
    log, fuser = Kept(), Fuser(db, CoreResolver(load()), "bench", wait)
    waiting: list[Record] = []
    for n, item in enumerate(generate(reports, seed), 1):
        feed = FEEDS[item.feed]
        report = feed.to_report(feed.parse(orjson.dumps(item.payload), NOW), NOW)
        waiting.append(Record(Position(REPORTS.name, 0, n), report.report_id, report.to_json(), {}, n))
        if len(waiting) == batch or n == reports:
            assert fuser.handle(waiting) == []
            fuser.relay(log)  # type: ignore[arg-type] # all that it needs is to append
            assert all(r.position.topic == RESOLUTIONS.name for r in log.records)
            yield log.records
            waiting, log.records = [], []
    db.close()


@dataclass
class Spent:
    """What one step took: processor seconds, statements, and how often it ran."""

    seconds: float = 0.0
    statements: int = 0
    runs: int = 0


@dataclass
class Bench:
    """A leads database, and what each step on it took."""

    db: Database
    profiler: cProfile.Profile | None
    steps: dict[str, Spent] = field(default_factory=dict)
    components: int = 0
    _running: Spent = field(default_factory=Spent)

    def __post_init__(self) -> None:
        @event.listens_for(self.db.engine, "before_cursor_execute")
        def count(*_: object) -> None:
            self._running.statements += 1

        migrate(self.db, Path(services.leads.__file__).parent / "migrations")
        self._projector = Projector(self.db, lambda: None)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step."""
        self._running = self.steps.setdefault(name, Spent())
        self._running.runs += 1
        if self.profiler:
            self.profiler.enable()
        began = time.process_time()
        yield
        self._running.seconds += time.process_time() - began
        if self.profiler:
            self.profiler.disable()

    def take(self, records: Sequence[Record]) -> None:
        """Project what one batch says, then evaluate until nothing is due."""
        with self.step("projection"):
            assert self._projector.handle(records) == []
        done = -1
        while done:
            with self.step("evaluation"):
                done = evaluate_due(self.db, NOW, LARGEST).components
            self.components += done


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Run and sum up."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        batches = list(messages(asked.reports, asked.batch, asked.seed, home))
        db = open_database(asked.database or f"sqlite:///{home}/leads.db")
        memory.settle()
        bench = Bench(db, cProfile.Profile() if asked.profile else None)
        for records in batches:
            bench.take(records)
        with db.snapshot() as conn:
            leads = conn.execute(select(lead.c.lead_id, lead.c.set_id, lead.c.digest)).all()
        db.close()
    if bench.profiler:
        bench.profiler.dump_stats(asked.profile)
    projection, evaluation = bench.steps["projection"], bench.steps["evaluation"]
    return {
        "messages": sum(map(len, batches)),
        "bytes_per_report": round(sum(len(r.value or b"") for b in batches for r in b) / asked.reports),
        "components": bench.components,
        "leads": len(leads),
        "leads_digest": hashlib.sha256(repr(sorted(map(tuple, leads))).encode()).hexdigest()[:16],
        "projection_us_per_report": round(1e6 * projection.seconds / asked.reports),
        "evaluation_us_per_component": round(1e6 * evaluation.seconds / bench.components),
        "both_us_per_report": round(1e6 * (projection.seconds + evaluation.seconds) / asked.reports),
        "projection_statements_per_batch": round(projection.statements / projection.runs, 1),
        "evaluation_statements_per_transaction": round(evaluation.statements / evaluation.runs, 1),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reports", type=int, default=4_000)
    parser.add_argument("--batch", type=int, default=100, help="reports fused, then projected, at once")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--database", default="", help="an empty database (default: SQLite)")
    parser.add_argument("--profile", default="", help="a file for cProfile's statistics")
    asked = parser.parse_args()
    result = {
        "bench": "project", "command": " ".join(sys.argv),
        "database": asked.database.partition(":")[0] or "sqlite", "reports": asked.reports,
        "batch": asked.batch, **measure(asked),
        "machine": machine(), "versions": versions(*PACKAGES),
    }  # fmt: skip
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
