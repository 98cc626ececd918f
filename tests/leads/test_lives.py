"""Leads with people: review, release, conflicts that block and suspend, nothing for who sees less."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.leads.lead_schemas import HistoryList, LeadDetail, LifeModel
from shared.database import Database
from tests.leads.life_world import ANALYST, REVIEWER, Bureau
from tests.leads.test_leads_api import courier

TX, CA, NM, AZ = "TXZZZ0001", "CAZZZ0001", "NMZZZ0004", "AZZZZ0003"
PASSPORT = {"type": "PASSPORT", "value": "G00000000", "issuer": "MX"}
REV = (NM, REVIEWER, "rev")


@pytest.fixture
def bureau(db: Database, tmp_path: Path) -> Bureau:
    """One courier, known to two agencies in two feeds; another that one agency knows."""
    made = Bureau(db, home=tmp_path)
    made.take(
        courier(0, days=0.4),
        courier(0, "5", CA, no="X", feed="EPIC", days=0.5),
        courier(1, agency=CA, days=3),
    )
    return made


@pytest.fixture
def lead(bureau: Bureau) -> str:
    """The lead about the courier whom two agencies know."""
    (found,) = bureau.listed(NM, rule="L01")
    return found


def advance(bureau: Bureau, lead: str, *states: str) -> None:
    """Take the lead through these states."""
    for to in states:
        who = (NM, ANALYST, "bob") if to in {"REVIEW", "ASSIGNED"} else REV
        answer = bureau.move(lead, to, *who)
        assert answer.status_code == 200, answer.text
        bureau.settle()


def test_a_lead_goes_through_its_life_and_its_history_tells(bureau: Bureau, lead: str) -> None:
    advance(bureau, lead, "REVIEW", "DECONFLICTING", "RELEASED", "ASSIGNED")
    shown = bureau.lead(lead, CA)
    LeadDetail.model_validate(shown)
    assert (shown["state"], shown["reviewer"]) == ("ASSIGNED", f"rev, {NM}")
    assert shown["claimed_by"]["person"] == "bob"
    assert shown["deconfliction"]["status"] == "CLEAR"
    done = bureau.move(lead, "ACTIONED", NM, ANALYST, "bob")
    LifeModel.model_validate(done.json())
    history = bureau.ask("GET", f"/v1/leads/{lead}/history", (TX,)).json()
    HistoryList.model_validate(history)
    assert [h["step"] for h in history["items"]] == [
        "REVIEW",
        "DECONFLICTING",
        "RELEASED",
        "ASSIGNED",
        "ACTIONED",
    ]
    assert history["items"][1]["by"] == {"agency": NM, "person": "rev"}


def test_the_list_is_cut_by_state(bureau: Bureau, lead: str) -> None:
    everything = bureau.listed(NM)
    advance(bureau, lead, "REVIEW", "DECONFLICTING", "RELEASED")
    assert bureau.listed(NM, state="RELEASED") == [lead]
    assert bureau.listed(NM, state="REVIEW") == []
    assert sorted(bureau.listed(NM, state=["RELEASED", "CANDIDATE"])) == sorted(everything)
    assert bureau.listed(NM, state="CANDIDATE") == [x for x in everything if x != lead]
    assert bureau.listed(NM, state="CANDIDATE", limit=1) == [x for x in everything if x != lead][:1]


def test_without_the_evidence_there_is_no_release(bureau: Bureau, lead: str) -> None:
    (other,) = (x for x in bureau.listed(NM) if x != lead)
    advance(bureau, other, "REVIEW", "DECONFLICTING")
    blocked = bureau.move(other, "RELEASED", *REV)
    assert blocked.status_code == 409
    assert blocked.json()["errors"][0]["pointer"] == "/release"


def test_a_conflict_blocks_the_release_until_it_is_settled(bureau: Bureau, lead: str) -> None:
    bureau.target(AZ, "az1", PASSPORT)
    advance(bureau, lead, "REVIEW", "DECONFLICTING")
    blocked = bureau.move(lead, "RELEASED", *REV)
    assert blocked.status_code == 409
    assert AZ in blocked.json()["errors"][0]["message"]
    assert "LABEL" not in blocked.text
    shown = bureau.lead(lead, NM)["deconfliction"]
    assert shown["status"] == "CONFLICT"
    assert shown["contacts"][0]["agency"] == AZ
    for notice in bureau.ask("GET", "/v1/notices", (AZ,)).json()["items"]:
        path = f"/v1/conflicts/{notice['conflict_id']}/resolve"
        assert bureau.ask("POST", path, (AZ,), {"outcome": "PROCEED_SEPARATELY"}).status_code == 200
    advance(bureau, lead, "RELEASED")
    assert bureau.lead(lead, NM)["deconfliction"]["status"] == "RESOLVED"


@pytest.mark.parametrize("state", ["RELEASED", "ASSIGNED"])
def test_a_later_conflict_suspends_and_tells_the_holders(bureau: Bureau, lead: str, state: str) -> None:
    advance(
        bureau, lead, "REVIEW", "DECONFLICTING", "RELEASED", *(["ASSIGNED"] if state == "ASSIGNED" else [])
    )
    bureau.now += timedelta(days=1)
    assert bureau.target(AZ, "az1", PASSPORT)["status"] == "HIT"
    bureau.settle()
    shown = bureau.lead(lead, NM)
    assert (shown["state"], shown["deconfliction"]["status"]) == ("SUSPENDED", "CONFLICT")
    (told,) = bureau.ask("GET", "/v1/notices", (NM,)).json()["items"]
    assert (told["lead_id"], told["state"], told["level"]) == (lead, "SUSPENDED", "HOLDER")
    (owner,) = bureau.ask("GET", "/v1/notices", (TX,)).json()["items"]
    assert owner["other"]["agency"] == AZ
    assert lead not in str(owner)
    last = bureau.ask("GET", f"/v1/leads/{lead}/history", (NM,)).json()["items"][-1]
    assert (last["step"], last["by"]) == ("SUSPENDED", None)
    assert bureau.move(lead, "RELEASED", *REV).status_code == 409


def test_a_silent_target_neither_blocks_nor_suspends(bureau: Bureau, lead: str) -> None:
    bureau.target(AZ, "az1", PASSPORT, share="RED")
    advance(bureau, lead, "REVIEW", "DECONFLICTING", "RELEASED")
    shown = bureau.lead(lead, NM)
    assert (shown["state"], shown["deconfliction"]["status"]) == ("RELEASED", "CLEAR")
    assert {n["other"]["agency"] for n in bureau.ask("GET", "/v1/notices", (AZ,)).json()["items"]} == {TX, CA}


def test_of_two_who_claim_the_second_learns_who_has_it(bureau: Bureau, lead: str) -> None:
    claim = f"/v1/leads/{lead}/claim"
    assert bureau.ask("POST", claim, (NM, ANALYST, "ana")).json()["claimed_by"]["person"] == "ana"
    second = bureau.ask("POST", claim, (NM, ANALYST, "bob"))
    assert second.status_code == 409
    assert f"ana of {NM}" in second.json()["detail"]


def test_a_lead_that_is_done_leaves_the_registry(bureau: Bureau, lead: str) -> None:
    advance(bureau, lead, "REVIEW", "DECONFLICTING", "RELEASED", "ASSIGNED")
    assert bureau.move(lead, "NO_VALUE", NM, ANALYST, "bob").status_code == 200
    assert bureau.target(AZ, "az1", PASSPORT)["status"] == "CLEAR"


def seen_by(bureau: Bureau, lead: str, agency: str) -> list[Any]:
    """Everything that an agency can read of a lead's life."""
    paths = [f"/v1/leads/{lead}", f"/v1/leads/{lead}/history", "/v1/leads", "/v1/leads?state=CANDIDATE"]
    paths += ["/v1/leads?state=RELEASED&state=REVIEW", "/v1/notices"]
    return [bureau.ask("GET", p, (agency, "analyst,supervisor")).text for p in paths]


