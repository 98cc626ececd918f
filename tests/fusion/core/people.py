"""Short ways to make profiles and reports in the core's tests; all persons are invented."""

from typing import Any

from services.fusion.core import model as models
from services.fusion.core.features import READERS
from services.fusion.core.normalise import make_profile
from services.fusion.core.profile import Profile
from shared.contracts.entities import Kind, Mention, Organization, Person, Vehicle, Vessel
from shared.contracts.report import Report

MODEL = models.load()

_KINDS = {
    Person: Kind.PERSON,
    Organization: Kind.ORGANIZATION,
    Vehicle: Kind.VEHICLE,
    Vessel: Kind.VESSEL,
}


def profile(mention: Mention, *, origin: str = "r1", tied: dict[str, str] | None = None) -> Profile:
    """The open profile of a mention; ``tied`` are identifiers that relations would add."""
    kind = _KINDS[type(mention)]
    features, label = READERS[kind](mention)
    for name, value in (tied or {}).items():
        features.setdefault(name, set()).add(value)
    return make_profile(kind, "*", label, features, (origin, False, MODEL))


def person(
    name: str | None = None, *, origin: str = "r1", tied: dict[str, str] | None = None, **fields: Any
) -> Profile:
    """The open profile of a person."""
    return profile(Person(local_id="p1", full_name=name, **fields), origin=origin, tied=tied)


def organization(name: str, **fields: Any) -> Profile:
    """The open profile of an organisation."""
    return profile(Organization(local_id="o1", name=name, **fields))


def report(number: str = "SYN-1", **lists: Any) -> Report:
    """A seizure report with these entity lists."""
    return Report.model_validate(
        {
            "report_id": "00000000-0000-5000-8000-000000000001",
            "feed": "BCSC",
            "schema": "BCSC.SEIZURE/1",
            "source_report_no": number,
            "action": "INSERT",
            "version": 1,
            "received_at": "2026-03-04T21:15:00Z",
            "event_start": "2026-03-04T21:10:00Z",
            "originator": {"agency_id": "TXZZZ0001", "contact_name": "SYN OFFICER", "phone": "+19155550142"},
            "case_no": "EP13QR26EP0001",
            "legal_basis": {"kind": "BORDER_SEARCH", "reference": "19 USC 1581"},
            "evaluation": {"reliability": "A", "credibility": "2"},
            "handling": {"cui": "CUI//LEI", "tlp": "AMBER", "share": "GREEN"},
            "retention": {"class": "CI", "review_by": "2027-03-04", "retain_until": "2031-03-03"},
            "facts": {"kind": "SEIZURE"},
        }
        | lists
    )
