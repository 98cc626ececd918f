"""Streams that would blow a resolver up: `python bench/hostile.py [--scale 1] [--database URL]`.

One person reported a million times, one telephone shared by 100,000 people, 5,000 nearly identical people of
one name, a thousand reports of a lone "John Smith"; ``--scale`` takes a share of each. Prints, for each, the
seconds, CPU seconds, profiles, entities, the largest component and the memory that it took. Without
--database: SQLite in a temporary directory.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import func, select

import services.fusion
from bench.environment import peak_mb
from services.fusion import tables
from services.fusion.core.model import load
from services.fusion.fuse import Fuser
from services.fusion.resolver import CoreResolver
from shared.contracts.entities import Person, Phone, Relation, RelationType
from shared.contracts.report import Report
from shared.contracts.topics import REPORTS
from shared.database import Database, migrate, open_database
from shared.log import Position, Record
from tests.fusion.world import report

MIGRATIONS = Path(services.fusion.__file__).parent / "migrations"
BATCH = 1_000
SYLLABLES = tuple(c + v + e for c in "bdfghklmnprstvz" for v in "aeiou" for e in ("", "l", "n", "r", "s"))


def _word(number: int) -> str:
    """An invented word, the same for the same number."""
    return "".join(Random(number).choices(SYLLABLES, k=3)).title()


def one_person(count: int) -> Iterator[Report]:
    """One person, in the same words."""
    same = Person(local_id="p0", full_name="Casimir Wolanski", dob="1971-05-17", sex="M")
    return (report(n, 1, [same]) for n in range(count))


def one_telephone(count: int) -> Iterator[Report]:
    """People who share nothing but a telephone."""
    phone = Phone(local_id="t1", number="+19155550142")
    uses = Relation(source="p0", target="t1", type=RelationType.USES)
    for n in range(count):
        given, family = (_word(2 * n + which) for which in (0, 1))
        born = f"19{n % 90 + 10}-{n % 12 + 1:02d}-{n % 28 + 1:02d}"
        person = Person(local_id="p0", full_name=f"{given} {family}", dob=born)
        yield report(n, 1, [person]).model_copy(update={"phones": (phone,), "relations": (uses,)})


def nearly_one(count: int) -> Iterator[Report]:
    """People of one name, born within forty days, each with a word of his own."""
    born = date(1980, 1, 1)
    for n in range(count):
        own = _word(n)
        yield report(
            n,
            1,
            [
                Person(
                    local_id="p0",
                    full_name="Jose Garcia Lopez",
                    aka=(own,),
                    dob=str(born + timedelta(n % 40)),
                    sex="M",
                )
            ],
        )


def john_smith(count: int) -> Iterator[Report]:
    """Reports that say no more than a common name."""
    return (report(n, 1, [Person(local_id="p0", full_name="John Smith")]) for n in range(count))


CASES: dict[str, tuple[Callable[[int], Iterator[Report]], int]] = {
    "one person, a million reports": (one_person, 1_000_000),
    "one telephone, 100,000 people": (one_telephone, 100_000),
    "5,000 people of nearly one name": (nearly_one, 5_000),
    "1,000 reports of a John Smith": (john_smith, 1_000),
}


def run(db: Database, reports: Iterator[Report]) -> dict[str, Any]:
    """Fuse them, batch by batch, and look at what came of it."""
    fuser = Fuser(db, CoreResolver(load()), "hostile", lambda _: None)
    started, cpu = time.perf_counter(), time.process_time()
    worst = 0.0
    offset = 0
    while batch := list(islice(reports, BATCH)):
        records = [
            Record(Position(REPORTS.name, 0, offset + n), r.report_id, r.to_json(), {}, 0)
            for n, r in enumerate(batch)
        ]
        offset += len(batch)
        began = time.perf_counter()
        fuser.handle(records)
        worst = max(worst, time.perf_counter() - began)
        with db.transaction() as conn:
            conn.execute(tables.outbox.delete())
    with db.snapshot() as conn:
        profiles = conn.execute(select(func.count()).select_from(tables.assign)).scalar_one()
        largest = conn.execute(select(func.max(tables.assign.c.size))).scalar_one()
        named = conn.execute(select(func.count(func.distinct(tables.assign.c.entity)))).scalar_one()
    return {
        "reports": offset,
        "seconds": round(time.perf_counter() - started, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "slowest_batch_seconds": round(worst, 2),
        "profiles": profiles,
        "entities": named,
        "largest_component": largest,
        "peak_mb": peak_mb(),
    }


def main() -> None:
    """Run the cases and print one JSON object each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--database")
    parser.add_argument("--case", choices=range(1, len(CASES) + 1), type=int, help="only this one")
    chosen = parser.parse_args()
    for number, (name, (make, count)) in enumerate(CASES.items(), 1):
        if chosen.case not in {None, number}:
            continue
        with tempfile.TemporaryDirectory() as folder:
            db = open_database(chosen.database or f"sqlite:///{folder}/fusion.db")
            migrate(db, MIGRATIONS)
            with db.transaction() as conn:
                for table in tables.metadata.tables.values():
                    conn.execute(table.delete())
            found = run(db, make(max(1, round(count * chosen.scale))))
            db.close()
        print(json.dumps({"case": name} | found), flush=True)


if __name__ == "__main__":
    main()
