"""What is evaluated: each subject once where all is open, else once for every part that somebody sees."""

from collections.abc import Iterable
from uuid import UUID

import pytest

from services.leads import clue_store, view_store
from services.leads.compose import Lead
from services.leads.due_store import backlog, done, due
from services.leads.lead_store import replace_leads
from services.leads.sets import OPEN_SET
from services.leads.sight_store import combinations, note_clearance
from services.leads.view import View
from services.leads.view_store import evaluations, view
from shared.contracts.handling import Clearance
from shared.database import Database
from shared.log import Record
from tests.leads.api import Api
from tests.leads.picture_world import NOW, World, report

PHONE = {"local_id": "p1", "number": "+19155550142", "role": "CONTACT"}
CAR = {"local_id": "v1", "plate": "SYN1234", "jurisdiction": "US-TX", "role": "CONVEYANCE"}
ONE = {"local_id": "s1", "full_name": "Jose Garcia Lopez", "dob": "1980-05-17"}
USES = {"from": "s1", "to": "p1", "type": "USES"}
DRIVES = {"from": "s1", "to": "v1", "type": "DRIVES"}
OWNER = "FLZZZ0005"


@pytest.fixture(autouse=True)
def everything_is_worth_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """These reports make no lead; what is evaluated is the subject here."""
    for module in (clue_store, view_store):
        monkeypatch.setattr(module, "suggests", lambda _kind, _clues: True)


def drain(db: Database) -> dict[tuple[str, int], View]:
    """The views of everything due, by subject's kind and set."""
    found: dict[tuple[str, int], View] = {}
    with db.transaction() as conn:
        dues = due(conn, 1_000)
        for evaluation in evaluations(conn, dues, NOW):
            for set_id, seen in evaluation.views:
                found[seen.subject.kind.value, set_id] = seen
                assert seen.subject.entity_id in evaluation.subjects
        done(conn, [d.component_id for d in dues])
    return found


def feed(api: Api, records: Iterable[Record]) -> None:
    api.feed(*records)


def test_what_is_open_is_evaluated_once(api: Api) -> None:
    w = World()
    feed(api, [w.put(report("A", persons=[ONE], phones=[PHONE], relations=[USES]))])
    found = drain(api.db)
    assert set(found) == {("PERSON", OPEN_SET), ("PHONE", OPEN_SET)}
    person = found["PERSON", OPEN_SET]
    assert [r.source_report_no for r in person.reports] == ["A"]
    assert {(s.local_id, s.role) for s in person.sightings} == {("s1", "SUBJECT"), ("p1", "CONTACT")}
    assert [(x.type.value, x.source) for x in person.links] == [("USES", person.subject.entity_id)]
    with api.db.snapshot() as conn:
        assert backlog(conn) == 0
        assert not combinations(conn)


def test_a_burst_on_one_entity_is_one_evaluation(api: Api) -> None:
    w = World()
    feed(api, [w.put(report(f"N{i}", phones=[PHONE])) for i in range(20)])
    with api.db.transaction() as conn:
        dues = due(conn, 100)
    assert len(dues) == 1
    assert dues[0].accepted_ms == 1_001


def test_each_visible_part_has_its_own_view_and_no_other(api: Api) -> None:
    w = World()
    with api.db.transaction() as conn:
        for agency in (OWNER, "NMZZZ0004", "CAZZZ0002"):
            note_clearance(conn, Clearance(agency))
    feed(
        api,
        [
            w.put(report("A", phones=[PHONE])),
            w.put(
                report("H", OWNER, phones=[PHONE], persons=[ONE], relations=[USES], handling={"share": "RED"})
            ),
        ],
    )
    found = drain(api.db)
    phones = {s: v for (kind, s), v in found.items() if kind == "PHONE"}
    assert sorted(len(v.reports) for v in phones.values()) == [1, 2]
    assert OPEN_SET not in phones
    assert len([k for k in found if k[0] == "PERSON"]) == 1


