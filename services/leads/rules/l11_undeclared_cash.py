"""L11: cash that was not declared."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.leads.rules.events import Event, events_of, place_of, utc_day
from services.leads.rules.finding import Evidence, Family, Finding, Rule
from services.leads.rules.strength import by_strength, strength
from services.leads.rules.subjects import took_part
from services.leads.rules.words import dollars, sentence
from services.leads.thresholds import Threshold, threshold
from services.leads.view import View
from shared.contracts.facts import EventKind
from shared.contracts.report import Report

POINTS: Final = 15
_BORDER: Final = frozenset({EventKind.CROSSING, EventKind.DECLARATION, EventKind.MOVEMENT, EventKind.SEIZURE})


@dataclass(frozen=True, slots=True)
class _Hit:
    """An event whose cash exceeds what was declared, and the report that shows it."""

    event: Event
    shown_by: Report
    fields: tuple[str, ...]
    measured: str
    limit: Threshold


def rule(view: View) -> Finding | None:
    """Undeclared cash: the cash seized exceeds what the courier declared by more than $10,000; or, where he
    was not asked, more than $10,000 crossed the border without a report of it (FinCEN form 105). 15 points.
    What a form 105 of the same day and direction covers counts as declared. A seizure that two agencies
    reported is counted once.
    """
    taking_part = [r for r in view.reports if took_part(view, r)]
    if all(r.facts.seized_usd is None and r.facts.moved_usd is None for r in taking_part):
        return None
    hits = [hit for event in events_of(view, taking_part) if (hit := _hit(view, event))]
    if not hits:
        return None
    best = min(hits, key=lambda h: by_strength(h.shown_by, view.now))
    ordered = sorted(
        hits, key=lambda h: (h is not best, -strength(h.shown_by, view.now), h.shown_by.report_id)
    )
    reports = [r for h in ordered for r in h.event.reports]
    against = f"{dollars(best.limit.amount)} ({best.limit.source})"
    return Finding(
        rule=RULE.number,
        family=RULE.family,
        points=POINTS,
        text=sentence(view, RULE.title, reports, "; ".join(h.measured for h in ordered), against),
        evidence=tuple(Evidence(r.report_id, h.fields) for h in ordered for r in h.event.reports),
        necessary=(best.shown_by.report_id,),
        events=len(hits),
    )


def _hit(view: View, event: Event) -> _Hit | None:
    hits = [hit for r in event.reports if (hit := _seized(view, event, r) or _moved(view, event, r))]
    return min(hits, key=lambda h: by_strength(h.shown_by, view.now), default=None)


def _limit(report: Report, view: View) -> Threshold | None:
    place = place_of(report)
    places = [p for p in (place.county_fips, place.state) if p] if place else []
    return threshold("cash.border", utc_day(report), places, view.thresholds)


def _seized(view: View, event: Event, report: Report) -> _Hit | None:
    """Seized minus declared; of a joint seizure, the highest declaration that any report of it gives."""
    limit, seized = _limit(report, view), report.facts.seized_usd
    answers = [r.facts.declared_usd for r in event.reports if r.facts.declared_usd is not None]
    if limit is None or seized is None or not answers:
        return None
    declared = max(*answers, _filed(view, report))
    if seized - declared <= limit.amount:
        return None
    measured = (
        f"{dollars(seized)} seized, {dollars(declared)} declared, {dollars(seized - declared)} undeclared"
    )
    return _Hit(event, report, ("/facts/seized_usd", "/facts/declared_usd"), measured, limit)


def _moved(view: View, event: Event, report: Report) -> _Hit | None:
    """Currency over the border without a form 105, by somebody who was not asked."""
    facts, limit = report.facts, _limit(report, view)
    moved = facts.moved_usd
    if limit is None or moved is None or facts.direction is None or facts.kind not in _BORDER:
        return None
    if facts.cmir_filed is not False or any(r.facts.cmir_filed for r in event.reports):
        return None
    if any(r.facts.declared_usd is not None for r in event.reports):
        return None
    if moved <= limit.amount or _filed(view, report) >= moved:
        return None
    measured = (
        f"{dollars(moved)} moved {'into' if facts.direction == 'IN' else 'out of'} the country, no form 105"
    )
    return _Hit(event, report, ("/facts/moved_usd", "/facts/cmir_filed"), measured, limit)


def _filed(view: View, report: Report) -> Decimal:
    """What the subject declared on forms 105 within a day of the event, in the same direction."""
    return sum(
        (
            r.facts.moved_usd or Decimal(0)
            for r in view.reports
            if r.facts.kind is EventKind.DECLARATION
            and r.facts.cmir_filed is not False
            and r.facts.direction == report.facts.direction
            and abs((utc_day(r) - utc_day(report)).days) <= 1
        ),
        Decimal(0),
    )


RULE: Final = Rule("L11", "Undeclared cash", Family.FINANCE, "15", rule, ("cash.border",))
