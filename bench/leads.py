"""Reading among many leads: `python bench/leads.py [--leads 100000] [--database URL] [--rounds 100]`.

Fills a leads database through its own tables, in bulk: for each lead a subject (a person or a vehicle) of two
reports, found by name or plate. Then asks the API in this process (ASGI, no network) for lists with several
filters and orders, later pages, a lead, an entity and its pages, and searches, one request after the other,
each round with other values, after one round that is not counted. Prints the percentiles of each kind of
request in milliseconds as one JSON object with machine and versions.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid5

import httpx
import orjson

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import services.leads
from bench.environment import machine, versions
from services.ingest.feeds import FEEDS
from services.leads import tables
from services.leads.app import Parts, create_app
from services.leads.changes import search_rows
from services.leads.clock import ms
from services.leads.compose import Lead, lead_id_of, words
from services.leads.deconfliction.office import open_registry
from services.leads.lead_store import replace_leads
from services.leads.report_store import pack
from services.leads.scoring import band_of
from shared import memory
from shared.auth import ensure_key, mint, verifier_from
from shared.database import Database, insert_rows, migrate, open_database
from shared.settings import Settings

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
PACKAGES = ("fastapi", "sqlalchemy", "psycopg", "orjson")
STATES = ("TX", "AZ", "CA", "NM", "FL", "NY", "IL", "GA", "WA", "CO")
AGENCIES = tuple(f"{state}ZZZ{n:04d}" for state in STATES for n in range(1, 5))
RULES = ("L01", "L11", "L15", "L21")
CHUNK = 5_000
Row = dict[str, Any]

GIVEN = ("Jose", "Maria", "Ivan", "Wei", "Ana", "Pedro", "Olga", "Ahmed", "Lucia", "John", "Linh", "Minho")
STEMS = (
    "Ash",
    "Black",
    "Brad",
    "Burn",
    "Clay",
    "Dal",
    "Fair",
    "Green",
    "Hart",
    "Kings",
    "Lang",
    "Mar",
    "Nor",
)
ENDINGS = ("worth", "ford", "ley", "ton", "well", "wood", "field", "man", "ridge", "shaw", "stead", "land")


@dataclass(frozen=True)
class Subject:
    """A person (even numbers) or a vehicle (odd): two reports mention it."""

    number: int

    @property
    def profile_id(self) -> str:
        """Its profile, component and entity."""
        return uuid5(UUID(int=0), f"subject {self.number}").hex

    @property
    def kind(self) -> str:
        """Even numbers are people."""
        return "VEHICLE" if self.number % 2 else "PERSON"

    @property
    def plate(self) -> str:
        """The vehicle's."""
        return f"SY{self.number:07d}"

    @property
    def label(self) -> str:
        """A name of few parts, so many share each, or a plate, which nobody else has."""
        if self.number % 2:
            return f"US-TX {self.plate} Ford F-150"
        rng = Random(self.number)
        family = [rng.choice(STEMS) + rng.choice(ENDINGS) for _ in range(2)]
        return f"{rng.choice(GIVEN)} {' '.join(family)}"

    def features(self) -> dict[str, list[str]]:
        """What it is found by."""
        if self.number % 2:
            return {"plate": [f"US-TX:{self.plate}"], "make": ["ford"]}
        return {"name": [self.label.lower()], "dob": [f"19{40 + self.number % 60}-05-17"]}


def member_row(subject: Subject, until: int) -> Row:
    """The subject's profile, alone in its component and open to everyone."""
    return {
        "profile_id": subject.profile_id, "component_id": subject.profile_id, "split": False, "version": 1,
        "until_ms": until, "search_until_ms": until, "subject_until_ms": until, "mask_until_ms": 0,
        "judged": False, "kind": subject.kind, "audience_id": 0, "width": 0, "label": subject.label,
        "labels": orjson.dumps({subject.label: 2}), "features": orjson.dumps(subject.features()),
        "content_version": 1, "clues": "*", "told_version": 1,
    }  # fmt: skip


