"""The rules of the common envelope: each broken one is named by its field."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.feeds import rules
from shared.contracts.handling import audience_of
from tests.ingest.feed_examples import NOW, changed, example, pointers, problems, report

SEIZURE = "BCSC.SEIZURE"


@pytest.mark.parametrize(
    ("pointer", "value", "blamed"),
    [
        ("/schema", "BCSC.SEIZURES/1", "/schema"),
        ("/source_report_no", ..., "/source_report_no"),
        ("/source_report_no", "x" * 121, "/source_report_no"),
        ("/action", "DELETE", "/action"),
        ("/version", 0, "/version"),
        ("/event_start", "2026-03-04T21:10:00", "/event_start"),
        ("/event_start", "9999-12-31T23:59:59-14:00", "/event_start"),
        ("/event_start", "0001-01-01T00:00:00+14:00", "/event_start"),
        ("/event_end", "2026-03-04T21:09:59-07:00", "/event_end"),
        ("/originator/agency_id", "TX1", "/originator/agency_id"),
        ("/originator/phone", "915-555-0142", "/originator/phone"),
        ("/originator/contact_name", ..., "/originator/contact_name"),
        ("/case_no", "", "/case_no"),
        ("/predicate/basis", "HUNCH", "/predicate/basis"),
        ("/predicate/activity", "LOITERING", "/predicate/activity"),
        ("/predicate/offence", "MONEY_LAUNDRY", "/predicate/offence"),
        ("/predicate/facts", "Too short.", "/predicate/facts"),
        ("/predicate/facts", ..., "/predicate/facts"),
        ("/legal_basis/kind", "BECAUSE", "/legal_basis/kind"),
        ("/evaluation/reliability", "G", "/evaluation/reliability"),
        ("/evaluation/credibility", "7", "/evaluation/credibility"),
        ("/handling/tlp", "WHITE", "/handling/tlp"),
        ("/handling/share", "BLUE", "/handling/share"),
        ("/handling/cui", "CUI//LEX", "/handling/cui"),
        ("/handling/cui", "SECRET", "/handling/cui"),
        ("/handling/caveats", ["NOSY"], "/handling/caveats/0"),
        ("/handling/release_to", ["everyone"], "/handling/release_to/0"),
        ("/handling/banner", "TOP SECRET", "/handling/banner"),
        ("/portions", [{"marking": "(S)", "text": "x"}], "/portions/0/marking"),
        ("/portions", [{"marking": "TS", "text": "x"}], "/portions/0/marking"),
        ("/retention/retain_until", "2031-06-02", "/retention/retain_until"),
        ("/retention/review_by", "2031-03-04", "/retention/review_by"),
        ("/persons/0/religion", "x", "/persons/0/religion"),
        ("/persons/0/race", "x", "/persons/0/race"),
        ("/persons/0/dob", "1988-02-30", "/persons/0/dob"),
        ("/persons/0/dob", "2026-03-05", "/persons/0/dob"),
        ("/persons/0/local_id", "v1", "/vehicles/0/local_id"),
        ("/persons/0/local_id", "_p1", "/persons/0/local_id"),
        ("/vehicles/0/kind", "V99", "/vehicles/0/kind"),
        ("/relations", [{"from": "p1", "to": "v9", "type": "DRIVES"}], "/relations/0/to"),
        ("/relations", [{"from": "p9", "to": "v1", "type": "DRIVES"}], "/relations/0/from"),
        ("/relations", [{"from": "p1", "to": "p1", "type": "DRIVES"}], "/relations/0"),
        ("/relations", [{"from": "p1", "to": "v1", "type": "KNOWS"}], "/relations/0/type"),
        ("/drugs", [{"local_id": "d1", "code": "0000", "quantity": 1, "unit": "G"}], "/drugs/0/code"),
        ("/drugs", [{"local_id": "d1", "code": "9041", "quantity": 0, "unit": "G"}], "/drugs/0/quantity"),
        ("/currency_items", [{"local_id": "c1", "code": "XXQ", "amount": 1}], "/currency_items/0/code"),
        ("/organizations", [{"local_id": "o1"}], "/organizations/0/name"),
        ("/persons", [{"local_id": f"p{n}", "full_name": "SYN"} for n in range(2_001)], "/persons"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named_by_its_field(pointer: str, value: Any, blamed: str) -> None:
    assert blamed in pointers(changed(example(SEIZURE), pointer, value))


def test_a_reference_that_leads_nowhere_lists_what_there_is() -> None:
    found = problems(changed(example(SEIZURE), "/courier", "p7"))
    assert [(p["pointer"], p.get("allowed")) for p in found] == [("/courier", ["p1"])]


@pytest.mark.parametrize(
    ("dob", "accepted"),
    [
        ("2013-03-04", True), ("2013-03-05", False), ("2013", False), ("2012", True), ("2013-03", False),
        ("2015-01-01", False), ("1950", True), (None, True),
    ],
)  # fmt: skip
def test_a_subject_is_thirteen_at_the_event_or_refused(dob: str | None, accepted: bool) -> None:
    sent = changed(example(SEIZURE), "/persons/0", {"local_id": "p1", "full_name": "SYN CHILD", "dob": dob})
    assert pointers(sent) == ([] if accepted else ["/persons/0/role"])


def test_a_child_that_is_no_subject_is_marked_a_juvenile() -> None:
    child = {"local_id": "p1", "role": "PASSENGER", "full_name": "SYN CHILD", "dob": "2017-01-01"}
    made = report(changed(example(SEIZURE), "/persons/0", child))
    assert made.persons[0].juvenile
    adult = report(example(SEIZURE))
    assert not adult.persons[0].juvenile


@pytest.mark.parametrize(
    "text", ["SECRET//NOFORN", "see TOP SECRET//SI annex", "CONFIDENTIAL//REL TO USA", "SECRET\\/\\/X"]
)
def test_classified_content_is_refused_wherever_it_stands(text: str) -> None:
    raw = b'{"schema":"BCSC.SEIZURE/1","case_no":"' + text.encode() + b'"}'
    found = problems(raw, "BCSC")
    assert [p["pointer"] for p in found] == [""]
    assert "classified" in found[0]["message"]
    assert text not in str(found)


def test_unclassified_and_secretive_words_are_no_classification() -> None:
    sent = changed(example(SEIZURE), "/handling/cui", "UNCLASSIFIED")
    sent["portions"] = [
        {"marking": "CUI", "text": "a secret/hidden compartment"},
        {"marking": "U", "text": "x"},
    ]
    assert problems(sent) == []


def test_nul_characters_are_refused() -> None:
    raw = b'{"schema":"BCSC.SEIZURE/1","case_no":"a\\u0000b"}'
    assert "NUL" in problems(raw, "BCSC")[0]["message"]
    escaped = b'{"schema":"BCSC.SEIZURE/1","case_no":"a\\\\u0000b"}'
    assert not any("NUL" in p["message"] for p in problems(escaped, "BCSC"))


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.dates(date(2020, 1, 1), date(2045, 1, 1)),
    st.integers(0, 1_000).map(lambda days: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days)),
)  # fmt: skip
def test_nothing_is_stored_for_more_than_five_years_after_receipt(
    event: date, until: date, received: datetime
) -> None:
    sent = changed(example("EPIC.LPR"), "/event_start", f"{event}T12:00:00Z")
    sent["retention"] = {"class": "CI", "review_by": "2020-01-01", "retain_until": until.isoformat()}
    if not problems(sent, at=received):
        stored = report(sent, received).retention
        assert stored.retain_until <= rules.five_years_after(received.date())
        assert stored.retain_until <= until
        assert stored.review_by <= stored.retain_until


def test_five_years_after_a_leap_day_is_the_last_of_february() -> None:
    assert rules.five_years_after(date(2028, 2, 29)) == date(2033, 2, 28)
    assert rules.five_years_after(date(2026, 3, 4)) == date(2031, 3, 4)


@pytest.mark.parametrize(
    ("cui", "categories", "caveats", "unknown"),
    [
        ("CUI", set(), set(), ""),
        ("CUI//LEI", {"LEI"}, set(), ""),
        ("CUI//SP-FSEC/LCOMM//NOFORN", {"FSEC", "LCOMM"}, {"BSA", "LCOMM"}, ""),
        ("CUI//NOFORN", set(), set(), ""),
        ("CUI//LEI//REL TO USA, MEX", {"LEI"}, set(), ""),
        ("CUI//JURY/JUV/INF", {"JURY", "JUV", "INF"}, {"GRAND_JURY", "JUVENILE", "INFORMANT"}, ""),
        ("CUI//LEX", set(), set(), "LEX"),
        ("UNCLASSIFIED", set(), set(), ""),
    ],
)
def test_a_cui_banner_is_taken_apart(cui: str, categories: set[str], caveats: set[str], unknown: str) -> None:
    parts = rules.cui(cui)
    assert (set(parts.categories), set(parts.caveats), parts.unknown) == (categories, caveats, unknown)


def test_legacy_les_becomes_lei() -> None:
    made = report(changed(example(SEIZURE), "/handling/cui", "CUI//LES"))
    assert made.handling.cui == "CUI//LEI"


@pytest.mark.parametrize(
    ("basis", "caveat"),
    [("TITLE_III", "LCOMM"), ("GRAND_JURY", "GRAND_JURY"), ("BSA_ACCESS", "BSA"), ("CONSENT", None)],
)
def test_what_an_authority_brought_needs_that_authority_to_read(basis: str, caveat: str | None) -> None:
    made = report(changed(example(SEIZURE), "/legal_basis/kind", basis))
    assert made.handling.caveats == (() if caveat is None else (caveat,))


def test_a_marking_alone_hides_the_report_from_who_lacks_the_authority() -> None:
    sent = changed(example("EPIC.SEIZURE"), "/handling/cui", "CUI//INF/LEI")
    assert audience_of(report(sent)).authorities == ("INFORMANT",)


def test_drug_weights_are_given_in_grams() -> None:
    made = report(example("EPIC.SEIZURE"))
    assert [str(d.grams) for d in made.drugs] == ["13400.0000", "680.3886"]
    plants = changed(example("EPIC.SEIZURE"), "/drugs/0/unit", "PLANT")
    assert report(plants).drugs[0].grams is None


def test_a_report_received_now_is_bounded_without_a_clock_given() -> None:
    sent = changed(example(SEIZURE), "/retention/retain_until", "2999-01-01")
    assert problems(sent, at=NOW)[0]["pointer"] == "/retention/retain_until"
