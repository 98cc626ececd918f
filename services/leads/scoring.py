"""From findings to a score: rows that add up to it, its band, when it falls, and whether it may be released.

Everything is in hundredths of a point, so sums are exact. score = Σ points × weight, cut at each family's
cap and at 100; a cut is a row of its own, so that the rows shown always add up to the score shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import ceil, log2
from typing import Final

from services.leads.rules.admissible import predicated
from services.leads.rules.finding import Family, Finding
from services.leads.rules.strength import HALF_LIFE_DAYS, grade, strength
from shared.contracts.report import Report

CAPS: Final[Mapping[Family, int]] = {
    Family.FINANCE: 35,
    Family.COMMUNICATIONS: 25,
    Family.MOVEMENT: 20,
    Family.NETWORK: 25,
    Family.PRIORITY: 35,
}
MOST: Final = 100
PRIORITY_LIST_RULE: Final = "L03"
"""Path to a priority list: enough for a release without a second family."""
_GONE: Final = 500
"""Below this many hundredths (5 points) a lead tells nothing any more."""


class Band(StrEnum):
    """How soon somebody should look."""

    URGENT = "URGENT"
    HIGH = "HIGH"
    ROUTINE = "ROUTINE"
    HELD = "HELD"


BANDS: Final = ((7000, Band.URGENT), (4500, Band.HIGH), (2500, Band.ROUTINE), (0, Band.HELD))
"""The least score of each band, in hundredths."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a score: a finding's points × weight, or the cut at a cap (negative)."""

    rule: str
    family: str
    points: int
    weight: float
    value: int
    text: str


@dataclass(frozen=True, slots=True)
class Score:
    """A lead's score in hundredths, and the rows that add up to it."""

    value: int
    band: Band
    rows: tuple[Row, ...]
    decays_on: date
    releasable: bool
    missing: tuple[str, ...]
    """What a release still lacks, in words."""


def band_of(value: int) -> Band:
    """The band of a score in hundredths."""
    return next(band for least, band in BANDS if value >= least)


def score(findings: Sequence[Finding], reports: Mapping[str, Report], now: datetime) -> Score | None:
    """The score of a subject's findings; None where they make no lead.

    They make none without a finding that may stand alone, nor without a predicated report among their
    evidence: observations never make a lead by themselves.
    """
    used = {e.report_id for f in findings for e in f.evidence}
    if not any(f.alone for f in findings) or not any(predicated(reports[r]) for r in used):
        return None
    rows = _rows(findings, reports, now)
    value = sum(row.value for row in rows)
    missing = tuple(_missing(findings, reports))
    return Score(value, band_of(value), rows, _decays_on(findings, reports, now, value), not missing, missing)


def weight(finding: Finding, reports: Mapping[str, Report], now: datetime) -> float:
    """The weakest necessary report's strength."""
    return min((strength(reports[r], now) for r in finding.necessary), default=0.0)


def _rows(findings: Sequence[Finding], reports: Mapping[str, Report], now: datetime) -> tuple[Row, ...]:
    rows: list[Row] = []
    for family in Family:
        own = [_row(f, weight(f, reports, now)) for f in findings if f.family is family]
        over = sum(row.value for row in own) - CAPS[family] * 100
        rows += own
        if over > 0:
            rows.append(
                _cut(str(family), over, f"The {family} rules count for at most {CAPS[family]} points.")
            )
    over = sum(row.value for row in rows) - MOST * 100
    if over > 0:
        rows.append(_cut("all", over, f"A score is at most {MOST} points."))
    return tuple(rows)


def _row(finding: Finding, weighs: float) -> Row:
    return Row(
        finding.rule,
        str(finding.family),
        finding.points,
        round(weighs, 4),
        _hundredths(finding, weighs),
        finding.text,
    )


def _hundredths(finding: Finding, weighs: float) -> int:
    return round(finding.points * weighs * 100)


def _cut(family: str, over: int, text: str) -> Row:
    return Row("CAP", family, 0, 1.0, -over, text)


def _missing(findings: Iterable[Finding], reports: Mapping[str, Report]) -> Iterable[str]:
    """What keeps the lead from being released, as far as the evidence decides."""
    found = list(findings)
    listed = any(f.rule == PRIORITY_LIST_RULE for f in found)
    if not listed and len({f.family for f in found}) < 2:
        yield "rules of a second family, or a link to a priority list"
    suspicious = (reports[e.report_id] for f in found for e in f.evidence)
    if not any(predicated(r) for r in suspicious):
        yield "a report with reasonable suspicion"


def _value(findings: Sequence[Finding], reports: Mapping[str, Report], now: datetime) -> int:
    """What the rows add up to."""
    families = dict.fromkeys(Family, 0)
    for f in findings:
        families[f.family] += _hundredths(f, weight(f, reports, now))
    return min(MOST * 100, sum(min(value, CAPS[family] * 100) for family, value in families.items()))


def _decays_on(findings: Sequence[Finding], reports: Mapping[str, Report], now: datetime, value: int) -> date:
    """The day on which the score, with nothing new, has fallen below its band.

    Every weight halves alike, so the score without its cuts does too; with cuts it falls no sooner.
    A held lead decays when it has fallen below five points.
    """
    least = next((low for low, _ in BANDS if value >= low and low), _GONE)
    days = 0 if value < least else max(0, ceil(HALF_LIFE_DAYS * log2(value / least)))
    for step in range(days, days + 2 * HALF_LIFE_DAYS):
        moment = now + timedelta(days=step)
        if _value(findings, reports, moment) < least:
            return moment.date()
    return (now + timedelta(days=days)).date()


@dataclass(frozen=True, slots=True)
class Confidence:
    """Analytic confidence and likelihood, kept apart as Intelligence Community Directive 203 demands."""

    level: str
    likelihood: str
    because: str


def confidence(findings: Sequence[Finding], reports: Mapping[str, Report]) -> Confidence:
    """How sure the finding is, in the words of ICD 203.

    From the grade of the best rule's weakest necessary report and how many agencies stand behind the
    lead. Age lowers the score, not the confidence that it happened.
    """
    best = max((min(grade(reports[r]) for r in f.necessary) for f in findings if f.necessary), default=0.0)
    agencies = {reports[e.report_id].originator.agency_id for f in findings for e in f.evidence}
    total = best + 0.1 * (min(len(agencies), 4) - 1)
    level = next(word for least, word in _CONFIDENCE if total >= least)
    likelihood = next(word for least, word in _LIKELIHOOD if total >= least)
    count = f"{len(agencies)} {'agency' if len(agencies) == 1 else 'agencies'}"
    return Confidence(level, likelihood, f"Evidence graded {best:.0%} at best, from {count}.")


_LIKELIHOOD: Final = (
    (0.95, "almost certainly"),
    (0.7, "very likely"),
    (0.45, "likely"),
    (0.2, "roughly even chance"),
    (0.0, "unlikely"),
)
_CONFIDENCE: Final = ((0.75, "HIGH"), (0.35, "MODERATE"), (0.0, "LOW"))
