"""``/v1/reports/{id}``: a report as the viewer may see it."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from services.leads import schemas
from services.leads.access import Visibility, masked, may_name_juveniles, visible
from services.leads.answers import resource
from services.leads.disclosure import disclose
from services.leads.entity_store import held_identifiers, profiles_of_report
from services.leads.heads import contact
from services.leads.reading import Look, Reading, nothing
from services.leads.report_store import stored_report
from services.leads.viewer import Viewer, reader
from shared.contracts.report import Report
from shared.problems import INVALID, NOT_FOUND, PURPOSE, UNAUTHENTICATED, problem_responses


def router(reading: Reading) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1/reports", tags=["reports"])

    @routes.get(
        "/{report_id}",
        response_model=schemas.ReportAnswer,
        response_model_exclude_unset=True,
        summary="One report",
        responses=problem_responses(UNAUTHENTICATED, NOT_FOUND, PURPOSE, INVALID),
    )
    def report(
        viewer: Annotated[Viewer, Depends(reader)], request: Request, report_id: Annotated[UUID, Path()]
    ) -> Response:
        """Whole; or, where its originator allows no more, whom to call about an identifier that you hold."""
        with reading.look(viewer.clearance) as look:
            stored = stored_report(look.conn, report_id.hex)
            body = None if stored is None else _seen(look, report_id.hex, *stored)
        if body is None:
            raise nothing()
        disclose(viewer, "report", [str(report_id)])
        return resource(request, body)

    return routes


def _seen(look: Look, report_id: str, report: Report, audience_id: int) -> dict[str, Any] | None:
    """The answer for this viewer; None for nothing.

    The stored audience knows of approvals, the table of the clock and of pointers: FULL needs both.
    """
    found = visible(look.viewer, report, look.now)
    if found is Visibility.NONE:
        return None
    if audience_id in look.sight:
        shown = report if may_name_juveniles(look.viewer, report) else masked(report)
        return {"visibility": "FULL", "report": orjson.loads(shown.to_json())}
    held = held_identifiers(
        look.conn, profiles_of_report(look.conn, report_id), look.viewer.agency, look.now_ms
    )
    if not held:
        return None
    origin = orjson.loads(report.originator.to_json())
    return {"visibility": "POINTER", "identifiers": held, "contact": contact(origin)}
