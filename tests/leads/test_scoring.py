"""Scores: rows that add up, weights that fall, caps, bands, and what a release lacks."""

from datetime import timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from services.leads.rules.finding import Evidence, Family, Finding
from services.leads.rules.strength import grade, strength
from services.leads.scoring import BANDS, CAPS, Band, band_of, confidence, score
from shared.contracts.report import Report
from tests.leads.picture_world import NOW
from tests.leads.rule_world import told

FAMILIES = list(Family)


def graded(no: str, mark: str, days: float = 0) -> Report:
    return told(no, days=days, evaluation={"reliability": mark[0], "credibility": mark[1]})


def finding(report: Report, points: int = 10, family: Family = Family.FINANCE, rule: str = "L11") -> Finding:
    return Finding(
        rule, family, points, "why", (Evidence(report.report_id, ("/facts",)),), (report.report_id,), 1
    )


def by_id(*reports: Report) -> dict[str, Report]:
    return {r.report_id: r for r in reports}


@pytest.mark.parametrize(
    ("mark", "weighs"),
    [
        ("A1", 1),
        ("B2", 0.5625),
        ("C3", 0.25),
        ("D4", 0.0625),
        ("E1", 0),
        ("A5", 0),
        ("F6", 0.25),
        ("A2", 0.75),
    ],
)
def test_a_report_weighs_reliability_times_credibility(mark: str, weighs: float) -> None:
    assert grade(graded("1", mark)) == weighs


@pytest.mark.parametrize(("days", "weighs"), [(0, 1), (180, 0.5), (360, 0.25), (90, 0.5**0.5)])
def test_weight_halves_each_180_days(days: int, weighs: float) -> None:
    assert strength(graded("1", "A1", days), NOW) == pytest.approx(weighs)


def test_an_event_that_lies_ahead_weighs_no_more_than_one_of_today() -> None:
    assert strength(graded("1", "A1", -30), NOW) == 1


def test_the_weakest_necessary_report_weighs_the_points() -> None:
    strong, weak = graded("1", "A1"), graded("2", "C1")
    both = Finding(
        "L01",
        Family.NETWORK,
        20,
        "why",
        tuple(Evidence(r.report_id, ()) for r in (strong, weak)),
        (strong.report_id, weak.report_id),
        2,
    )
    scored = score([both], by_id(strong, weak), NOW)
    assert scored is not None
    assert scored.value == 1000


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(FAMILIES), st.integers(1, 30), st.sampled_from(["A1", "A2", "B2", "C3"])),
        min_size=1,
        max_size=12,
    )
)
def test_the_rows_shown_add_up_to_the_score_shown(parts: list[tuple[Family, int, str]]) -> None:
    reports = [graded(str(n), mark, n) for n, (_, _, mark) in enumerate(parts)]
    findings = [
        finding(r, points, family, f"L{n:02d}")
        for n, (r, (family, points, _)) in enumerate(zip(reports, parts, strict=True))
    ]
    scored = score(findings, by_id(*reports), NOW)
    assert scored is not None
    assert scored.value == sum(row.value for row in scored.rows)
    assert 0 <= scored.value <= 10_000
    for family in FAMILIES:
        assert sum(r.value for r in scored.rows if r.family == family) <= CAPS[family] * 100


def test_a_family_counts_up_to_its_cap_and_says_so() -> None:
    reports = [graded(str(n), "A1") for n in range(3)]
    scored = score([finding(r, 15, rule=f"L1{n}") for n, r in enumerate(reports)], by_id(*reports), NOW)
    assert scored is not None
    assert scored.value == 3500
    assert [r.value for r in scored.rows if r.rule == "CAP"] == [-1000]


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (10_000, Band.URGENT),
        (7000, Band.URGENT),
        (6999, Band.HIGH),
        (4500, Band.HIGH),
        (4499, Band.ROUTINE),
        (2500, Band.ROUTINE),
        (2499, Band.HELD),
        (0, Band.HELD),
    ],
)
def test_bands_begin_at_their_least_score(value: int, band: Band) -> None:
    assert band_of(value) is band


@pytest.mark.parametrize("points", [10, 30, 35])
def test_a_lead_decays_on_the_day_its_band_falls(points: int) -> None:
    report = graded("1", "A1")
    findings = [finding(report, points)]
    scored = score(findings, by_id(report), NOW)
    assert scored is not None
    least = {band: low for low, band in BANDS}[scored.band] or 500

    def value(days: int) -> int:
        later = score(findings, by_id(report), NOW + timedelta(days=days))
        assert later is not None
        return later.value

    days = (scored.decays_on - NOW.date()).days
    assert value(days) < least
    assert days == 0 or value(days - 1) >= least


def test_a_cut_score_decays_only_once_it_is_below_its_cap() -> None:
    reports = [graded(str(n), "A1") for n in range(4)]
    findings = [finding(r, 15, rule=f"L1{n}") for n, r in enumerate(reports)]
    scored = score(findings, by_id(*reports), NOW)
    assert scored is not None
    later = score(findings, by_id(*reports), NOW + timedelta(days=(scored.decays_on - NOW.date()).days))
    before = score(findings, by_id(*reports), NOW + timedelta(days=(scored.decays_on - NOW.date()).days - 1))
    assert later is not None
    assert before is not None
    assert (before.band, later.band) == (Band.ROUTINE, Band.HELD)


def test_a_release_needs_two_families_or_a_priority_list() -> None:
    report = graded("1", "A1")
    one = score([finding(report)], by_id(report), NOW)
    two = score([finding(report), finding(report, 12, Family.MOVEMENT, "L15")], by_id(report), NOW)
    listed = score([finding(report, 30, Family.PRIORITY, "L03")], by_id(report), NOW)
    assert one is not None
    assert two is not None
    assert listed is not None
    assert [one.releasable, two.releasable, listed.releasable] == [False, True, True]
    assert one.missing == ("rules of a second family, or a link to a priority list",)


def test_observations_make_no_lead_and_findings_that_never_stand_alone_neither() -> None:
    seen = graded("1", "A1").model_copy(update={"predicate": None})
    assert score([finding(seen)], by_id(seen), NOW) is None
    report = graded("1", "A1")
    weak = finding(report)
    alone = Finding(weak.rule, weak.family, 4, weak.text, weak.evidence, weak.necessary, 1, alone=False)
    assert score([alone], by_id(report), NOW) is None
    assert score([alone, finding(report, 12, Family.MOVEMENT, "L15")], by_id(report), NOW) is not None


def test_confidence_keeps_level_and_likelihood_apart() -> None:
    strong, weak = graded("1", "A1"), graded("2", "D4")
    assert confidence([finding(strong)], by_id(strong)).level == "HIGH"
    assert confidence([finding(weak)], by_id(weak)).level == "LOW"
    assert confidence([finding(strong)], by_id(strong)).likelihood == "almost certainly"
