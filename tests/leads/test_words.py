"""What people say of leads, and that nobody decides on what has changed since he read it."""

from pathlib import Path

import httpx
import pytest

from services.leads.lead_schemas import CommentList, CommentModel, FeedbackModel, LeadDetail, LifeModel
from services.leads.lives import FEW
from shared.database import Database
from tests.leads.life_world import ANALYST, REVIEWER, Bureau
from tests.leads.test_leads_api import courier

TX, CA, NM, AZ = "TXZZZ0001", "CAZZZ0001", "NMZZZ0004", "AZZZZ0003"
ANA, BOB = (NM, ANALYST, "ana"), (NM, ANALYST, "bob")


@pytest.fixture
def bureau(db: Database, tmp_path: Path) -> Bureau:
    """Couriers of whom two agencies know in two feeds each."""
    made = Bureau(db, home=tmp_path)
    made.take(*(courier(n, days=0.4, no=f"A{n}") for n in range(FEW)))
    made.take(*(courier(n, "5", CA, no=f"X{n}", feed="EPIC", days=0.5) for n in range(FEW)))
    return made


@pytest.fixture
def lead(bureau: Bureau) -> str:
    """One of the leads."""
    return bureau.listed(NM, rule="L01")[0]


def step(bureau: Bureau, lead: str, if_match: str | None, to: str = "REVIEW") -> httpx.Response:
    """A transition with this ``If-Match``."""
    body = {"to": to, "reason": "why"}
    return bureau.ask("POST", f"/v1/leads/{lead}/transitions", ANA, body, if_match)


def test_a_transition_says_which_version_it_means(bureau: Bureau, lead: str) -> None:
    missing = step(bureau, lead, None)
    assert (missing.status_code, missing.json()["type"]) == (428, "/problems/if-match-required")
    tag = bureau.ask("GET", f"/v1/leads/{lead}", ANA).headers["ETag"]
    assert bureau.ask("POST", f"/v1/leads/{lead}/claim", BOB).status_code == 200
    stale = step(bureau, lead, tag)
    assert (stale.status_code, stale.json()["type"]) == (412, "/problems/stale")
    claim = bureau.ask("POST", f"/v1/leads/{lead}/claim", BOB, None, tag)
    assert claim.status_code == 412
    assert bureau.lead(lead, *ANA)["state"] == "CANDIDATE"


def test_the_answer_to_a_step_has_the_version_for_the_next(bureau: Bureau, lead: str) -> None:
    first = step(bureau, lead, "*")
    LifeModel.model_validate(first.json())
    assert first.headers["ETag"] == bureau.ask("GET", f"/v1/leads/{lead}", ANA).headers["ETag"]
    assert step(bureau, lead, f'"other", {first.headers["ETag"]}', "SUSPENDED").status_code == 403


def test_comments_are_read_by_others_and_change_nothing(bureau: Bureau, lead: str) -> None:
    path, before = f"/v1/leads/{lead}/comments", bureau.lead(lead, AZ)
    said = bureau.ask("POST", path, ANA, {"text": "Same driver as in March."})
    assert said.status_code == 201
    CommentModel.model_validate(said.json())
    bureau.ask("POST", path, (AZ, ANALYST, "zoe"), {"text": "Ours too."})
    read = bureau.ask("GET", path, (CA,)).json()
    CommentList.model_validate(read)
    assert [(c["by"]["person"], c["text"]) for c in read["items"]] == [
        ("ana", "Same driver as in March."),
        ("zoe", "Ours too."),
    ]
    assert bureau.lead(lead, AZ) == before
    assert bureau.ask("GET", f"/v1/leads/{lead}/history", ANA).json()["items"] == []
    assert bureau.ask("POST", path, (NM, "submitter", "s"), {"text": "x"}).status_code == 403
    assert bureau.ask("POST", path, ANA, {"text": ""}).status_code == 422


