"""L15: one conveyance, several drivers."""

import re
from itertools import combinations
from typing import Final

from anyascii import anyascii

from services.leads.rules.events import Event, events_of
from services.leads.rules.finding import Evidence, Family, Finding, Rule
from services.leads.rules.strength import by_strength, strength
from services.leads.rules.subjects import CONVEYANCES
from services.leads.rules.words import listed, sentence
from services.leads.view import EntityView, View
from shared.contracts.entities import RelationType
from shared.contracts.facts import EventKind
from shared.contracts.report import Report

POINTS: Final = 12


def rule(view: View) -> Finding | None:
    """Conveyance reuse: the same vehicle, vessel, aircraft or container is in two or more seizures or
    lookouts with different drivers. 12 points. Drivers whose names may be one person's are not different; a
    seizure that two agencies reported is counted once.
    """
    if view.subject.kind not in CONVEYANCES:
        return None
    told = [r for r in view.reports if r.facts.kind in {EventKind.SEIZURE, EventKind.LOOKOUT}]
    if len(told) < 2:
        return None
    driven = [(e, d) for e in events_of(view, told) if (d := _drivers(view, e))]
    pairs = [(a, b) for a, b in combinations(driven, 2) if _different(a[1], b[1])]
    if not pairs:
        return None
    first, second = max(pairs, key=lambda pair: _rank(view, pair[0][0], pair[1][0]))
    necessary = (_strongest(view, first[0]), _strongest(view, second[0]))
    involved = {id(e): e for pair in pairs for e, _ in pair}
    events = [e for e, _ in driven if id(e) in involved]
    reports = [r for e in events for r in e.reports]
    names = listed(sorted({d.label for pair in pairs for _, drivers in pair for d in drivers}))
    return Finding(
        rule=RULE.number,
        family=RULE.family,
        points=POINTS,
        text=sentence(
            view,
            RULE.title,
            reports,
            f"{len(events)} seizures or lookouts with different drivers ({names})",
            "2 with different drivers",
        ),
        evidence=tuple(Evidence(r.report_id, ("/facts/conveyance", "/facts/driver")) for r in reports),
        necessary=tuple(r.report_id for r in necessary),
        events=len(events),
    )


def _rank(view: View, a: Event, b: Event) -> tuple[float, str, str]:
    one, other = _strongest(view, a), _strongest(view, b)
    return (min(strength(one, view.now), strength(other, view.now)), one.report_id, other.report_id)


def _strongest(view: View, event: Event) -> Report:
    return min(event.reports, key=lambda r: by_strength(r, view.now))


def _drivers(view: View, event: Event) -> list[EntityView]:
    """Who drove, as far as the reports say: the stated driver, or who is linked to it as driving."""
    found: dict[str, EntityView] = {}
    for report in event.reports:
        driver = view.entity_of(report.report_id, report.facts.driver)
        linked = [
            view.entities.get(link.source)
            for link in view.links
            if link.report_id == report.report_id
            and link.type is RelationType.DRIVES
            and link.target == view.subject.entity_id
        ]
        for entity in [driver] if driver else linked:
            if entity is not None:
                found[entity.entity_id] = entity
    return sorted(found.values(), key=lambda e: e.entity_id)


def _different(mine: list[EntityView], theirs: list[EntityView]) -> bool:
    """Whether no driver of one event may be a driver of the other."""
    return not any(a.entity_id == b.entity_id or _may_be_one(a, b) for a in mine for b in theirs)


def _may_be_one(a: EntityView, b: EntityView) -> bool:
    """One name contains the other, or they share two parts: the resolver may just lack proof."""
    mine, theirs = _parts(a.label), _parts(b.label)
    shared = len(mine & theirs)
    return shared >= 2 or shared == min(len(mine), len(theirs))


def _parts(label: str) -> frozenset[str]:
    return frozenset(p for p in re.split(r"[^a-z]+", anyascii(label).lower()) if len(p) > 1)


RULE: Final = Rule("L15", "Conveyance reuse", Family.MOVEMENT, "12", rule)
