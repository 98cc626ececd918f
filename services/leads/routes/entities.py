"""``/v1/entities/{id}``: the golden record, and what the visible reports say of an entity."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from services.leads import derivation, schemas
from services.leads.access import WITHHELD, Standing
from services.leads.answers import listing, page, place, resource
from services.leads.disclosure import disclose
from services.leads.entity import Entity
from services.leads.entity_store import (
    COUNTED,
    count_reports,
    heads,
    link_page,
    mention_page,
    report_page,
)
from services.leads.golden import golden
from services.leads.graph import neighbourhood
from services.leads.lead_schemas import LeadList
from services.leads.lead_store import Query as LeadQuery
from services.leads.lead_store import page as lead_page
from services.leads.picture_store import workings
from services.leads.reading import Reading
from services.leads.report_store import dashed, newest_mentions
from services.leads.sets import sets_of
from services.leads.store import combinations
from services.leads.viewer import Viewer, reader
from shared.problems import INVALID, NOT_FOUND, PURPOSE, UNAUTHENTICATED, UNAVAILABLE, problem_responses

Reader = Annotated[Viewer, Depends(reader)]
EntityId = Annotated[
    str, Path(pattern=r"^[0-9a-f]{32}$", description="Id of the entity, or of any profile that it holds.")
]
Limit = Annotated[int, Query(ge=1, le=500, description="Items of one page.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]
SOURCES: Final = 100
"""Newest reports of each profile that a golden record rests on."""
_MISSING = problem_responses(UNAUTHENTICATED, INVALID, PURPOSE, UNAVAILABLE, NOT_FOUND)


Row = tuple[list[Any], dict[str, Any]]
"""An item of a list with its place in the order."""


def router(reading: Reading) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/entities", tags=["entities"])
    _record(routes, reading)
    _mentions(routes, reading)
    _timeline(routes, reading)
    _links(routes, reading)
    _around(routes, reading)
    return routes


def _record(routes: APIRouter, reading: Reading) -> None:
    @routes.get(
        "/{entity_id}", response_model=schemas.GoldenRecord, summary="The golden record", responses=_MISSING
    )
    def record(viewer: Reader, request: Request, entity_id: EntityId) -> Response:
        """Every value that visible reports give, each with its sources, and whom to call."""
        with reading.look(viewer.clearance) as look:
            entity = look.entity(entity_id)
            newest = newest_mentions(look.conn, entity.profile_ids, SOURCES, look.now_ms)
            reports_of = {p: [r for _, r, _ in rows] for p, rows in newest.items()}
            found = heads(look.conn, {r for rs in reports_of.values() for r in rs}, look.now_ms)
            count = count_reports(look.conn, entity.profile_ids, look.now_ms)
        body = golden(entity, found, reports_of, count, cut=count > len(found) or count >= COUNTED)
        disclose(viewer, "entity", [h.report_id for h in found.values()])
        return resource(request, body)

    @routes.get(
        "/{entity_id}/how",
        response_model=schemas.Derivation,
        summary="How it came together",
        responses=_MISSING,
    )
    def how(viewer: Reader, request: Request, entity_id: EntityId) -> Response:
        """The pairs and judgements that joined its profiles, in order, and what was held apart."""
        with reading.look(viewer.clearance) as look:
            entity = look.entity(entity_id)
            known = workings(look.conn, [entity.entity_id], look.sight, look.now_ms)
            newest = newest_mentions(look.conn, entity.profile_ids, 1, look.now_ms)
        disclose(viewer, "how", {dashed(r) for rows in newest.values() for _, r, _ in rows[:1]})
        steps, cut = derivation.steps(entity, known)
        body = {
            "entity_id": entity.entity_id,
            "profiles": [
                {"profile_id": m.profile_id, "label": _label(entity, m.profile_id)} for m in entity.members
            ],
            "steps": steps,
            "cut": cut,
            "held_apart": derivation.held_apart(entity, known),
        }
        return resource(request, body)


def _label(entity: Entity, profile_id: str) -> str:
    return next((m.label for m in entity.named if m.profile_id == profile_id), entity.label)


def _mentions(routes: APIRouter, reading: Reading) -> None:
    @routes.get(
        "/{entity_id}/mentions",
        response_model=schemas.MentionList,
        summary="Its mentions",
        responses=_MISSING,
    )
    def mentions(viewer: Reader, entity_id: EntityId, limit: Limit = 50, cursor: Cursor = None) -> Response:
        """Where visible reports mention it, newest event first."""
        scope = f"mentions {entity_id}"
        after = place(scope, cursor, (int, str, str))
        with reading.look(viewer.clearance) as look:
            entity = look.entity(entity_id)
            found = mention_page(look.conn, entity.profile_ids, after, limit + 1, look.now_ms)
            known = heads(look.conn, [m.report_id for m in found], look.now_ms)
        rows: list[Row] = [
            (
                [m.event_ms, m.report_id, m.local_id],
                known[m.report_id].source()
                | {
                    "local_id": m.local_id,
                    "role": m.role,
                    "profile_id": m.profile_id,
                    "label": WITHHELD if m.standing & Standing.JUVENILE else m.label,
                },
            )
            for m in found
        ]
        disclose(viewer, "mentions", [h.report_id for h in known.values()])
        return listing(page(scope, rows, limit))


def _timeline(routes: APIRouter, reading: Reading) -> None:
    @routes.get(
        "/{entity_id}/timeline",
        response_model=schemas.Timeline,
        summary="What happened when",
        responses=_MISSING,
    )
    def timeline(viewer: Reader, entity_id: EntityId, limit: Limit = 50, cursor: Cursor = None) -> Response:
        """The events of the visible reports that mention it, newest first."""
        scope = f"timeline {entity_id}"
        after = place(scope, cursor, (int, str))
        with reading.look(viewer.clearance) as look:
            entity = look.entity(entity_id)
            found = report_page(look.conn, entity.profile_ids, after, limit + 1, look.now_ms)
            known = heads(look.conn, [r for _, r in found], look.now_ms)
        rows: list[Row] = [
            (
                [at, r],
                known[r].source() | {"end": known[r].end, "kind": known[r].kind, "text": known[r].text},
            )
            for at, r in found
        ]
        disclose(viewer, "timeline", [h.report_id for h in known.values()])
        return listing(page(scope, rows, limit))


def _links(routes: APIRouter, reading: Reading) -> None:
    @routes.get(
        "/{entity_id}/links", response_model=schemas.LinkList, summary="Its links", responses=_MISSING
    )
    def links(viewer: Reader, entity_id: EntityId, limit: Limit = 50, cursor: Cursor = None) -> Response:
        """The relations that visible reports assert between it and others, newest event first."""
        scope = f"links {entity_id}"
        after = place(scope, cursor, (int, str, int))
        with reading.look(viewer.clearance) as look:
            entity = look.entity(entity_id)
            found = link_page(look.conn, entity.profile_ids, after, limit + 1, look.now_ms)
            known = heads(look.conn, [x.report_id for x in found], look.now_ms)
            entity_of = look.picture([p for x in found for p in (x.source, x.target)]).entity_of
        own = set(entity.profile_ids)
        rows: list[Row] = []
        for x in found:
            outward = x.source in own
            other = entity_of.get(x.target if outward else x.source)
            if other is None:
                continue
            item = known[x.report_id].source() | {
                "type": x.type,
                "direction": "OUT" if outward else "IN",
                "confidence": x.confidence / 1000,
                "other": {"entity_id": other.entity_id, "kind": other.kind.value, "label": other.label},
            }
            rows.append(([x.event_ms, x.report_id, x.ordinal], item))
        disclose(viewer, "links", [h.report_id for h in known.values()])
        return listing(page(scope, rows, limit))


def _around(routes: APIRouter, reading: Reading) -> None:
    @routes.get(
        "/{entity_id}/graph", response_model=schemas.Graph, summary="Its neighbourhood", responses=_MISSING
    )
    def graph(
        viewer: Reader,
        request: Request,
        entity_id: EntityId,
        hops: Annotated[int, Query(ge=1, le=3, description="Links away.")] = 1,
        limit: Annotated[int, Query(ge=1, le=500, description="Nodes, the entity included.")] = 100,
    ) -> Response:
        """Entities that visible reports link to it, victims and witnesses apart; `cut`: what was left out."""
        with reading.look(viewer.clearance) as look:
            body, used = neighbourhood(look, look.entity(entity_id), hops, limit)
        disclose(viewer, "graph", [dashed(r) for r in used])
        return resource(request, body)

    @routes.get("/{entity_id}/leads", response_model=LeadList, summary="Leads about it", responses=_MISSING)
    def leads(viewer: Reader, entity_id: EntityId, limit: Limit = 50, cursor: Cursor = None) -> Response:
        """The leads whose subject it is, the most pressing first."""
        scope = f"leads of {entity_id}"
        after = place(scope, cursor, (int, str))
        with reading.look(viewer.clearance) as look:
            entity = look.entity(entity_id)
            sets = sets_of(combinations(look.conn), look.sight)
            found = lead_page(
                look.conn,
                LeadQuery(
                    sets,
                    limit,
                    subject=entity.entity_id,
                    after=None if after is None else (after[0], after[1]),
                ),
            )
        answer = page(scope, [([*f.place], orjson.loads(f.item)) for f in found], limit)
        disclose(viewer, "leads", {r for item in answer["items"] for r in item["reports"]})
        return listing(answer)