class Fill:
    """Subjects, reports and leads, a chunk at a time. Report n mentions the subjects n and n + 1."""

    def __init__(self, leads: int) -> None:
        self.leads = leads
        self.until = ms(NOW + timedelta(days=700))
        kind = FEEDS["EPIC"].types["EPIC.SEIZURE/1"]
        example = kind.examples[0] | {"event_start": "2026-03-01T08:00:00Z", "event_end": None}
        parsed = FEEDS["EPIC"].parse(orjson.dumps({k: v for k, v in example.items() if v is not None}), NOW)
        self.report: Row = orjson.loads(FEEDS["EPIC"].to_report(parsed, NOW).to_json())

    def run(self, db: Database) -> None:
        """Fill an empty database."""
        for start in range(0, self.leads, CHUNK):
            numbers = range(start, min(start + CHUNK, self.leads))
            subjects = [Subject(n) for n in numbers]
            members = [member_row(s, self.until) for s in subjects]
            found = [search_rows(m) for m in members]
            with db.transaction() as conn:
                insert_rows(conn, tables.member, members)
                insert_rows(conn, tables.identifier, [row for rows, _ in found for row in rows])
                insert_rows(conn, tables.name, [row for _, rows in found for row in rows])
                insert_rows(conn, tables.report, [self._report(n) for n in numbers])
                insert_rows(conn, tables.mention, [m for n in numbers for m in self._mentions(n)])
                insert_rows(conn, tables.link, [self._link(n) for n in numbers])
                replace_leads(conn, [], [(0, self._lead(s)) for s in subjects])

    def _id(self, n: int) -> str:
        return uuid5(UUID(int=0), f"report {n % self.leads}").hex

    def _at(self, n: int) -> int:
        return ms(NOW - timedelta(minutes=1 + n % 129_600))

    def _report(self, n: int) -> Row:
        content = self.report | {"report_id": str(UUID(self._id(n))), "source_report_no": f"BENCH-{n}"}
        return {
            "report_id": self._id(n), "version": 1, "live": True, "audience_id": 0, "feed": "EPIC",
            "agency": AGENCIES[n % len(AGENCIES)], "kind": "SEIZURE", "predicated": True,
            "event_ms": self._at(n), "until_ms": self.until, "body": pack(orjson.dumps(content)),
        }  # fmt: skip

    def _mentions(self, n: int) -> list[Row]:
        return [
            {
                "report_id": self._id(n), "local_id": local_id, "profile_id": s.profile_id, "kind": s.kind,
                "role": "SUBJECT" if s.kind == "PERSON" else "CONVEYANCE", "label": s.label, "standing": 0,
                "event_ms": self._at(n), "until_ms": self.until,
            }
            for local_id, s in (("a", Subject(n)), ("b", Subject((n + 1) % self.leads)))
        ]  # fmt: skip

    def _link(self, n: int) -> Row:
        person, vehicle = sorted((n, (n + 1) % self.leads), key=lambda i: i % 2)
        return {
            "report_id": self._id(n), "ordinal": 0, "source": Subject(person).profile_id,
            "target": Subject(vehicle).profile_id, "type": "DRIVES", "confidence": 1000,
            "source_local_id": "a", "target_local_id": "b", "shown": True, "event_ms": self._at(n),
            "until_ms": self.until,
        }  # fmt: skip

    def _lead(self, subject: Subject) -> Lead:
        rng = Random(subject.number * 7 + 1)
        score = round(10_000 * rng.random() ** 3)
        agencies, state = sorted(rng.sample(AGENCIES, 2)), rng.choice(STATES)
        rules, lead_id = sorted(rng.sample(RULES, 2)), lead_id_of(subject.profile_id)
        kind = "CONVEYANCE" if subject.number % 2 else "PERSON"
        updated = self._at(rng.randrange(129_600))
        reports = [str(UUID(self._id(n))) for n in (subject.number - 1, subject.number)]
        item: Row = {
            "lead_id": lead_id, "title": f"{subject.label}: cross-feed convergence", "type": kind,
            "summary": f"{subject.label} appears in 2 reports from BCSC and EPIC. Each holds a part of it.",
            "subject": {"entity_id": subject.profile_id, "kind": subject.kind, "label": subject.label},
            "score": score / 100, "band": str(band_of(score)), "rules": rules,
            "convergence": {"feeds": ["BCSC", "EPIC"], "agencies": agencies, "states": [state]},
            "state": "CANDIDATE", "decay_date": "2026-06-01", "marking": "CUI//LEI", "releasable": True,
            "reports": reports, "updated_at": "2026-03-01T08:00:00Z",
        }  # fmt: skip
        timeline = [
            {"at": "2026-03-01T08:00:00Z", "report_id": r, "feed": "EPIC", "agency": agencies[0],
             "kind": "SEIZURE", "text": "Seizure", "marking": "CUI//LEI"}
            for r in reports
        ]  # fmt: skip
        tags = {f"type:{kind}", "state:CANDIDATE", f"state_code:{state}", "feed:EPIC", "feed:BCSC"}
        tags |= {f"rule:{r}" for r in rules} | {f"agency:{a}" for a in agencies}
        tags |= {f"word:{w}" for w in words(subject.label)}
        later = self.until
        body = item | {"timeline": timeline, "contributions": [], "evidence": [], "tearline": None}
        return Lead(lead_id, subject.profile_id, score, updated, later, frozenset(tags), item, body)


Path_ = Callable[[Random, int], str]


def _since(rng: Random, days: float) -> str:
    return (NOW - timedelta(days=days * rng.random())).strftime("%Y-%m-%dT%H:%M:%SZ")


def _entity(page: str) -> Path_:
    return lambda r, n: f"/v1/entities/{Subject(r.randrange(n)).profile_id}{page}"


