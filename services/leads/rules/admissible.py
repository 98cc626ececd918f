"""What rules may rest on: which reports count, which mentions of them, and who may be a lead's subject."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

from services.leads.view import View
from shared.contracts.entities import Kind, Person
from shared.contracts.report import Report

PROTECTED_ROLES: Final = frozenset({"VICTIM", "WITNESS"})
"""Mentions in these roles are passed over, whoever they are."""
BYSTANDING_ROLES: Final = PROTECTED_ROLES | {"INSTITUTION", "AGENCY", "REQUESTER", "THIRD_PARTY"}
"""Who is mentioned in no other role is no lead's subject: a bank, an officer, a passer-by."""
ADULT: Final = 18


def predicated(report: Report) -> bool:
    """Whether the report rests on reasonable suspicion or more."""
    return report.predicate is not None and report.predicate.basis != "TIP_UNVETTED"


def admissible(view: View) -> View | None:
    """The view cut down to what rules may read; None where the subject can be no lead's subject.

    Left out: withdrawn reports, unvetted tips, reports whose retention or legal authority has run out,
    mentions of victims and witnesses, and every version of a report but the newest. Nobody is a subject
    who is a juvenile, given only as non-criminal identifying information, or only a bystander; nor does
    anything become one through observations alone.
    """
    newest: dict[str, Report] = {}
    for report in view.reports:
        known = newest.get(report.report_id)
        if known is None or report.version > known.version:
            newest[report.report_id] = report
    counted = {r.report_id: r for r in newest.values() if _counts(r, view.now)}
    sightings = tuple(
        sorted(
            {s for s in view.sightings if s.report_id in counted and s.role not in PROTECTED_ROLES},
            key=lambda s: (s.report_id, s.local_id),
        )
    )
    left_out = {r.report_id for r in view.reports} - counted.keys()
    links = tuple(link for link in view.links if link.report_id not in left_out)
    narrowed = replace(view, reports=tuple(counted.values()), sightings=sightings, links=links)
    return _about_subject(narrowed)


def _about_subject(view: View) -> View | None:
    kept, suspected = [], False
    for report in sorted(view.reports, key=lambda r: (r.event_start, r.report_id)):
        roles: Collection[str] = view.roles(report.report_id)
        if view.subject.kind is Kind.PERSON:
            mentions = view.own_mentions(report)
            if any(isinstance(m, Person) and _juvenile(m, view.now.date()) for m in mentions):
                return None
            roles = {str(m.role) for m in mentions if not (isinstance(m, Person) and m.ncii)}
        if roles:
            kept.append(report)
        suspected = suspected or (predicated(report) and not BYSTANDING_ROLES.issuperset(roles))
    if not suspected:
        return None
    ids = {r.report_id for r in kept}
    return replace(
        view, reports=tuple(kept), sightings=tuple(s for s in view.sightings if s.report_id in ids)
    )


def _counts(report: Report, now: datetime) -> bool:
    if report.action == "RETRACT" or report.retention.retain_until < now.astimezone(UTC).date():
        return False
    if report.legal_basis.expires is not None and report.legal_basis.expires <= now:
        return False
    return report.predicate is None or report.predicate.basis != "TIP_UNVETTED"


def _juvenile(person: Person, today: date) -> bool:
    if person.juvenile:
        return True
    if person.dob is None or len(person.dob) != 10:
        return False
    year, month, day = (int(part) for part in person.dob.split("-"))
    return (today.year - year - ((today.month, today.day) < (month, day))) < ADULT
