"""L21: a quantity that the law punishes most."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.leads.rules.events import Event, events_of, net_grams, utc_day
from services.leads.rules.finding import Evidence, Family, Finding, Rule
from services.leads.rules.strength import by_strength, strength
from services.leads.rules.subjects import took_part
from services.leads.rules.words import grams, sentence
from services.leads.thresholds import DRUGS, Threshold, threshold
from services.leads.view import View
from shared.contracts.facts import EventKind
from shared.contracts.report import Report

POINTS: Final = {"A": 10, "B": 5}


@dataclass(frozen=True, slots=True)
class _Hit:
    """A drug of one event that reaches a tier, and the report that shows it."""

    event: Event
    shown_by: Report
    code: str
    net: Decimal
    tier: str
    limit: Threshold


def rule(view: View) -> Finding | None:
    """Quantity: the net weight of one drug in one seizure reaches an amount of 21 USC 841(b)(1)(A), 10
    points, or (B), 5 points: heroin 1 kg or 100 g, cocaine 5 kg or 500 g, fentanyl 400 g or 40 g,
    methamphetamine mixture 500 g or 50 g, marijuana 1,000 kg or 100 kg. The whole mixture counts, whatever
    its purity; exhibits of one seizure are added up; a seizure that two agencies reported is counted once.
    """
    seizures = [r for r in view.reports if r.facts.kind is EventKind.SEIZURE and took_part(view, r)]
    if not any(r.drugs for r in seizures):
        return None
    hits = [hit for event in events_of(view, seizures) for hit in _hits(view, event)]
    if not hits:
        return None
    best = max(hits, key=lambda h: (_value(view, h), h.shown_by.report_id, h.code))
    ordered = sorted(hits, key=lambda h: (h is not best, -_value(view, h), h.shown_by.report_id, h.code))
    reports = [r for h in ordered for r in h.event.reports]
    measured = "; ".join(f"{grams(h.net)} net of {DRUGS[h.code]}" for h in ordered)
    seen: dict[str, Evidence] = {r.report_id: Evidence(r.report_id, ("/drugs",)) for r in reports}
    return Finding(
        rule=RULE.number,
        family=RULE.family,
        points=POINTS[best.tier],
        text=sentence(
            view, RULE.title, reports, measured, f"{grams(best.limit.amount)} ({best.limit.source})"
        ),
        evidence=tuple(seen.values()),
        necessary=(best.shown_by.report_id,),
        events=len({id(h.event) for h in hits}),
    )


def _value(view: View, hit: _Hit) -> float:
    return POINTS[hit.tier] * strength(hit.shown_by, view.now)


def _hits(view: View, event: Event) -> list[_Hit]:
    """Per drug, the report of the event whose tier weighs most."""
    best: dict[str, _Hit] = {}
    for report in sorted(event.reports, key=lambda r: by_strength(r, view.now)):
        for code, net in net_grams(report).items():
            hit = _hit(view, event, report, code, net)
            if hit and (code not in best or _value(view, hit) > _value(view, best[code])):
                best[code] = hit
    return [best[code] for code in sorted(best)]


def _hit(view: View, event: Event, report: Report, code: str, net: Decimal) -> _Hit | None:
    for tier in POINTS:
        limit = threshold(f"quantity.{code}.{tier}", utc_day(report), (), view.thresholds)
        if limit is not None and net >= limit.amount:
            return _Hit(event, report, code, net, tier, limit)
    return None


RULE: Final = Rule("L21", "Quantity", Family.PRIORITY, "10 or 5", rule, ("quantity.",))
