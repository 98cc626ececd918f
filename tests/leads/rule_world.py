"""Views for tests of rules: invented reports in which equal local ids mean the same entity."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.leads.rules import findings
from services.leads.rules.admissible import admissible
from services.leads.rules.finding import Finding
from services.leads.view import EntityView, LinkView, Sighting, View
from shared.contracts.entities import Currency, Drug, Kind, Mention
from shared.contracts.report import ENTITY_LISTS, Report
from tests.leads.picture_world import NOW, report

PREDICATE = {
    "basis": "PROBABLE_CAUSE",
    "activity": "NARCOTICS",
    "offence": "MONEY_LAUNDERING",
    "facts": "Cash found in a compartment that no factory builds; the courier disclaimed it.",
    "determined_by": "SGT Abara",
    "determined_at": "2026-02-01",
}
KEEP = {"class": "CI", "review_by": "2027-01-01", "retain_until": "2030-12-31"}
KINDS = dict(zip(ENTITY_LISTS, Kind, strict=True))


def told(no: str, agency: str = "TXZZZ0001", feed: str = "EPIC", *, days: float = 2, **given: Any) -> Report:
    """A predicated report of an event ``days`` before now."""
    at = NOW - timedelta(days=days)
    given = {"predicate": PREDICATE, "retention": KEEP, "event_start": at, "received_at": at} | given
    return report(no, agency, feed, **given)


def person(local_id: str, role: str = "DRIVER", **given: Any) -> dict[str, Any]:
    """A person of that name."""
    return {"local_id": local_id, "role": role, "full_name": local_id.replace("_", " ").title()} | given


def car(local_id: str = "car", **given: Any) -> dict[str, Any]:
    """A vehicle."""
    return {"local_id": local_id, "role": "CONVEYANCE", "plate": local_id.upper()} | given


def phone(local_id: str = "phone", **given: Any) -> dict[str, Any]:
    """A telephone."""
    return {"local_id": local_id, "role": "TARGET", "number": "+19155550142"} | given


def view_of(subject: str, reports: Iterable[Report], now: datetime = NOW) -> View:
    """The view of the entity ``subject`` of these reports, in the order given."""
    listed = tuple(reports)
    entities: dict[str, EntityView] = {}
    sightings = []
    for r in listed:
        for name in ENTITY_LISTS:
            for m in getattr(r, name):
                if not isinstance(m, Drug | Currency):
                    entities[m.local_id] = EntityView(m.local_id, KINDS[name], label_of(m))
                    sightings.append(Sighting(r.report_id, m.local_id, m.local_id, str(m.role)))
    links = tuple(
        LinkView(x.source, x.target, x.type, x.confidence, r.report_id) for r in listed for x in r.relations
    )
    mine = tuple(r for r in listed if any(m.local_id == subject for m in r.mentions()))
    return View(entities[subject], mine, tuple(sightings), entities, links, now)


def label_of(mention: Mention) -> str:
    """A label as the picture gives."""
    parts = [getattr(mention, field, None) for field in ("given_names", "family_names")]
    if all(parts):
        return " ".join(map(str, parts))
    for field in ("full_name", "name", "number", "plate", "value", "address", "city"):
        value = getattr(mention, field, None)
        if value:
            return str(value)
    return mention.local_id


def found(subject: str, reports: Sequence[Report], now: datetime = NOW) -> dict[str, Finding]:
    """What the rules find about ``subject``, by rule."""
    readable = admissible(view_of(subject, reports, now))
    return {} if readable is None else {f.rule: f for f in findings(readable)}
