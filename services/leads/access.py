"""Who sees what: the visibility table, alone. Everything else asks here or works on audiences decided here.

``visible`` answers for one report. What a viewer sees of many is its **sight**: the ids of the audiences
that include the viewer's clearance, since a profile, link or mention has the audience of its report.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from enum import IntFlag, StrEnum
from typing import Final

import xxhash

from shared.contracts.entities import Person
from shared.contracts.handling import OPEN, Audience, Clearance, audience
from shared.contracts.report import Report

Sight = frozenset[int]
"""Audience ids that a viewer, or a group of viewers, is included in."""

WITHHELD: Final = "(juvenile, name withheld)"
"""How a juvenile is shown."""


class Visibility(StrEnum):
    """What a viewer gets of a report; POINTER = that it exists on an identifier they hold, and a contact."""

    FULL = "FULL"
    POINTER = "POINTER"
    NONE = "NONE"


def visible(viewer: Clearance, report: Report, now: datetime, approvals: Iterable[str] = ()) -> Visibility:
    """The first line of the table that applies; ``approvals`` are the agencies approved under ORCON."""
    terms = report.handling
    if report.action == "RETRACT" or until(report) <= now:
        return Visibility.NONE
    if viewer.agency == report.originator.agency_id:
        return Visibility.FULL
    if (
        terms.share == "RED"
        or not viewer.authorities.issuperset(terms.caveats)
        or (terms.release_to and viewer.principals.isdisjoint(terms.release_to))
        or (report.predicate is not None and report.predicate.basis == "TIP_UNVETTED" and not viewer.vetted)
    ):
        return Visibility.NONE
    if terms.orcon and viewer.principals.isdisjoint(approvals):
        return Visibility.POINTER
    return Visibility.POINTER if terms.share == "YELLOW" else Visibility.FULL


def until(report: Report) -> datetime:
    """The moment from which nobody sees the report: retention or its legal basis has run out."""
    end = datetime.combine(report.retention.retain_until, time(), UTC) + timedelta(days=1)
    expires = report.legal_basis.expires
    return end if expires is None else min(end, expires)


def audience_id(key: str) -> int:
    """The id of an audience key: 0 for open, else 63 bits of its hash."""
    return 0 if key == OPEN.key() else xxhash.xxh3_64_intdigest(key.encode()) >> 1 or 1


def agency_audience(agency: str) -> Audience:
    """The audience of what only one agency sees, such as a judgement that it keeps to itself."""
    return audience(agency, ())


def sight_of(viewer: Clearance, audiences: Mapping[int, str]) -> Sight:
    """The audiences of the store (id to key) that include the viewer."""
    own = {0, audience_id(agency_audience(viewer.agency).key())}
    return frozenset(own | {i for i, key in audiences.items() if Audience.parse(key).includes(viewer)})


def may_name_juveniles(viewer: Clearance, report: Report) -> bool:
    """Whether a juvenile's name is shown: to the originator and to holders of the JUVENILE authority."""
    return viewer.agency == report.originator.agency_id or "JUVENILE" in viewer.authorities


def masked(report: Report) -> Report:
    """The report with every juvenile person's identity withheld."""
    if not any(p.juvenile for p in report.persons):
        return report
    return report.model_copy(update={"persons": tuple(_mask(p) for p in report.persons), "details": {}})


def _mask(person: Person) -> Person:
    if not person.juvenile:
        return person
    return Person(
        local_id=person.local_id, role=person.role, full_name=WITHHELD, juvenile=True, ncii=person.ncii
    )


class Standing(IntFlag):
    """What sets a mention apart; 0 = nothing."""

    PROTECTED = 1
    """A victim or witness: absent from graphs, networks and exports, never a lead's subject."""
    NCII = 2
    """Non-criminal identifying information: not searchable, never a lead's subject."""
    JUVENILE = 4
    """A juvenile: shown without a name, not searchable."""


def standing(role: str, *, ncii: bool = False, juvenile: bool = False) -> int:
    """The standing of a mention in this role."""
    found = Standing.PROTECTED.value if role in ("VICTIM", "WITNESS") else 0
    return found | (Standing.NCII.value if ncii else 0) | (Standing.JUVENILE.value if juvenile else 0)
