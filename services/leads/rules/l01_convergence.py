"""L01: several feeds meet in one entity."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from services.leads.rules.events import Event, events_of
from services.leads.rules.finding import Evidence, Family, Finding, Rule
from services.leads.rules.strength import by_strength, strength
from services.leads.rules.words import sentence
from services.leads.view import View
from shared.contracts.entities import Kind, Location
from shared.contracts.report import Report

WINDOW: Final = timedelta(days=365)
FIRST, FURTHER, MOST = 10, 5, 25


def rule(view: View) -> Finding | None:
    """Cross-feed convergence: the same person, number, vehicle, account or other strong entity is reported
    through two or more feeds by two or more agencies within 365 days. 10 points, 5 more for each further
    feed, at most 25. A joint seizure that two agencies reported is one event and meets nobody by itself;
    numbers marked as common, and places without a street address, do not count.
    """
    found = max(
        (chosen for window in _windows(view) if (chosen := _best(view, window))),
        key=lambda chosen: (_value(view, chosen), [r.report_id for r in chosen]),
        default=None,
    )
    if found is None:
        return None
    feeds, agencies = {r.feed for r in found}, {r.originator.agency_id for r in found}
    measured = f"{len(feeds)} feeds and {len(agencies)} agencies within {_span_days(found)} days"
    return Finding(
        rule=RULE.number,
        family=RULE.family,
        points=_points(len(found)),
        text=sentence(view, RULE.title, found, measured, "2 feeds and 2 agencies within 365 days"),
        evidence=tuple(Evidence(r.report_id, _fields(view, r)) for r in found),
        necessary=tuple(r.report_id for r in found),
        events=len(found),
    )


def _points(feeds: int) -> int:
    return min(MOST, FIRST + FURTHER * (feeds - 2))


def _value(view: View, chosen: Sequence[Report]) -> float:
    return _points(len(chosen)) * min(strength(r, view.now) for r in chosen)


def _windows(view: View) -> list[list[Report]]:
    """The reports that count, in every window of 365 days that ends with one of them."""
    counted = sorted(
        (r for r in view.reports if _counts(view, r)), key=lambda r: (r.event_start, r.report_id)
    )
    windows, start = [], 0
    for end, last in enumerate(counted):
        while last.event_start - counted[start].event_start > WINDOW:
            start += 1
        is_last = end + 1 == len(counted)
        if is_last or counted[end + 1].event_start - counted[start].event_start > WINDOW:
            windows.append(counted[start : end + 1])
    return windows


def _counts(view: View, report: Report) -> bool:
    if report.facts.status == "COMMON":
        return False
    if view.subject.kind is not Kind.LOCATION:
        return True
    return any(isinstance(m, Location) and m.address for m in view.own_mentions(report))


def _best(view: View, window: list[Report]) -> list[Report] | None:
    """One report per feed, no two of one event, of two agencies at least, so many that they weigh most."""
    if len({r.feed for r in window}) < 2 or len({r.originator.agency_id for r in window}) < 2:
        return None
    ordered = sorted(window, key=lambda r: by_strength(r, view.now))
    event_of = {r.report_id: event for event in events_of(view, window) for r in event.reports}
    chosen: list[Report] = []
    for report in ordered:
        if _fits(report, chosen, event_of):
            chosen.append(report)
    candidates = [
        with_two for n in range(2, len(chosen) + 1) if (with_two := _mixed(chosen[:n], ordered, event_of))
    ]
    return max(candidates, key=lambda c: (_value(view, c), len(c)), default=None)


def _fits(report: Report, chosen: Sequence[Report], event_of: dict[str, Event]) -> bool:
    event = event_of[report.report_id]
    return all(report.feed != c.feed and event is not event_of[c.report_id] for c in chosen)


def _mixed(chosen: list[Report], ordered: list[Report], event_of: dict[str, Event]) -> list[Report] | None:
    """``chosen``, one of it exchanged for another agency's report where all are of one agency."""
    agency = chosen[0].originator.agency_id
    if any(r.originator.agency_id != agency for r in chosen):
        return chosen
    for other in ordered:
        if other.originator.agency_id == agency:
            continue
        for at in reversed(range(len(chosen))):
            rest = chosen[:at] + chosen[at + 1 :]
            if _fits(other, rest, event_of):
                return [*rest, other]
    return None


def _span_days(reports: Sequence[Report]) -> int:
    times = [r.event_start for r in reports]
    return (max(times) - min(times)).days + 1


def _fields(view: View, report: Report) -> tuple[str, ...]:
    return tuple(f"/mentions/{m.local_id}" for m in view.own_mentions(report))


RULE: Final = Rule("L01", "Cross-feed convergence", Family.NETWORK, "10 to 25", rule)
