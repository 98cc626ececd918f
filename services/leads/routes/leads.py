"""``/v1/leads``: the leads that a viewer may see, each computed from what he may see and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection
from starlette.responses import Response

from services.leads import answers
from services.leads.access import Sight
from services.leads.answers import listing, place, resource
from services.leads.clock import ms
from services.leads.compose import words
from services.leads.disclosure import disclose
from services.leads.lead_schemas import LeadDetail, LeadList
from services.leads.lead_store import Found, body_of, page
from services.leads.lead_store import Query as LeadQuery
from services.leads.lives import Lives
from services.leads.network import neighbourhood
from services.leads.scoring import BANDS, MOST, Band
from services.leads.sets import sets_of
from services.leads.store import combinations, picture, sight, view
from services.leads.viewer import Viewer, reader
from shared.contracts.handling import Clearance
from shared.database import Database
from shared.problems import INVALID, NOT_FOUND, PURPOSE, UNAUTHENTICATED, problem_responses

Reader = Annotated[Viewer, Depends(reader)]
Rule = Annotated[str, StringConstraints(pattern=r"^L[0-9]{2}$")]
Feed = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,7}$")]
Agency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}[A-Z0-9]{7}$")]
StateCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
State = Literal[
    "CANDIDATE", "REVIEW", "DECONFLICTING", "RELEASED", "ASSIGNED", "ACTIONED", "NO_VALUE", "DUPLICATE",
    "REFUTED", "SUSPENDED", "PURGED",
]  # fmt: skip
_COLUMNS: Final = {"score": "score", "updated": "updated_ms"}
_TAGGED: Final = ("rule", "type", "feed", "agency", "state_code")


class LeadFilters(BaseModel):
    """What the list is asked for; filters repeat, and of each one value must hold."""

    model_config = ConfigDict(extra="forbid")

    band: list[Band] = Field([], description="how soon somebody should look; HELD = too little so far")
    rule: list[Rule] = Field([], description="number of a rule that fires, such as L11")
    type: list[Literal["PERSON", "IDENTIFIER", "ORGANIZATION", "ACCOUNT", "CONVEYANCE", "PLACE"]] = Field(
        [], description="what the lead is about"
    )
    state: list[State] = Field([], description="where the lead is in its life")
    feed: list[Feed] = Field([], description="a feed that evidence came through")
    agency: list[Agency] = Field([], description="an agency that evidence came from")
    state_code: list[StateCode] = Field([], description="a US state where it happened, such as TX")
    since: AwareDatetime | None = Field(None, description="the newest report behind it came at or after")
    min_score: float = Field(0, ge=0, le=100)
    entity: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = Field(
        None, description="id of an entity, or of any profile of it: leads about it"
    )
    q: str | None = Field(None, min_length=1, max_length=200, description="words of the subject's name")
    sort: Literal["-score", "score", "-updated", "updated"] = Field(
        "-score", description="-score: the highest first; -updated: the newest first"
    )
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = Field(None, max_length=500, description="`next_cursor` of the page before")

    def tags(self) -> tuple[tuple[str, ...], ...]:
        """The filters as groups of tags, of each of which one must hold; bands and times apart."""
        groups = [tuple(f"{n}:{v}" for v in getattr(self, n)) for n in _TAGGED if getattr(self, n)]
        wanted = [] if self.q is None else words(self.q) or [""]
        return (*groups, *((f"word:{word}",) for word in wanted))

    def scores(self) -> tuple[tuple[int, int], ...]:
        """Score ranges in hundredths: of the bands asked for, from ``min_score`` up; none: any."""
        if not self.band and not self.min_score:
            return ()
        ranges: list[tuple[int, int]] = []
        above, least = MOST * 100 + 1, round(self.min_score * 100)
        for low, band in BANDS:
            if (not self.band or band in self.band) and max(low, least) < above:
                if ranges and ranges[-1][0] == above:  # bands side by side are one range
                    above = ranges.pop()[1]
                ranges.append((max(low, least), above))
            above = low
        return tuple(ranges) or ((0, 0),)

    def scope(self) -> str:
        """What a cursor belongs to: this list with these filters in this order."""
        return "leads " + self.model_dump_json(exclude={"cursor", "limit"})

    def query(self, sets: list[int], subject: str | None, only: frozenset[str] | None = None) -> LeadQuery:
        """The page to read for a viewer of these sets; raises the 422 problem for another list's cursor."""
        after = place(self.scope(), self.cursor, (int, str))
        return LeadQuery(
            sets=sets,
            limit=self.limit,
            by=_COLUMNS[self.sort.removeprefix("-")],
            descending=self.sort.startswith("-"),
            tags=self.tags(),
            scores=self.scores(),
            since_ms=None if self.since is None else ms(self.since),
            subject=subject,
            only=only,
            after=None if after is None else (after[0], after[1]),
        )


