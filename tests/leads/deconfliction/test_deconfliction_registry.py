"""The registry as two agencies use it: hits, silence, notices, escalation, and what a thief would find."""

from datetime import timedelta

import pytest

from services.leads.deconfliction.desk import NotHere
from services.leads.deconfliction.rotation import rotate
from services.leads.deconfliction.states import Outcome
from shared.contracts.handling import Clearance
from tests.leads.deconfliction.house import PHONE, A, B, C, House, dump


def test_the_second_asker_is_told_at_once_and_the_first_by_notice(house: House) -> None:
    assert house.target(A, "a1", **PHONE).status == "CLEAR"
    answer = house.target(B, "b1", identifiers=[{"type": "PHONE", "value": "+19155550142"}])
    assert (answer.status, answer.class_, answer.contacts[0].agency) == ("HIT", "EXACT", A)
    for agency, other, own in ((A, B, "PHONE (915) 555-0142"), (B, A, "PHONE +19155550142")):
        (notice,) = house.inbox(agency)
        assert (notice["other"]["agency"], notice["identifier"], notice["level"]) == (other, own, "SIDE")


def test_a_silent_target_tells_its_owner_alone(house: House) -> None:
    house.target(C, "c1", share="RED", **PHONE)
    asked = house.target(B, "b1", **PHONE)
    clear = house.target(B, "b2", identifiers=[{"type": "PHONE", "value": "+19155550199"}])
    assert (asked.status, asked.class_, asked.contacts) == (clear.status, clear.class_, clear.contacts)
    assert house.inbox(B) == []
    (notice,) = house.inbox(C)
    assert notice["other"]["agency"] == B
    status = house.desk.status(B, asked.number)
    assert (status["state"], status["conflicts"]) == ("CLEAR", [])
    with pytest.raises(NotHere):
        house.desk.conflict(B, notice["conflict_id"])


def test_events_collide_by_place_and_time(house: House) -> None:
    assert house.event(A, "a1").status == "CLEAR"
    answer = house.event(
        B, "b1", lat=31.7615, starts_at="2026-03-04T14:30:00Z", ends_at="2026-03-04T15:00:00Z"
    )
    assert (answer.status, answer.class_) == ("HIT", "EVENT")
    assert house.event(C, "c1", lat=31.80).status == "CLEAR"
    assert house.inbox(A)[0]["urgency"] == "IMMEDIATE"


def test_silence_escalates_and_answers_stop_it(house: House) -> None:
    house.event(A, "a1")
    house.event(B, "b1")
    (mine,) = house.inbox(A)
    house.desk.acknowledge(A, mine["notice_id"], "SYN OFFICER")
    house.clock.now += timedelta(minutes=11)
    assert [n["level"] for n in house.inbox(B)] == ["SIDE", "LOCAL"]
    assert [n["level"] for n in house.inbox(A)] == ["SIDE"]
    house.clock.now += timedelta(minutes=11)
    assert [n["level"] for n in house.inbox(B)] == ["SIDE", "LOCAL", "HQ"]
    house.desk.resolve(B, mine["conflict_id"], Outcome.RESCHEDULED)
    house.clock.now += timedelta(hours=1)
    assert len(house.inbox(B)) == 3
    assert house.desk.conflict(A, mine["conflict_id"])["outcome"] == "RESCHEDULED"


def test_a_false_match_stays_silent_on_the_same_evidence(house: House) -> None:
    house.target(A, "a1", **PHONE)
    house.target(B, "b1", **PHONE)
    (notice,) = house.inbox(A)
    house.desk.resolve(A, notice["conflict_id"], Outcome.FALSE_MATCH)
    house.matcher.recheck()
    assert len(house.inbox(A)) == 1
    house.clock.now += timedelta(days=1)
    other = {"type": "PHONE", "value": "+19155550177"}
    house.target(A, "a1", identifiers=[*PHONE["identifiers"], other])
    house.target(B, "b1", identifiers=[*PHONE["identifiers"], other])
    assert len(house.inbox(A)) == 2, "new evidence fires again"


def test_a_key_rotation_loses_no_match_and_leaves_nothing_under_the_old_key(house: House) -> None:
    house.target(A, "a1", **PHONE)
    house.target(B, "b1", **PHONE)
    (notice,) = house.inbox(A)
    house.desk.resolve(A, notice["conflict_id"], Outcome.FALSE_MATCH)
    seen: list[str] = []

    def settle() -> None:
        seen.append(house.target(C, f"c{len(seen)}", **PHONE).status)

    before = house.registry.keys.ring().current.number
    assert [done for done, _ in rotate(house.registry, settle)] == [3]
    house.matcher.recheck()
    assert seen == ["HIT", "HIT"]
    assert [k.number for k in house.registry.keys.ring().keys] == [before + 1]
    assert {n["other"]["agency"] for n in house.inbox(A)} == {B, C}
    assert house.target(A, "a1", **PHONE).number == notice["number"]
    assert len([n for n in house.inbox(A) if n["other"]["agency"] == B]) == 1


def test_a_possible_match_waits_for_the_watch_officer(house: House) -> None:
    house.target(A, "a1", names=[{"full_name": "Jon Smyth", "birth": "1988"}])
    answer = house.target(B, "b1", names=[{"full_name": "John Smith", "birth": "1989-05-05"}])
    assert answer.status == "CLEAR"
    assert house.inbox(A) == []
    ((_, case),) = house.desk.queue((0, ""), 10)
    house.desk.confirm(case["conflict_id"])
    assert [n["class"] for n in house.inbox(A) + house.inbox(B)] == ["POSSIBLE", "POSSIBLE"]


def test_matches_within_one_agency_go_to_its_supervisor(house: House) -> None:
    house.target(A, "a1", **PHONE)
    assert house.target(A, "a2", unit="NARC 2", **PHONE).status == "CLEAR"
    (notice,) = house.inbox(A)
    assert notice["level"] == "SUPERVISOR"
    assert house.desk.inbox(Clearance(A), (0, ""), 10, supervisor=False) == []


def test_withdrawing_closes_the_conflict_and_coming_back_opens_it(house: House) -> None:
    house.target(A, "a1", **PHONE)
    answer = house.target(B, "b1", **PHONE)
    (notice,) = house.inbox(A)
    house.desk.withdraw(B, answer.number)
    assert house.desk.conflict(A, notice["conflict_id"])["state"] == "WITHDRAWN"
    assert house.target(C, "c1", **PHONE).contacts[0].agency == A
    house.clock.now += timedelta(minutes=1)
    assert house.target(B, "b1", **PHONE).number == answer.number
    assert len([n for n in house.inbox(A) if n["other"]["agency"] == B]) == 2


def test_the_same_reference_again_is_the_same_submission(house: House) -> None:
    first = house.target(A, "a1", **PHONE)
    assert house.target(A, "a1", **PHONE).number == first.number


def test_a_thief_of_the_tables_learns_no_name_number_or_contact(house: House) -> None:
    house.target(
        A, "REFERENCE-77", names=[{"full_name": "Jose Garcia Lopez", "birth": "1988-01-01"}], **PHONE
    )
    house.target(B, "b1", **PHONE)
    house.event(B, "b2", addresses=["12 Invented St Apt 4, El Paso, TX 79901"])
    house.inbox(A)
    dumped = dump(house.registry.db)
    for secret in ("5550142", "555-0142", "Garcia", "garcia", "1988-01-01", "REFERENCE-77", "LABEL", "SYN ",
                   "Invented", "invented", "31.76", "5550101", "NARC"):  # fmt: skip
        assert secret.encode() not in dumped, secret
