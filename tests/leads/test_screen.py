"""What is passed over without a look is never what a rule would have fired for."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from services.leads.compose import lead_of
from services.leads.rules import RULES
from services.leads.screen import NEEDS, Summary, is_suspect, worth_a_look
from services.leads.view import View
from shared.contracts.report import Report
from tests.leads.rule_world import view_of
from tests.leads.test_rules import ring


def summary_of(view: View) -> Summary:
    """The view summed up as the database does it."""
    predicated = {
        r.report_id: bool(r.predicate and r.predicate.basis != "TIP_UNVETTED") for r in view.reports
    }
    return Summary(
        view.subject.kind,
        frozenset(r.feed for r in view.reports),
        frozenset(r.originator.agency_id for r in view.reports),
        frozenset(str(r.facts.kind) for r in view.reports),
        any(is_suspect(role, predicated=known) for r, known in predicated.items() for role in view.roles(r)),
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.number)
def test_every_rule_says_what_it_needs(rule: object) -> None:
    assert rule.number in NEEDS  # type: ignore[attr-defined]


@pytest.mark.parametrize("subject", ["ana_lopez", "ivan_petrov", "car", "phone"])
@given(reports=st.lists(st.sampled_from(ring()), unique_by=lambda r: r.report_id, min_size=1))
def test_whoever_has_a_lead_was_worth_a_look(subject: str, reports: list[Report]) -> None:
    if not any(m.local_id == subject for r in reports for m in r.mentions()):
        return
    view = view_of(subject, reports)
    if lead_of(view) is not None:
        assert worth_a_look(summary_of(view))
