"""Whose lead an event is: the people and firms that took part, and the conveyance it happened with."""

from typing import Final

from services.leads.rules.admissible import BYSTANDING_ROLES
from services.leads.view import View
from shared.contracts.entities import Kind
from shared.contracts.report import Report

CONVEYANCES: Final = frozenset({Kind.VEHICLE, Kind.VESSEL, Kind.AIRCRAFT, Kind.CONTAINER})


def took_part(view: View, report: Report) -> bool:
    """Whether the subject took part in the reported event, or was its conveyance."""
    if view.subject.kind in {Kind.PERSON, Kind.ORGANIZATION}:
        return not view.roles(report.report_id) <= BYSTANDING_ROLES
    return view.subject.kind in CONVEYANCES and view.subject == view.entity_of(
        report.report_id, report.facts.conveyance
    )