REQUESTS: dict[str, Path_] = {
    "list, by score": lambda r, _: f"/v1/leads?limit={r.randint(40, 60)}",
    "list, newest first": lambda r, _: f"/v1/leads?sort=-updated&limit={r.randint(40, 60)}",
    "list, urgent and high": lambda _r, _n: "/v1/leads?band=URGENT&band=HIGH",
    "list, state and type, newest": lambda r, _: (
        f"/v1/leads?state_code={r.choice(STATES)}&type=PERSON&sort=-updated"
    ),
    "list, agency and rules": lambda r, _: f"/v1/leads?agency={r.choice(AGENCIES)}&rule=L01&rule=L11",
    "list, high since a day": lambda r, _: f"/v1/leads?band=HIGH&since={_since(r, 1)}",
    "list, held since a month": lambda r, _: f"/v1/leads?band=HELD&since={_since(r, 30)}",
    "list, common word": lambda r, _: f"/v1/leads?q={r.choice(GIVEN)}",
    "list, two words": lambda r, _: f"/v1/leads?q={r.choice(GIVEN)}+{r.choice(STEMS)}{r.choice(ENDINGS)}",
    "list, one plate": lambda r, n: f"/v1/leads?q={Subject(r.randrange(n) | 1).plate}",
    "lead": lambda r, n: f"/v1/leads/{lead_id_of(Subject(r.randrange(n)).profile_id)}",
    "entity": _entity(""),
    "entity, its leads": _entity("/leads"),
    "entity, mentions": _entity("/mentions"),
    "entity, links": _entity("/links"),
    "entity, timeline": _entity("/timeline"),
    "entity, graph of two hops": _entity("/graph?hops=2"),
    "search, plate": lambda r, n: (
        f"/v1/entities?identifier=plate:US-TX:{Subject(r.randrange(n // 2) * 2 + 1).plate}"
    ),
    "search, name": lambda r, n: f"/v1/entities?name={Subject(r.randrange(n // 2) * 2).label}",
    "search, name and birth": lambda r, n: (
        f"/v1/entities?name={Subject(r.randrange(n // 2) * 2).label}&birth=1975"
    ),
}


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p99 and the largest, in milliseconds."""
    ordered = sorted(seconds)
    cuts = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {
        k: round(1000 * ordered[min(len(ordered) - 1, int(q * len(ordered)))], 1) for k, q in cuts.items()
    }


async def ask(client: httpx.AsyncClient, path: str) -> tuple[float, Any]:
    """Seconds and answer of one request."""
    began = time.perf_counter()
    answer = await client.get(path)
    spent = time.perf_counter() - began
    assert answer.status_code == 200, (path, answer.text)
    return spent, answer.json()


async def measure(app: Any, headers: dict[str, str], leads: int, rounds: int) -> dict[str, Any]:
    """Every kind of request in turn, and a walk over later pages."""
    rng = Random(11)
    spent: dict[str, list[float]] = {name: [] for name in REQUESTS}
    later: list[float] = []
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers) as client:
        for number in range(rounds + 1):
            for name, path in REQUESTS.items():
                seconds, _ = await ask(client, path(rng, leads))
                if number:
                    spent[name].append(seconds)
        cursor = ""
        for _ in range(rounds):
            seconds, page = await ask(client, f"/v1/leads?limit=100{cursor}")
            later.append(seconds)
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
    return {name: percentiles(s) for name, s in (spent | {"list, later pages of 100": later[1:]}).items()}


def run(asked: argparse.Namespace) -> dict[str, Any]:
    """Fill, then measure."""
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder:
        settings = Settings(home=Path(folder))
        db = open_database(asked.database or f"sqlite:///{folder}/leads.db")
        migrate(db, Path(services.leads.__file__).parent / "migrations")
        began = time.monotonic()
        Fill(asked.leads).run(db)
        filled = time.monotonic() - began
        key = ensure_key(settings.key_file)
        registry = open_registry(settings, lambda: NOW)
        parts = Parts(
            db, None, verifier_from(settings), settings, lambda: NOW, lambda: None, lambda: None, registry  # type: ignore[arg-type] # nothing is written
        )  # fmt: skip
        token = mint(key, subject="bench", agency="TXZZZ0001", roles=("analyst",), ttl=timedelta(hours=9))
        headers = {"Authorization": f"Bearer {token}", "Interlock-Purpose": "ANALYSIS", "Interlock-Case": "B"}
        app = create_app(parts)
        memory.settle()
        answers = asyncio.run(measure(app, headers, asked.leads, asked.rounds))
        disk = sum(f.stat().st_size for f in Path(folder).glob("leads.db*"))
        db.close()
        registry.db.close()
    return {
        "fill_seconds": round(filled),
        "disk_mb": None if asked.database else round(disk / 1e6),
        "milliseconds": answers,
        "slowest_p99": max(a["p99"] for a in answers.values()),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=100, help="requests of each kind")
    parser.add_argument("--database", default="", help="an empty database (default: SQLite)")
    asked = parser.parse_args()
    result = {
        "bench": "leads", "command": " ".join(sys.argv),
        "database": asked.database.partition(":")[0] or "sqlite", "leads": asked.leads,
        "rounds": asked.rounds, **run(asked),
        "machine": machine(), "versions": versions(*PACKAGES),
    }  # fmt: skip
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
