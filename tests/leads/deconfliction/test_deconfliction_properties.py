"""Whatever is submitted in whatever order: the same conflicts; every one ends; notices say no more."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from services.leads.deconfliction import meet, registry_store
from services.leads.deconfliction.states import Outcome
from services.leads.deconfliction.tables import conflict, metadata, notice
from shared.database import open_database
from tests.leads.deconfliction.house import NOON, A, B, C, House

ALLOWED = {
    "conflict_id", "number", "reference", "identifier", "kind", "class", "urgency", "level", "other",
    "notice_id", "created_at", "acknowledged_at",
}  # fmt: skip
ALLOWED_OTHER = {"number", "agency", "unit", "contact"}
ENDS = {"RESOLVED", "WITHDRAWN", "EXPIRED", "DISMISSED"}

phones = st.sampled_from(["+19155550142", "(915) 555-0142", "+19155550143"])
names = st.sampled_from(["Jon Smyth", "John Smith", "SMITH, John", "Jose Garcia Lopez"])
births = st.sampled_from([None, "1988", "1989-05-05", "1990"])
addresses = st.sampled_from(
    ["12 Invented St Apt 4, El Paso, TX 79901", "12 Invented Street, El Paso, TX 79901"]
)
targets = st.fixed_dictionaries(
    {
        "agency": st.sampled_from([A, B, C]),
        "share": st.sampled_from(["GREEN", "GREEN", "YELLOW", "RED"]),
        "identifiers": st.lists(phones, max_size=2),
        "names": st.lists(st.tuples(names, births), max_size=1),
        "addresses": st.lists(addresses, max_size=1),
    }
).filter(lambda t: bool(t["identifiers"] or t["names"] or t["addresses"]))
events = st.fixed_dictionaries(
    {
        "agency": st.sampled_from([A, B, C]),
        "hours": st.integers(1, 6),
        "lon": st.sampled_from([179.9999, -179.9999, -106.48, -106.4795]),
        "lat": st.sampled_from([0.0, 31.76, 31.7615, 89.9999]),
    }
)
caseloads = st.lists(targets | events, min_size=2, max_size=6)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One registry for many examples; ``enter`` empties it first."""
    home: Path = tmp_path_factory.mktemp("registry")
    db = open_database(f"sqlite:///{home}/deconfliction.db")
    metadata.create_all(db.engine)
    yield House(db, home / "keys.json")
    db.close()


def enter(house: House, caseload: list[dict[str, Any]], order: list[int]) -> None:
    """Submit a caseload to the emptied registry in this order, and work out its matches."""
    with house.registry.transaction() as (conn, _):
        for table in metadata.sorted_tables:
            conn.execute(table.delete())
    house.clock.now = NOON
    for n in order:
        one, reference = caseload[n], f"REF-{n}"
        if "hours" in one:
            starts = NOON + timedelta(hours=one["hours"])
            more = {"lat": one["lat"], "lon": one["lon"], "starts_at": starts.isoformat()}
            house.event(
                one["agency"], reference, unit=f"TEAM {n}", ends_at=(starts + timedelta(hours=1)).isoformat(),
                case_no=f"CASE-SECRET-{n}", hazards=[f"HAZARD-SECRET-{n}"], **more,
            )  # fmt: skip
        else:
            house.target(
                one["agency"], reference, label=f"LABEL-SECRET-{n}", share=one["share"],
                case_no=f"CASE-SECRET-{n}",
                identifiers=[{"type": "PHONE", "value": v} for v in one["identifiers"]],
                names=[{"full_name": x, "birth": y} for x, y in one["names"]], addresses=one["addresses"],
            )  # fmt: skip
        house.clock.now += timedelta(seconds=1)
    house.settle()


def conflicts(house: House) -> set[tuple[Any, ...]]:
    """Every conflict by the references of its sides, with everything but chance and time."""
    ring = house.registry.keys.ring()
    with house.registry.db.snapshot() as conn:
        rows = conn.execute(select(conflict)).all()
        stored = registry_store.read(conn, {n for r in rows for n in (r.a, r.b)})
    reference = {n: meet.opened(ring, s).reference for n, s in stored.items()}
    return {
        (
            frozenset({reference[r.a], reference[r.b]}), r.kind, r.cls, r.state, r.urgency,
            frozenset(reference[n] for n in r.silent.split()),
        )
        for r in rows
    }  # fmt: skip


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(caseload=caseloads, data=st.data())
def test_the_order_of_submissions_changes_no_conflict(
    place: House, caseload: list[dict[str, Any]], data: st.DataObject
) -> None:
    order = list(range(len(caseload)))
    enter(place, caseload, order)
    first = conflicts(place)
    enter(place, caseload, data.draw(st.permutations(order)))
    assert conflicts(place) == first
    place.matcher.recheck()
    place.settle()
    assert conflicts(place) == first, "checking again changes nothing"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(caseload=caseloads, data=st.data())
def test_every_conflict_ends_whatever_people_do(
    place: House, caseload: list[dict[str, Any]], data: st.DataObject
) -> None:
    enter(place, caseload, list(range(len(caseload))))
    for agency in (A, B, C):
        for n in place.inbox(agency):
            match data.draw(st.sampled_from(["ignore", "read", "resolve"])):
                case "read":
                    place.desk.acknowledge(agency, n["notice_id"], "SYN OFFICER")
                case "resolve" if n["level"] == "SIDE":
                    if place.desk.conflict(agency, n["conflict_id"])["state"] not in ENDS:
                        place.desk.resolve(agency, n["conflict_id"], Outcome.JOINT)
    for span in (timedelta(minutes=11), timedelta(minutes=11), timedelta(days=5), timedelta(days=740)):
        place.clock.now += span
        place.settle()
    with place.registry.db.snapshot() as conn:
        rows = conn.execute(select(conflict.c.state, conflict.c.escalates_ms)).all()
    assert {r.state for r in rows} <= ENDS
    assert {r.escalates_ms for r in rows} <= {None}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(caseload=caseloads)
def test_a_notice_holds_its_receivers_words_and_a_contact(
    place: House, caseload: list[dict[str, Any]]
) -> None:
    enter(place, caseload, list(range(len(caseload))))
    ring = place.registry.keys.ring()
    with place.registry.db.snapshot() as conn:
        rows = conn.execute(select(notice)).all()
    for row in rows:
        text = ring.open(row.agency, row.sealed)
        content = json.loads(text)
        own = caseload[int(content["reference"].removeprefix("REF-"))]
        assert own["agency"] == row.agency
        assert set(content) <= ALLOWED
        assert set(content["other"]) == ALLOWED_OTHER
        assert b"SECRET" not in text
        words = [
            *own.get("identifiers", ()),
            *(n for n, _ in own.get("names", ())),
            *own.get("addresses", ()),
        ]
        for each in caseload:
            for v in [
                *each.get("identifiers", ()),
                *each.get("addresses", ()),
                *(n for n, _ in each.get("names", ())),
            ]:
                assert v in words or v.encode() not in text
