"""Streams that would blow a resolver up: the real core, bounded time, and the picture of the reference."""

import time
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from services.fusion import tables
from services.fusion.core.model import load
from services.fusion.core.reference import resolve_all
from services.fusion.fuse import Fuser
from services.fusion.resolver import CoreResolver
from shared.contracts.entities import Person, Phone, Relation, RelationType
from shared.contracts.handling import audience_of
from shared.contracts.report import Report
from shared.contracts.topics import REPORTS
from shared.database import Database
from shared.log import Position, Record
from tests.fusion.world import report

SECONDS = 60.0
"""Far above what it takes, far below what a quadratic step would take."""


def record(made: Report, offset: int) -> Record:
    return Record(Position(REPORTS.name, 0, offset), made.report_id, made.to_json(), {}, offset)


def fuse(db: Database, reports: Sequence[Report], batch: int) -> dict[str, str]:
    """Fuse, within bounds; the stored entity of each profile."""
    fuser = Fuser(db, CoreResolver(load()), "me", lambda _: None)
    started = time.monotonic()
    records = [record(r, n) for n, r in enumerate(reports)]
    for at in range(0, len(records), batch):
        assert fuser.handle(records[at : at + batch]) == []
    assert time.monotonic() - started < SECONDS
    with db.snapshot() as conn:
        rows = {r.profile: r for r in conn.execute(select(tables.assign))}
    return {p: r.entity or rows[r.leader].entity for p, r in rows.items()}


def expected(reports: Sequence[Report]) -> dict[str, str]:
    resolver = CoreResolver(load())
    mentions = [m for r in reports for m in resolver.normalise(r, audience_of(r)).mentions]
    return resolve_all([m.profile for m in mentions if m.profile], (), load()).entity


def person(number: int, **fields: object) -> Person:
    return Person(local_id=f"p{number}", **fields)


@pytest.mark.parametrize("batch", [250, 2_000])
def test_two_thousand_of_one_name_and_nearly_one_birthday(sqlite_db: Database, batch: int) -> None:
    born = date(1980, 1, 1)
    reports = [
        report(n, 1, [person(0, full_name="Jose Garcia Lopez", dob=str(born + timedelta(n % 40)), sex="M")])
        for n in range(2_000)
    ]
    assert fuse(sqlite_db, reports, batch) == expected(reports)


def test_a_thousand_people_who_share_a_telephone(sqlite_db: Database) -> None:
    syllables = ("an", "be", "cor", "dul", "es", "fin", "gar", "hol", "ir", "jun")
    reports = []
    for n in range(1_000):
        given = "".join(syllables[int(d)] for d in f"{n:03d}").title()
        made = report(
            n, 1, [person(0, full_name=f"{given} {given[::-1].title()}", dob=f"19{n % 90 + 10}-02-03")]
        )
        phone = Phone(local_id="t1", number="+19155550142")
        uses = Relation(source="p0", target="t1", type=RelationType.USES)
        reports.append(made.model_copy(update={"phones": (phone,), "relations": (uses,)}))
    assert fuse(sqlite_db, reports, 100) == expected(reports)


def test_a_person_reported_thousands_of_times_is_one_row(sqlite_db: Database) -> None:
    same = person(0, full_name="Casimir Wolanski", dob="1971-05-17", sex="M")
    reports = [report(n, 1, [same]) for n in range(4_000)]
    assert len(fuse(sqlite_db, reports, 1_000)) == 1
    with sqlite_db.snapshot() as conn:
        assert conn.execute(select(tables.profile.c.count)).scalar_one() == 4_000


def test_a_thousand_names_alone_stay_a_thousand_persons(sqlite_db: Database) -> None:
    reports = [report(n, 1, [person(0, full_name="John Smith")]) for n in range(1_000)]
    found = fuse(sqlite_db, reports, 300)
    assert len(set(found.values())) == len(found) == 1_000
    with sqlite_db.snapshot() as conn:
        assert conn.execute(select(func.max(tables.assign.c.size))).scalar_one() <= 1_000


def smith(number: int, **known: str) -> Report:
    made = report(number, 1, [person(0, full_name="John Smith", dob=known.get("born"))])
    if "phone" not in known:
        return made
    phone = Phone(local_id="t1", number=known["phone"])
    uses = Relation(source="p0", target="t1", type=RelationType.USES)
    return made.model_copy(update={"phones": (phone,), "relations": (uses,)})


def test_a_common_name_joins_with_what_it_shares(sqlite_db: Database) -> None:
    """A telephone or a birthday that two share makes them one; three with neither stay three."""
    number, born = "+19155550142", "1961-04-17"
    reports = [
        smith(0, phone=number),
        smith(1, phone=number, born=born),
        smith(2, born=born),
        *(smith(n) for n in range(3, 6)),
    ]
    found = fuse(sqlite_db, reports, 2)
    assert found == expected(reports)
    resolver = CoreResolver(load())
    mentions = [resolver.normalise(r, audience_of(r)).mentions[0] for r in reports]
    entities = [found[m.profile.id] for m in mentions if m.profile]
    assert len(set(entities[:3])) == 1
    assert len(set(entities)) == 4
