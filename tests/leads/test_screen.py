"""What is passed over without a look is never what a rule would have fired for."""

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from services.leads.compose import lead_of
from services.leads.rules import RULES
from services.leads.screen import NEEDS, UNKNOWN, clues_of_mention, clues_of_report, joined, suggests
from shared.contracts.report import Report
from tests.leads.rule_world import told, view_of
from tests.leads.test_rules import ring


def clues_of(subject: str, reports: list[Report]) -> str:
    """The clues of a subject of these reports, as the projection keeps them."""
    known = ""
    for r in reports:
        given_by = clues_of_report(orjson.loads(r.to_json()))
        places = {x.local_id for x in r.locations if not x.address}
        for m in r.mentions():
            if m.local_id == subject:
                nowhere = m.local_id in places
                known = joined(known, clues_of_mention(given_by, str(m.role), nowhere=nowhere))
    return known


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.number)
def test_every_rule_says_what_it_needs(rule: object) -> None:
    assert rule.number in NEEDS  # type: ignore[attr-defined]


@pytest.mark.parametrize("subject", ["ana_lopez", "ivan_petrov", "car", "phone"])
@given(
    reports=st.lists(st.sampled_from(ring()), unique_by=lambda r: r.report_id, min_size=1),
    cut=st.integers(0, 10),
)
def test_whoever_has_a_lead_was_worth_a_look(subject: str, reports: list[Report], cut: int) -> None:
    """However its reports are spread over the profiles of its component."""
    if not any(m.local_id == subject for r in reports for m in r.mentions()):
        return
    view = view_of(subject, reports)
    parts = [clues_of(subject, reports[:cut]), clues_of(subject, reports[cut:])]
    if lead_of(view) is not None:
        assert suggests(view.subject.kind, parts)


def test_a_profile_from_before_clues_were_kept_is_always_looked_at() -> None:
    assert suggests("PHONE", [UNKNOWN])
    assert joined(UNKNOWN, frozenset({"suspect"})) == UNKNOWN


def test_an_unvetted_tip_and_a_bystander_suggest_nothing() -> None:
    tip = told("T", predicate={**orjson.loads(told("X").predicate.to_json()), "basis": "TIP_UNVETTED"})  # type: ignore[union-attr]
    assert not clues_of_report(orjson.loads(tip.to_json()))
    seen = clues_of_report(orjson.loads(told("A", facts={"seized_usd": "20000"}).to_json()))
    assert "suspect" in clues_of_mention(seen, "DRIVER")
    assert "suspect" not in clues_of_mention(seen, "INSTITUTION")
    assert not clues_of_mention(seen, "VICTIM")


def test_of_many_agencies_two_are_kept() -> None:
    known = ""
    for n in range(5):
        known = joined(known, frozenset({f"agency:TXZZZ000{n}"}))
    assert known == "agency:TXZZZ0000 agency:TXZZZ0001"