def test_a_hidden_neighbour_of_an_open_subject_makes_sets_too(api: Api) -> None:
    """The car's own reports are open; that its drivers are one person, only a hidden report says."""
    w = World()
    with api.db.transaction() as conn:
        note_clearance(conn, Clearance(OWNER))
    a = {
        "local_id": "s1",
        "full_name": "Jose Garcia",
        "ids": [{"type": "PASSPORT", "value": "G1", "issuer": "MX"}],
    }
    both = ONE | {"ids": a["ids"]}
    feed(
        api,
        [
            w.put(report("A", persons=[ONE], vehicles=[CAR])),
            w.put(report("B", persons=[a], vehicles=[CAR])),
            w.put(report("H", OWNER, persons=[both], handling={"share": "RED"})),
        ],
    )
    found = drain(api.db)
    cars = [v for (kind, _), v in found.items() if kind == "VEHICLE"]
    people = sorted(len([e for e in v.entities.values() if e.kind == "PERSON"]) for v in cars)
    assert people == [1, 2]


def test_a_new_clearance_makes_due_what_is_not_open_throughout(api: Api) -> None:
    w = World()
    feed(
        api,
        [
            w.put(report("A", phones=[PHONE])),
            w.put(report("B", OWNER, vehicles=[CAR], handling={"share": "RED"})),
        ],
    )
    drain(api.db)
    with api.db.transaction() as conn:
        assert note_clearance(conn, Clearance(OWNER))
        assert not note_clearance(conn, Clearance(OWNER))
        assert backlog(conn) == 1
    assert {kind for kind, _ in drain(api.db)} == {"VEHICLE"}


def test_a_retracted_subject_comes_back_without_views_to_be_retired(api: Api) -> None:
    w = World()
    given = report("A", phones=[PHONE])
    feed(api, [w.put(given)])
    drain(api.db)
    profile = next(iter(w.profiles))
    feed(api, [w.retract(given.report_id)])
    with api.db.snapshot() as conn:
        assert not backlog(conn), "no lead is about it"
    feed(api, [w.put(given)])
    drain(api.db)
    lead = Lead(str(UUID(profile)), profile, 100, 1, 1, frozenset(), {}, {})
    with api.db.transaction() as conn:
        replace_leads(conn, [profile], [(OPEN_SET, lead)])
    feed(api, [w.retract(given.report_id)])
    with api.db.transaction() as conn:
        found = evaluations(conn, due(conn, 10), NOW)
    assert all(not e.views for e in found)
    assert profile in {s for e in found for s in e.subjects}


def test_neighbours_are_due_when_an_entity_changes(api: Api) -> None:
    w = World()
    feed(api, [w.put(report("A", persons=[ONE], vehicles=[CAR], relations=[DRIVES]))])
    drain(api.db)
    feed(api, [w.put(report("B", persons=[ONE | {"full_name": "José García-López"}]))])
    assert {kind for kind, _ in drain(api.db)} == {"PERSON", "VEHICLE"}


def test_victims_and_non_criminals_are_never_subjects(api: Api) -> None:
    w = World()
    feed(
        api,
        [
            w.put(report("A", persons=[ONE | {"role": "VICTIM"}], phones=[PHONE], relations=[USES])),
            w.put(report("B", persons=[ONE | {"full_name": "Maria Ruiz", "ncii": True}], phones=[PHONE])),
        ],
    )
    found = drain(api.db)
    assert {kind for kind, _ in found} == {"PHONE"}
    phone = found["PHONE", OPEN_SET]
    assert "Jose Garcia Lopez" not in {e.label for e in phone.entities.values()}
    assert not phone.links


def test_the_second_hop_comes_through_the_neighbours_other_reports(api: Api) -> None:
    w = World()
    feed(
        api,
        [
            w.put(report("A", persons=[ONE], phones=[PHONE], relations=[USES])),
            w.put(report("B", persons=[ONE], vehicles=[CAR], relations=[DRIVES])),
        ],
    )
    phone = next(p.id for p in w.profiles.values() if p.kind == "PHONE")
    with api.db.snapshot() as conn:
        seen = view(conn, phone, frozenset({0}), NOW)
    assert seen is not None
    assert [r.source_report_no for r in seen.reports] == ["A"]
    assert {x.type.value for x in seen.links} == {"USES", "DRIVES"}
    assert {e.kind.value for e in seen.entities.values()} == {"PHONE", "PERSON", "VEHICLE"}
