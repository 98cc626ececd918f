"""``/v1/lists``: the entries of priority lists that visible reports hold."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from services.leads import schemas
from services.leads.answers import resource
from services.leads.disclosure import disclose
from services.leads.entity_store import heads, listings
from services.leads.reading import Reading
from services.leads.report_store import mentions_of, reports
from services.leads.viewer import Viewer, reader
from shared.problems import INVALID, PURPOSE, UNAUTHENTICATED, problem_responses

REPORTS: Final = 1_000
"""Newest listing reports that are read."""


def router(reading: Reading) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1/lists", tags=["leads"])

    @routes.get(
        "",
        response_model=schemas.PriorityLists,
        summary="Priority lists",
        responses=problem_responses(UNAUTHENTICATED, PURPOSE, INVALID),
    )
    def lists(
        viewer: Annotated[Viewer, Depends(reader)],
        request: Request,
        chosen: Annotated[
            str | None, Query(alias="list", description="CPOT, RPOT, TICOT, SDNTK, TCO …", max_length=20)
        ] = None,
    ) -> Response:
        """Every entry that you may see, with the entity it names."""
        with reading.look(viewer.clearance) as look:
            found = listings(look.conn, look.sight, look.now_ms, REPORTS + 1)
            told = reports(look.conn, found[:REPORTS], look.now_ms)
            known = heads(look.conn, told, look.now_ms)
            mentions = {(r, m.local_id): m for r, ms in mentions_of(look.conn, told).items() for m in ms}
            entity_of = look.picture([m.profile_id for m in mentions.values()]).entity_of
        items: dict[tuple[str, ...], dict[str, Any]] = {}
        for r, report in told.items():
            for entry in report.facts.listings:
                mention = mentions.get((r, entry.mention))
                entity = entity_of.get(mention.profile_id) if mention else None
                if chosen is None or entry.list == chosen:
                    items[entry.list, entry.entry_id, known[r].at, r] = {
                        "list": entry.list,
                        "entry_id": entry.entry_id,
                        "status": entry.status,
                        "label": entity.label if entity else entry.entry_id,
                        "entity_id": entity.entity_id if entity else None,
                        "effective": entry.effective.isoformat() if entry.effective else None,
                        "source": known[r].source(),
                    }
        disclose(viewer, "lists", [h.report_id for h in known.values()])
        return resource(request, {"items": [items[k] for k in sorted(items)], "cut": len(found) > REPORTS})

    return routes
