"""Operations among a million others: `python -m bench.deconflict_space [--database URL] [--events N]`.

Fills the registry's tables with live operations of one week, two fifths of them in sixteen cities, the rest
around them, then times new ones: entering with the answer (one transaction) and working out the notices. Each
is planted beside one of those that are there, so each must be a HIT. Measured after every tenfold growth,
for it is meant to stay flat. Prints one JSON object; exit code 1 where a plant was missed.
"""

import argparse
import json
import math
import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.deconflict import quantiles
from bench.environment import machine
from bench.exercise import AGENCIES, STATES
from services.leads.deconfliction import entering, meet, migrations, space, tables
from services.leads.deconfliction.keyring import KeyFile
from services.leads.deconfliction.match import PADDING
from services.leads.deconfliction.matcher import Matcher
from services.leads.deconfliction.moments import milliseconds
from services.leads.deconfliction.registry import Registry
from services.leads.deconfliction.submissions import EventSubmission
from shared.database import insert_rows, migrate, open_database

CHUNK = 5_000
CITY_DEGREES = 0.15
"""Half the width of a city, in degrees."""
Plan = tuple[str, datetime, float, float]
"""Agency, start, latitude and longitude of an operation of two hours."""


def plans(rng: random.Random, start: datetime) -> Iterator[Plan]:
    """Operations of the week from ``start``, without end."""
    places = list(STATES.values())
    while True:
        lat, lon = rng.choice(places)
        width = CITY_DEGREES if rng.random() < 0.4 else 2.0
        at = start + timedelta(minutes=rng.randrange(7 * 24 * 60))
        yield rng.choice(AGENCIES), at, lat + rng.uniform(-width, width), lon + rng.uniform(-width, width)


def body(plan: Plan, reference: str) -> dict[str, Any]:
    """What an agency submits."""
    _, at, lat, lon = plan
    return {
        "reference": reference, "unit": "TEAM", "type": "RAID", "lat": lat, "lon": lon,
        "starts_at": at.isoformat(), "ends_at": (at + timedelta(hours=2)).isoformat(),
        "contact": {"name": "SYN DESK", "phone": "+19155550101"},
    }  # fmt: skip


def fill(registry: Registry, made: Iterator[Plan], wanted: int, kept: list[Plan]) -> None:
    """Enter so many operations straight into the tables, as the registry would; keeps one in forty."""
    ring, now = registry.keys.ring(), registry.clock()
    for _ in range(wanted // CHUNK):
        rows, tokens = [], []
        for n in range(CHUNK):
            plan = next(made)
            if n % 40 == 0:
                kept.append(plan)
            agency, at, lat, lon = plan
            number, ends = entering.new_number(now), at + timedelta(hours=2)
            rows.append({
                "number": number, "agency": agency, "reference": os.urandom(32), "content": b"-",
                "sealed": ring.seal(agency, json.dumps(body(plan, number)).encode()), "state": "OPEN",
                "kind": "EVENT", "share": "GREEN", "submitted_ms": milliseconds(now),
                "checked_ms": milliseconds(now), "expires_ms": milliseconds(ends),
            })  # fmt: skip
            band, column = space.home(lat, lon)
            tokens += [
                {
                    "hash": ring.current.digest("cell", f"{band}:{column}:{b}"), "number": number,
                    "key_number": ring.current.number, "cls": 0, "qualified": False,
                }
                for b in space.buckets(at - PADDING, ends + PADDING)
            ]  # fmt: skip
        with registry.transaction() as (conn, _):
            insert_rows(conn, tables.submission, rows)
            insert_rows(conn, tables.token, tokens)


def measure(registry: Registry, rng: random.Random, kept: list[Plan], name: str) -> dict[str, Any]:
    """Two hundred new operations, each 100 m from one that is there, one at a time."""
    matcher, ring = Matcher(registry), registry.keys.ring()
    entered, matched, hits, looked_at, cpu = [], [], 0, 0, 0.0
    for n, plan in enumerate(rng.sample(kept, 200)):
        agency = rng.choice([a for a in AGENCIES if a != plan[0]])
        beside = (agency, plan[1], plan[2] + 0.0009, plan[3])
        twin = EventSubmission.model_validate(body(beside, f"{name}{n}"))
        entry = entering.Entry(agency, twin)
        began, spent = time.perf_counter(), time.process_time()
        with registry.transaction() as (conn, _):
            (answer,) = entering.enter(conn, ring, [entry], registry.clock(), registry.daily)
        entered.append(time.perf_counter() - began)
        began = time.perf_counter()
        matcher.check()
        matched.append(time.perf_counter() - began)
        cpu += time.process_time() - spent
        hits += answer is not None and answer.status == "HIT"
        with registry.db.snapshot() as conn:
            looked_at += len(meet.store.holders(conn, meet.probes(ring, twin)[1]))
    return {
        "planted": 200, "hits": hits, "held_in_cells_around": round(looked_at / 200, 1),
        "enter_ms": quantiles(entered), "match_ms": quantiles(matched), "cpu_ms_each": round(cpu * 5, 2),
    }  # fmt: skip


def settle(registry: Registry) -> None:
    """What a server does by itself after such a load."""
    if not registry.db.is_sqlite:
        with registry.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("VACUUM ANALYZE dc_submission"))
            conn.execute(text("VACUUM ANALYZE dc_token"))


def main() -> int:
    """Fill, measure, fill again; 1 where a plant was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", default="", help="an empty one; default: SQLite in its own directory")
    parser.add_argument("--events", type=int, default=1_000_000)
    given = parser.parse_args()
    rng, start = random.Random(3), datetime.now(UTC) + timedelta(days=3)
    sizes: dict[int, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as home:
        db = open_database(given.database or f"sqlite:///{home}/registry.db", durable=True)
        migrate(db, Path(migrations.__file__).parent)
        registry = Registry(db, KeyFile(Path(home) / "keys.json"), lambda: datetime.now(UTC))
        made, kept, there = plans(rng, start), list[Plan](), 0
        for size in (10**p for p in range(4, round(math.log10(given.events)) + 1)):
            began = time.process_time()
            fill(registry, made, size - there, kept)
            settle(registry)
            there = size
            sizes[size] = measure(registry, rng, kept, f"{size}-") | {
                "filled_in_cpu_s": round(time.process_time() - began, 1)
            }
        db.close()
    well = all(m["hits"] == m["planted"] for m in sizes.values())
    database = "PostgreSQL" if given.database else "SQLite"
    print(json.dumps({"sizes": sizes, "machine": machine(), "database": database, "well": well}, indent=2))
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())