@pytest.mark.parametrize(
    ("call", "body", "other"),
    [
        ("comments", {"text": "Once."}, {"text": "Twice."}),
        (
            "feedback",
            {"outcome": "ACTIONED", "note": "Two arrests."},
            {"outcome": "REFUTED", "note": "Two arrests."},
        ),
    ],
)
def test_a_repeat_under_one_key_is_recognised(
    bureau: Bureau, lead: str, call: str, body: dict[str, str], other: dict[str, str]
) -> None:
    path, key = f"/v1/leads/{lead}/{call}", {"Idempotency-Key": "k1"}
    first, again = (bureau.ask("POST", path, ANA, body, headers=key) for _ in range(2))
    assert first.json() == again.json()
    assert bureau.ask("POST", path, ANA, other, headers=key).status_code == 409
    assert bureau.ask("POST", path, BOB, body, headers=key).json()["by"]["person"] == "bob"
    found = bureau.lead(lead, *ANA)["feedback"] if call == "feedback" else None
    assert found is None or [f["by"]["person"] for f in found] == ["ana", "bob"]


def test_feedback_stands_in_the_lead_and_makes_the_precision_of_its_rules(bureau: Bureau) -> None:
    def precision() -> float | None:
        rules = bureau.ask("GET", "/v1/rules", ANA).json()["items"]
        return next(r["precision"] for r in rules if r["rule"] == "L01")

    leads = bureau.listed(NM, rule="L01")
    assert precision() is None
    for n, lead in enumerate(leads):
        body = {"outcome": "REFUTED" if n == 0 else "ACTIONED", "note": "so it went"}
        said = bureau.ask("POST", f"/v1/leads/{lead}/feedback", ANA, body)
        FeedbackModel.model_validate(said.json())
        assert (precision() is None) is (n + 1 < FEW), "few outcomes are not told"
    assert precision() == 0.8
    shown = bureau.lead(leads[0], TX)
    LeadDetail.model_validate(shown)
    assert [(f["outcome"], f["by"]["agency"]) for f in shown["feedback"]] == [("REFUTED", NM)]
    assert shown["state"] == "CANDIDATE"


def test_the_outcome_of_an_assignment_counts_for_precision(bureau: Bureau) -> None:
    for lead in bureau.listed(NM, rule="L01"):
        for to, who in (
            ("REVIEW", ANA), ("DECONFLICTING", (NM, REVIEWER, "rev")), ("RELEASED", (NM, REVIEWER, "rev")),
            ("ASSIGNED", ANA), ("NO_VALUE", ANA),
        ):  # fmt: skip
            assert bureau.move(lead, to, *who).status_code == 200
    rules = bureau.ask("GET", "/v1/rules", ANA).json()["items"]
    assert {r["precision"] for r in rules if r["rule"] == "L01"} == {0.0}


def test_what_rests_on_hidden_evidence_is_said_among_those_who_see_it(bureau: Bureau, lead: str) -> None:
    paths = [f"/v1/leads/{lead}", f"/v1/leads/{lead}/comments", "/v1/rules"]
    hidden = [
        courier(n, "77000", TX, no=f"H{n}", feed="OFC", days=1, handling={"share": "RED"}) for n in range(FEW)
    ]
    for agency in (TX, AZ):
        bureau.ask("GET", "/v1/leads", (agency,))
    bureau.take(*hidden)
    before = [bureau.ask("GET", p, (AZ,)).text for p in paths]
    for each in bureau.listed(TX, rule="L01"):
        bureau.ask("POST", f"/v1/leads/{each}/comments", (TX,), {"text": "SECRET"})
        bureau.ask("POST", f"/v1/leads/{each}/feedback", (TX,), {"outcome": "ACTIONED", "note": "SECRET"})
    assert [bureau.ask("GET", p, (AZ,)).text for p in paths] == before
    assert "SECRET" in bureau.ask("GET", paths[1], (TX, ANALYST, "bob")).text