def test_who_may_not_see_what_a_step_rests_on_learns_nothing_of_it(bureau: Bureau, lead: str) -> None:
    hidden = courier(0, "77000", TX, no="H", feed="OFC", days=1, handling={"share": "RED"})
    bureau.ask("GET", "/v1/leads", (TX,))
    bureau.take(hidden)
    before = seen_by(bureau, lead, AZ)
    bureau.move(lead, "REVIEW", TX, ANALYST, "ana")
    bureau.move(lead, "DECONFLICTING", TX, REVIEWER, "rev")
    bureau.settle()
    released = bureau.move(lead, "RELEASED", TX, REVIEWER, "rev")
    assert released.json()["state"] == "RELEASED"
    assert bureau.lead(lead, TX, ANALYST, "bob")["state"] == "RELEASED"
    assert seen_by(bureau, lead, AZ) == before
    assert bureau.target(AZ, "az1", PASSPORT)["status"] == "CLEAR", "the lead's submission is silent"
    bureau.settle()
    assert bureau.lead(lead, TX)["state"] == "SUSPENDED"
    assert seen_by(bureau, lead, NM)[:5] == before[:5]
    assert bureau.move(lead, "REVIEW", NM, ANALYST, "zoe").json()["state"] == "REVIEW"


def test_a_lead_that_is_not_there_has_no_life(bureau: Bureau) -> None:
    nowhere = "00000000-0000-4000-8000-000000000000"
    assert bureau.move(nowhere, "REVIEW", NM).status_code == 404
    assert bureau.ask("GET", f"/v1/leads/{nowhere}/history", (NM,)).status_code == 404
