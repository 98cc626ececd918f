"""The projection: the newest state of every key holds, whatever the order and however often it comes."""

import functools
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Table, select

from services.leads import tables
from services.leads.changes import Changes, read
from services.leads.clock import ms
from services.leads.picture_store import picture
from services.leads.project import Projector
from shared.database import Database
from shared.errors import Poison
from shared.log import Position, Record
from tests.leads.picture_world import NOW, World, report

PHONE = {"local_id": "p1", "number": "+19155550142", "role": "CONTACT"}
CAR = {"local_id": "v1", "plate": "SYN1234", "jurisdiction": "US-TX", "vin": "1M8GDM9AXKP042788"}


def garcia(name: str = "Jose Garcia Lopez", dob: str = "1980-05-17") -> dict[str, Any]:
    return {"local_id": "s1", "full_name": name, "dob": dob, "ids": [{"type": "SSN", "value": "078051120"}]}


USES = {"from": "s1", "to": "p1", "type": "USES"}


def project(db: Database, records: list[Record], size: int = 1_000) -> None:
    projector = Projector(db, lambda: None)
    for start in range(0, len(records), size):
        projector.handle(records[start : start + size])


def contents(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    with db.snapshot() as conn:
        return {
            t.name: sorted((tuple(r) for r in conn.execute(select(*_kept(t)))), key=repr)
            for t in tables.metadata.sorted_tables
            if t.name not in {"due", "clearance", "combination", "subject_combination"}
        }


def _kept(table: Table) -> list[Column[Any]]:
    """Its columns but the clues, which nothing that is seen follows from: of what was replaced some stay."""
    return [c for c in table.c if c.name != "clues"]


def entity_of(db: Database, profile_id: str) -> str | None:
    with db.snapshot() as conn:
        found = picture(conn, [profile_id], None, ms(NOW)).entity_of.get(profile_id)
    return found.entity_id if found else None


def test_two_mentions_of_one_person_are_one_entity(db: Database) -> None:
    world = World()
    project(
        db,
        [
            world.put(report("A", persons=[garcia()])),
            world.put(report("B", persons=[garcia("José García López")])),
        ],
    )
    assert len({entity_of(db, p) for p in world.profiles}) == 1


def test_a_new_version_replaces_what_the_old_one_said(db: Database) -> None:
    world = World()
    first = report("A", persons=[garcia()], phones=[PHONE], relations=[USES])
    records = [world.put(first)]
    records.append(world.put(report("A", version=2, persons=[garcia()], vehicles=[CAR])))
    project(db, records)
    with db.snapshot() as conn:
        kinds = {r[0] for r in conn.execute(select(tables.mention.c.kind))}
        assert kinds == {"PERSON", "VEHICLE"}
        assert not list(conn.execute(select(tables.link)))


def test_nothing_of_a_retracted_report_remains(db: Database) -> None:
    world = World()
    kept = report("A", persons=[garcia()], phones=[PHONE], relations=[USES])
    records = [world.put(kept), world.retract(kept.report_id)]
    project(db, records)
    found = contents(db)
    assert not found["mention"]
    assert not found["link"]
    assert not found["identifier"]
    assert not found["name"]
    assert [(row[2], row[-1]) for row in found["report"]] == [(False, None)]
    assert {row[9:15] for row in found["member"]} == {("", 0, 0, "", b"{}", b"")}


def test_a_profile_is_shown_as_most_of_its_live_mentions_write_it(db: Database) -> None:
    """Equal content is one profile, however it was written; arrival decides nothing."""
    world = World()
    given = [
        report(str(n), persons=[garcia(name)])
        for n, name in enumerate(("JOSE GARCIA", "José García", "José García"))
    ]
    records = [world.put(r) for r in given]
    assert len(world.profiles) == 1
    project(db, records[::-1], size=1)

    def label() -> object:
        with db.snapshot() as conn:
            return conn.execute(select(tables.member.c.label)).scalar_one()

    assert label() == "José García"
    project(db, [world.retract(given[1].report_id), world.retract(given[2].report_id)])
    assert label() == "JOSE GARCIA"


def test_what_is_no_message_is_poison() -> None:
    record = Record(Position("resolutions.v1", 0, 1), "k", b"{", {}, 0)
    with pytest.raises(Poison):
        read(record, Changes())


def test_a_withdrawn_judgement_stays_withdrawn_when_it_comes_again(db: Database) -> None:
    world = World()
    one, two = report("A", persons=[garcia()]), report("B", persons=[garcia("Jose Garcia", "1980-05-17")])
    records = [world.put(one), world.put(two)]
    a, b = sorted(world.profiles)
    judged = world.judge(a, b, "DIFFERENT")
    project(db, records + judged)
    assert entity_of(db, a) != entity_of(db, b)
    undone = world.withdraw(next(iter(world.judgements)))
    project(db, undone + judged[:1])
    assert entity_of(db, a) == entity_of(db, b)


def test_the_migrated_schema_is_that_of_the_tables(db: Database) -> None:
    with db.engine.connect() as conn:
        context = MigrationContext.configure(conn)
        ours = {t.name for t in tables.metadata.tables.values()}
        differences = [d for d in compare_metadata(context, tables.metadata) if not _foreign(d, ours)]
    assert not differences


def _foreign(difference: Any, ours: set[str]) -> bool:
    """Comments, and the tables and indexes of other parts of the service, which are imported elsewhere."""
    if isinstance(difference, list):
        return all(d[0] == "modify_comment" for d in difference)
    what = difference[0] if isinstance(difference, tuple) else ""
    thing = difference[1] if what.startswith("remove_") else None
    name = getattr(getattr(thing, "table", thing), "name", None)
    return what.startswith("remove_") and name not in ours


def story() -> tuple[World, list[Record]]:
    """Everything that can happen: updates, retractions, judgements, shared identifiers, closed audiences."""
    world = World()
    red = {"share": "RED"}
    a = report("A", persons=[garcia()], phones=[PHONE], relations=[USES])
    b = report("B", agency="CAZZZ0002", persons=[garcia("José García López")], vehicles=[CAR])
    c = report("C", agency="AZZZZ0003", persons=[garcia("J Garcia Lopez")], phones=[PHONE], handling=red)
    d = report("D", agency="AZZZZ0003", persons=[garcia("Jose Lopez Garcia", "1980-05")], vehicles=[CAR])
    records = [world.put(a), world.put(b), world.put(c)]
    one, two = sorted(p.id for p in world.profiles.values() if p.kind == "PERSON")[:2]
    records += world.judge(one, two, "DIFFERENT")
    records += [world.put(d), world.retract(b.report_id)]
    records.append(
        world.put(report("A", version=2, persons=[garcia("Jose Garcia Lopez Jr")], phones=[PHONE]))
    )
    records += world.withdraw(next(iter(world.judgements)))
    records.append(world.put(b))
    return world, records


@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=25, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_order_across_keys_and_repeats_change_nothing(db: Database, data: st.DataObject) -> None:
    records, expected = outcome(db)
    queues: dict[str, list[Record]] = {}
    for r in records:
        queues.setdefault(r.key + r.position.topic, []).append(r)
    mixed: list[Record] = []
    while queues:
        key = data.draw(st.sampled_from(sorted(queues)))
        mixed.append(queues[key].pop(0))
        if not queues[key]:
            del queues[key]
    start = data.draw(st.integers(0, len(mixed)))
    empty(db)
    project(db, mixed + mixed[start:], size=data.draw(st.integers(1, 12)))
    assert contents(db) == expected


@functools.cache
def outcome(db: Database) -> tuple[list[Record], dict[str, list[tuple[Any, ...]]]]:
    """The story, and what it leads to in order."""
    _, records = story()
    project(db, records)
    return records, contents(db)


def empty(db: Database) -> None:
    with db.transaction() as conn:
        for t in tables.metadata.sorted_tables:
            conn.execute(t.delete())
