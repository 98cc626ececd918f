"""``/v1/reviews``: the pairs that wait for a person's decision, of what the viewer may see alone."""

from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.leads import answers, reviews, schemas
from services.leads.disclosure import disclose
from services.leads.entity_store import evidence_of
from services.leads.reading import Look, Reading
from services.leads.report_store import dashed, newest_mentions
from services.leads.reviews import AMBIGUOUS, POSSIBLE, Review
from services.leads.viewer import Viewer, reader
from shared.problems import FORBIDDEN, INVALID, PURPOSE, UNAUTHENTICATED, problem_responses
from shared.web import require

ROLES: Final = ("analyst", "reviewer", "supervisor")
Case = Literal["POSSIBLE", "AMBIGUOUS"]


class ReviewFilters(BaseModel):
    """What the queue is asked for."""

    model_config = ConfigDict(extra="forbid")

    case: list[Case] = Field([], description="POSSIBLE: below the threshold; AMBIGUOUS: strong, held apart")
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=500, description="`next_cursor` of the page before")

    def scope(self) -> str:
        """What a cursor belongs to."""
        return "reviews " + self.model_dump_json(include={"case"})


class ReviewSide(schemas.Part):
    """One profile of a pair; ``reports``: how many that the viewer sees mention it."""

    profile_id: str
    label: str
    entity_id: str
    reports: int


class ReviewItem(schemas.Part):
    """A pair to decide about with `POST /v1/judgements`; weights in centibits (100 = one bit)."""

    case: Case
    a: ReviewSide
    b: ReviewSide
    kind: str
    weight: int
    threshold: int | None = Field(description="what a pair needs to be the same; null until known")
    value: int = Field(description="log2 of the reports concerned, less what is short of the threshold")
    text: str
    evidence: list[schemas.EvidenceRow]
    blocked_by: list[schemas.Block]


class ReviewList(schemas.Part):
    """A page of the queue, the most valuable first; ``cut``: there are more than are ranked."""

    items: list[ReviewItem]
    next_cursor: str | None
    cut: bool


def router(reading: Reading) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1/reviews", tags=["entities"])

    @routes.get(
        "",
        response_model=ReviewList,
        summary="Pairs that wait for a decision",
        responses=problem_responses(UNAUTHENTICATED, FORBIDDEN, PURPOSE, INVALID),
    )
    def queue(
        viewer: Annotated[Viewer, Depends(reader)], filters: Annotated[ReviewFilters, Query()]
    ) -> Response:
        """Possible pairs, and strong ones that a contradiction holds apart, of what you may see."""
        require(viewer.identity, *ROLES)
        after = answers.place(filters.scope(), filters.cursor, (int, str, str))
        cases = tuple(c for c in (POSSIBLE, AMBIGUOUS) if c in filters.case or not filters.case)
        with reading.look(viewer.clearance) as look:
            found, cut = reviews.queue(look, cases)
            page = [r for r in found if after is None or r.order > tuple(after)][: filters.limit + 1]
            rows = [([*r.order], r.item(_evidence(look, r))) for r in page]
            shown = {i for r in page[: filters.limit] for i in (r.pair.a, r.pair.b)}
            newest = newest_mentions(look.conn, shown, 1, look.now_ms)
        disclose(viewer, "reviews", {dashed(r) for mentions in newest.values() for _, r, _ in mentions[:1]})
        return answers.listing(answers.page(filters.scope(), rows, filters.limit) | {"cut": cut})

    return routes


def _evidence(look: Look, review: Review) -> list[dict[str, Any]]:
    rows = evidence_of(look.conn, review.pair.a, review.pair.b)
    return [] if rows is None else list(orjson.loads(rows))