def router(
    database: Database,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    lives: Lives | None = None,
) -> APIRouter:
    """The routes over this database; ``clock`` is the moment of reading.

    ``lives`` knows what people did with leads; without it every lead is a candidate.
    """
    routes = APIRouter(prefix="/v1/leads", tags=["leads"])
    refusals = problem_responses(UNAUTHENTICATED, PURPOSE, INVALID)

    @routes.get("", response_model=LeadList, summary="Leads, the most pressing first", responses=refusals)
    def leads(viewer: Reader, filters: Annotated[LeadFilters, Query()]) -> Response:
        """The leads computed from what you may see, a page at a time; pages hold while new leads come in."""
        only, left_out = _states(lives, viewer, filters.state)
        with database.snapshot() as conn:
            seen = sight(conn, viewer.clearance)
            subject = filters.entity and _subject(conn, filters.entity, seen, ms(clock()))
            query = filters.query(sets_of(combinations(conn), seen), subject, only)
            rows = _page(conn, query, left_out)
        shown = [([*row.place], orjson.loads(row.item)) for row in rows]
        answer = answers.page(filters.scope(), shown, filters.limit)
        if lives is not None:
            lives.lay_over(viewer.clearance, answer["items"])
        disclose(viewer, "leads", {r for item in answer["items"] for r in item["reports"]})
        return listing(answer)

    @routes.get(
        "/{lead_id}",
        response_model=LeadDetail,
        summary="One lead with everything that supports it",
        responses={**refusals, **problem_responses(NOT_FOUND), 304: {"description": "unchanged"}},
    )
    def lead(request: Request, viewer: Reader, lead_id: Annotated[UUID, Path()]) -> Response:
        """Score with its parts, evidence with markings, timeline, network, whom to call, what is missing."""
        found = whole(database, lives, viewer.clearance, lead_id, clock())
        edges = found["network"]["edges"]
        told = {m["report_id"] for m in found["timeline"]} | {r for e in edges for r in e["reports"]}
        disclose(viewer, f"lead {lead_id}", told)
        return resource(request, found)

    return routes


def whole(
    database: Database, lives: Lives | None, viewer: Clearance, lead_id: UUID, now: datetime
) -> dict[str, Any]:
    """A lead in full as the viewer gets it; raises the 404 problem where he has none."""
    with database.snapshot() as conn:
        found = _whole(conn, viewer, lead_id, now)
    if lives is not None:
        lives.lay_over_one(viewer, found)
    return found


def _whole(conn: Connection, viewer: Clearance, lead_id: UUID, now: datetime) -> dict[str, Any]:
    """A lead with the network around its subject; raises the 404 problem where the viewer has none."""
    seen = sight(conn, viewer)
    body = body_of(conn, lead_id.hex, sets_of(combinations(conn), seen))
    if body is None:
        raise NOT_FOUND.because(NOT_FOUND.doc)
    found: dict[str, Any] = orjson.loads(body)
    around = view(conn, found["subject"]["entity_id"], seen, now)
    found["network"] = {"nodes": [], "edges": [], "cut": False} if around is None else neighbourhood(around)
    return found


def _states(
    lives: Lives | None, viewer: Viewer, wanted: Sequence[State]
) -> tuple[frozenset[str] | None, frozenset[str]]:
    """(leads to look among, leads to leave out) where states are asked for."""
    if not wanted:
        return None, frozenset()
    if lives is None:
        return (None if "CANDIDATE" in wanted else frozenset()), frozenset()
    return lives.in_states(viewer.clearance, wanted)


def _page(conn: Connection, query: LeadQuery, left_out: frozenset[str]) -> list[Found]:
    """A page without some leads: read on until it is full."""
    found: list[Found] = []
    while True:
        rows = page(conn, query)
        found += [row for row in rows if row.place[1] not in left_out]
        if len(rows) <= query.limit or len(found) > query.limit:
            return found[: query.limit + 1]
        query = replace(query, after=rows[-1].place)


def _subject(conn: Connection, profile_id: str, seen: Sight, now_ms: int) -> str:
    """The entity that holds the profile for this viewer; the id itself where there is none."""
    entity = picture(conn, [profile_id], seen, now_ms).entity_of.get(profile_id)
    return profile_id if entity is None else entity.entity_id
