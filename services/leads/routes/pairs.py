"""``/v1/pairs``: why two profiles are one entity, or why not."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from services.leads import derivation, schemas
from services.leads.answers import resource
from services.leads.disclosure import disclose
from services.leads.entity import Entity
from services.leads.entity_store import evidence_of, threshold
from services.leads.picture_store import Workings, workings
from services.leads.reading import Reading, nothing
from services.leads.report_store import dashed, newest_mentions
from services.leads.viewer import Viewer, reader
from shared.problems import INVALID, NOT_FOUND, PURPOSE, UNAUTHENTICATED, problem_responses

ProfileId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="Id of a profile or an entity.")]


def router(reading: Reading) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1/pairs", tags=["entities"])

    @routes.get(
        "/{a}/{b}",
        response_model=schemas.PairDetail,
        summary="Why, or why not",
        responses=problem_responses(UNAUTHENTICATED, NOT_FOUND, PURPOSE, INVALID),
    )
    def pair(
        viewer: Annotated[Viewer, Depends(reader)], request: Request, a: ProfileId, b: ProfileId
    ) -> Response:
        """The rows that add up to the pair's weight, and what joins or forbids it."""
        a, b = min(a, b), max(a, b)
        with reading.look(viewer.clearance) as look:
            known = workings(look.conn, [a, b], look.sight, look.now_ms)
            one, other = known.entity_of.get(a), known.entity_of.get(b)
            if one is None or other is None:
                raise nothing()
            rows = evidence_of(look.conn, a, b)
            masked = any(_is_masked(e, p) for e, p in ((one, a), (other, b)))
            newest = newest_mentions(look.conn, [a, b], 1, look.now_ms)
            body = _body((a, b), (one, other), known, threshold(look.conn))
        if body["weight"] is not None and rows is not None and not masked:
            body["evidence"] = orjson.loads(rows)
        disclose(viewer, "pair", {dashed(r) for found in newest.values() for _, r, _ in found[:1]})
        return resource(request, body)

    return routes


def _body(
    ends: tuple[str, str], entities: tuple[Entity, Entity], known: Workings, needed: int | None
) -> dict[str, Any]:
    (a, b), (one, other) = ends, entities
    found = next((p for p in known.pairs if (p.a, p.b) == (a, b)), None)
    same = one.entity_id == other.entity_id
    blocks = derivation.blocked_by(one, other, known)
    return {
        "a": a,
        "b": b,
        "weight": None if found is None else found.weight,
        "threshold": needed,
        "verdict": "NOT_RELATED" if found is None else found.verdict,
        "same_entity": same,
        "via": derivation.via(a, b, one, known) if same and a != b else [],
        "text": derivation.in_words(found, needed, same=same, blocks=blocks),
        "evidence": [],
        "blocked_by": blocks,
        "judgements": [dashed(j.judgement_id) for j in known.judgements if (j.a, j.b) == (a, b)],
    }


def _is_masked(entity: Entity, profile_id: str) -> bool:
    return all(m.profile_id != profile_id for m in entity.named)
