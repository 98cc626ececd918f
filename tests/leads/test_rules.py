"""What must hold of every rule: it is explained, order and repetition change nothing, tips never count."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from services.leads.compose import lead_of
from services.leads.rules import RULES
from services.leads.scoring import CAPS
from shared.contracts.report import Report
from tests.leads.rule_world import PREDICATE, car, found, person, phone, told, view_of

SEIZED = {"kind": "SEIZURE", "conveyance": "car", "driver": "ana_lopez"}
COCAINE = {"local_id": "x1", "code": "9041", "quantity": "6", "unit": "KG"}


def ring() -> list[Report]:
    """Reports on which every rule fires for somebody."""
    return [
        told(
            "1",
            "TXZZZ0001",
            "EPIC",
            days=30,
            persons=[person("ana_lopez")],
            vehicles=[car()],
            phones=[phone()],
            drugs=[COCAINE],
            facts=SEIZED,
        ),
        told(
            "2",
            "CAZZZ0001",
            "BCSC",
            days=10,
            persons=[person("ivan_petrov", "COURIER"), person("ana_lopez", "ASSOCIATE")],
            vehicles=[car()],
            phones=[phone()],
            facts={
                "kind": "SEIZURE",
                "conveyance": "car",
                "driver": "ivan_petrov",
                "seized_usd": "90000",
                "declared_usd": "0",
            },
        ),
        told("3", "DCZZZ0001", "SOD", days=5, persons=[person("ana_lopez", "SUBJECT")], phones=[phone()]),
        told("4", "DCZZZ0001", "OFC", days=4, phones=[phone()], facts={"kind": "TRANSACTIONS"}),
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.number)
def test_every_rule_is_explained_to_users(rule: object) -> None:
    assert len(rule.text) > 80  # type: ignore[attr-defined]
    assert rule.text.startswith(rule.title)  # type: ignore[attr-defined]
    assert rule.family in CAPS  # type: ignore[attr-defined]


def test_rules_have_distinct_numbers_in_order() -> None:
    numbers = [rule.number for rule in RULES]
    assert numbers == sorted(set(numbers))


def test_every_rule_fires_for_somebody_in_the_ring() -> None:
    fired = {
        rule for subject in ("ana_lopez", "ivan_petrov", "car", "phone") for rule in found(subject, ring())
    }
    assert fired == {rule.number for rule in RULES}


@settings(max_examples=40, deadline=None)
@given(st.permutations(ring()), st.sampled_from(["ana_lopez", "ivan_petrov", "car", "phone"]))
def test_the_order_of_reports_changes_nothing(reports: list[Report], subject: str) -> None:
    assert lead_of(view_of(subject, reports)) == lead_of(view_of(subject, ring()))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(ring()), max_size=6),
    st.sampled_from(["ana_lopez", "ivan_petrov", "car", "phone"]),
)
def test_a_report_that_comes_twice_changes_nothing(again: list[Report], subject: str) -> None:
    assert found(subject, [*ring(), *again]) == found(subject, ring())


def test_of_two_versions_only_the_newest_counts() -> None:
    old, rest = ring()[1], [ring()[0], *ring()[2:]]
    mended = old.model_copy(
        update={"version": 2, "facts": old.facts.model_copy(update={"declared_usd": old.facts.seized_usd})}
    )
    assert "L11" in found("ivan_petrov", [old, *rest])
    assert "L11" not in found("ivan_petrov", [old, mended, *rest])


@pytest.mark.parametrize("subject", ["ana_lopez", "ivan_petrov", "car", "phone"])
def test_unvetted_tips_never_count(subject: str) -> None:
    tips = [
        r.model_copy(update={"predicate": r.predicate.model_copy(update={"basis": "TIP_UNVETTED"})})
        for r in ring()
        if r.predicate
    ]
    assert found(subject, tips) == {}


@pytest.mark.parametrize("subject", ["ana_lopez", "ivan_petrov", "car", "phone"])
def test_observations_alone_make_no_lead(subject: str) -> None:
    observed = [r.model_copy(update={"predicate": None}) for r in ring()]
    assert lead_of(view_of(subject, observed)) is None


@pytest.mark.parametrize("role", ["VICTIM", "WITNESS", "THIRD_PARTY", "INSTITUTION", "REQUESTER", "AGENCY"])
def test_bystanders_are_never_a_subject(role: str) -> None:
    reports = [
        told("1", "TXZZZ0001", "EPIC", persons=[person("ana_lopez", role)]),
        told("2", "CAZZZ0001", "BCSC", persons=[person("ana_lopez", role)]),
    ]
    assert lead_of(view_of("ana_lopez", reports)) is None


@pytest.mark.parametrize("marked", [{"juvenile": True}, {"ncii": True}, {"dob": "2009-06-01"}])
def test_juveniles_and_non_criminal_information_are_never_a_subject(marked: dict[str, object]) -> None:
    def reports(**given: object) -> list[Report]:
        return [
            told("1", "TXZZZ0001", "EPIC", persons=[person("ana_lopez", **given)]),
            told("2", "CAZZZ0001", "BCSC", persons=[person("ana_lopez", **given)]),
        ]

    assert lead_of(view_of("ana_lopez", reports())) is not None
    assert lead_of(view_of("ana_lopez", reports(**marked))) is None


@pytest.mark.parametrize(
    "withdrawn",
    [
        {"action": "RETRACT"},
        {"retention": {"class": "CI", "review_by": "2026-01-01", "retain_until": "2026-02-01"}},
        {"legal_basis": {"kind": "TITLE_III", "reference": "order", "expires": "2026-02-01T00:00:00Z"}},
    ],
    ids=["retracted", "past retention", "order expired"],
)
def test_what_may_no_longer_be_seen_does_not_count(withdrawn: dict[str, object]) -> None:
    first = told("1", "TXZZZ0001", "EPIC", persons=[person("ana_lopez")])
    second = told("2", "CAZZZ0001", "BCSC", persons=[person("ana_lopez")])
    gone = told("2", "CAZZZ0001", "BCSC", persons=[person("ana_lopez")], **withdrawn)
    assert "L01" in found("ana_lopez", [first, second])
    assert found("ana_lopez", [first, gone]) == {}


def test_texts_follow_the_one_pattern() -> None:
    text = found("ivan_petrov", ring())["L11"].text
    assert text == (
        "Ivan Petrov appears in 1 report from BCSC (CAZZZ0001), 2026-02-19; Undeclared cash: $90,000 seized, "
        "$0 declared, $90,000 undeclared against $10,000 (31 USC 5316, 31 CFR 1010.340)."
    )


def test_the_predicate_of_the_fixture_is_one() -> None:
    assert PREDICATE["basis"] == "PROBABLE_CAUSE"
