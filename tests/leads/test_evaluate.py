"""From due components to stored leads: fired, updated, retired, the same after repetition and restart."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from services.leads.clock import NO_REPORT
from services.leads.due_store import backlog, mark
from services.leads.evaluate import Evaluator, evaluate_due
from services.leads.lead_tables import lead, lead_tag
from services.leads.project import Projector
from services.leads.tables import member
from shared.contracts.report import Report
from shared.database import Database
from tests.leads.lead_world import Office
from tests.leads.picture_world import NOW
from tests.leads.rule_world import person, told


@pytest.fixture
def office(db: Database) -> Office:
    return Office(db)


def courier(no: str = "1", total: str = "90000", agency: str = "TXZZZ0001", **given: Any) -> Report:
    ana = person("s1", "COURIER", full_name="Ana Lopez Garcia", dob="1980-05-17")
    ana["ids"] = [{"type": "CURP", "value": "LOGA800517MCHPRN09"}]
    facts = {"kind": "SEIZURE", "seized_usd": total, "declared_usd": "0"}
    return told(no, agency, given.pop("feed", "BCSC"), persons=[ana], facts=facts, **given)


def rows(db: Database) -> list[tuple[Any, ...]]:
    with db.snapshot() as conn:
        return [tuple(r) for r in conn.execute(select(lead).order_by(lead.c.lead_id, lead.c.set_id))]


def test_a_lead_fires_once_and_evaluating_again_changes_nothing(office: Office) -> None:
    first = office.take(courier())
    assert len(first.changed.fired) == 1
    before = rows(office.db)
    with office.db.transaction() as conn:
        mark(conn, dict.fromkeys(office.world.profiles, 1))
    again = office.evaluate()
    assert again.components > 0
    assert not (again.changed.fired | again.changed.updated | again.changed.retired)
    assert rows(office.db) == before


def test_more_evidence_updates_the_lead_under_the_same_id(office: Office) -> None:
    fired = office.take(courier()).changed.fired
    more = office.take(courier("2", "10", "CAZZZ0001", feed="EPIC"))
    assert more.changed.updated == fired
    assert not more.changed.fired
    assert office.items()[0]["rules"] == ["L01", "L11"]


def test_a_lead_whose_evidence_is_withdrawn_is_retired_and_comes_back_with_its_id(office: Office) -> None:
    report = courier()
    fired = office.take(report).changed.fired
    assert office.retract(report).changed.retired == fired
    assert rows(office.db) == []
    with office.db.snapshot() as conn:
        assert conn.execute(select(func.count()).select_from(lead_tag)).scalar_one() == 0
    assert office.take(report).changed.fired == fired


def test_an_update_that_takes_the_reason_away_retires_the_lead(office: Office) -> None:
    report = courier()
    office.take(report)
    declared = report.facts.model_copy(update={"declared_usd": report.facts.seized_usd})
    office.take(report.model_copy(update={"version": 2, "facts": declared}))
    assert office.items() == []


def test_the_stored_leads_do_not_depend_on_the_order_of_reports(db: Database, office: Office) -> None:
    reports = [
        courier(),
        courier("2", "40000", "CAZZZ0001", feed="EPIC"),
        courier("3", "5", "NYZZZ0001", feed="SOD"),
    ]
    office.take(*reversed(reports))
    backwards = office.get("/v1/leads").json()
    for report in reports:
        office.retract(report)
    for report in reports:
        office.take(report)
    assert office.get("/v1/leads").json() == backwards


def test_a_component_that_a_profile_left_takes_no_lead_about_it_along(office: Office) -> None:
    misspelt = courier("2", "10", "CAZZZ0001", feed="EPIC")
    ana = misspelt.persons[0].model_copy(update={"full_name": "Ana Lopez Garzia"})
    office.take(courier(), misspelt.model_copy(update={"persons": (ana,)}))
    (fired,) = rows(office.db)
    subject = fired[2]
    with office.db.transaction() as conn:
        (other,) = conn.execute(select(member.c.profile_id).where(member.c.profile_id != subject)).scalars()
        conn.execute(update(member).values(component_id=other))
        mark(conn, {subject: NO_REPORT})
    assert not office.evaluate().changed.retired
    assert rows(office.db) == [fired]


def test_a_burst_on_one_subject_is_one_evaluation(office: Office) -> None:
    records = [office.world.put(courier(str(n), "90000")) for n in range(20)]
    Projector(office.db, lambda: None).handle(records)
    with office.db.snapshot() as conn:
        assert backlog(conn) == 1
    assert office.evaluate().components == 1


def test_time_alone_lowers_a_lead_when_it_is_reconsidered(office: Office) -> None:
    office.take(courier())
    before = office.items()[0]
    office.now = NOW + timedelta(days=200)
    Evaluator(office.db, clock=lambda: office.now).step()
    after = office.items()[0]
    assert after["score"] < before["score"]
    assert after["updated_at"] == before["updated_at"]


def test_a_lead_ends_when_its_report_may_no_longer_be_kept(office: Office) -> None:
    keep = {"class": "CI", "review_by": "2026-03-05", "retain_until": "2026-03-10"}
    office.take(courier(retention=keep))
    assert len(office.items()) == 1
    office.now = NOW + timedelta(days=12)
    Evaluator(office.db, clock=lambda: office.now).step()
    assert office.items() == []


def test_several_evaluators_share_the_work_and_give_what_one_gives(office: Office) -> None:
    records = [office.world.put(_someone(n)) for n in range(40)]
    Projector(office.db, lambda: None).handle(records)
    done: list[int] = []

    def work() -> None:
        while (result := evaluate_due(office.db, NOW, 3)).components:
            done.append(result.components)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert len(rows(office.db)) == 40
    with office.db.snapshot() as conn:
        assert backlog(conn) == 0


def _someone(n: int) -> Report:
    born = f"19{50 + n}-05-{1 + n % 28:02d}"
    ana = person("s1", "COURIER", full_name=f"{NAMES[n % 8]} {NAMES[n // 8]}son", dob=born)
    ana["ids"] = [{"type": "PASSPORT", "value": f"G{n:08d}", "issuer": "MX"}]
    facts = {"kind": "SEIZURE", "seized_usd": "90000", "declared_usd": "0"}
    return told(f"R{n}", "TXZZZ0001", "BCSC", persons=[ana], facts=facts)


NAMES = ("Olga", "Bruno", "Chidi", "Dario", "Erik", "Farah", "Gita", "Hector")


def test_the_loop_works_off_what_is_due_and_stops(office: Office) -> None:
    Projector(office.db, lambda: None).handle([office.world.put(courier())])
    heard: list[Any] = []
    stop = threading.Event()
    evaluator = Evaluator(office.db, clock=lambda: NOW, heard=lambda c: (heard.append(c), stop.set()))  # type: ignore[func-returns-value]
    evaluator.run(stop)
    assert [len(c.fired) for c in heard] == [1]
