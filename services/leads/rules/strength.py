"""How much a report weighs: its Admiralty grades, halved each half-life since its event."""

from datetime import datetime
from typing import Final

from shared.contracts.report import Report

RELIABILITY: Final = {"A": 1.0, "B": 0.75, "C": 0.5, "D": 0.25, "E": 0.0, "F": 0.5}
CREDIBILITY: Final = {"1": 1.0, "2": 0.75, "3": 0.5, "4": 0.25, "5": 0.0, "6": 0.5}
HALF_LIFE_DAYS: Final = 180
HALF: Final = 0.5


def grade(report: Report) -> float:
    """Reliability times credibility, 0 to 1."""
    return RELIABILITY[report.evaluation.reliability] * CREDIBILITY[report.evaluation.credibility]


def age_days(report: Report, now: datetime) -> int:
    """Whole days since the reported event; 0 for one that lies ahead."""
    return max(0, (now - (report.event_end or report.event_start)).days)


def strength(report: Report, now: datetime) -> float:
    """The report's weight at ``now``, 0 to 1."""
    return grade(report) * float(HALF ** (age_days(report, now) / HALF_LIFE_DAYS))


def by_strength(report: Report, now: datetime) -> tuple[float, str]:
    """Sort key: the strongest report first, then by id, so that no order of arrival decides."""
    return (-strength(report, now), report.report_id)
