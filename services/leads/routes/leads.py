"""``/v1/leads``: the leads that a viewer may see, each computed from what he may see and nothing else."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Final, Literal, Protocol
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Header, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection
from starlette.responses import Response

from services.leads.clock import ms
from services.leads.compose import words
from services.leads.lead_schemas import LeadDetail, LeadList
from services.leads.lead_store import Query as LeadQuery
from services.leads.lead_store import body_of, page
from services.leads.scoring import BANDS, MOST, Band
from services.leads.sets import sets_of
from services.leads.store import combinations, picture, sight
from shared.contracts.handling import Clearance
from shared.database import Database
from shared.problems import INVALID, NOT_FOUND, PURPOSE, UNAUTHENTICATED, problem_responses

Rule = Annotated[str, StringConstraints(pattern=r"^L[0-9]{2}$")]
Feed = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,7}$")]
Agency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}[A-Z0-9]{7}$")]
StateCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
State = Literal[
    "CANDIDATE", "REVIEW", "DECONFLICTING", "RELEASED", "ASSIGNED", "ACTIONED", "NO_VALUE", "DUPLICATE",
    "REFUTED", "SUSPENDED", "PURGED",
]  # fmt: skip
_COLUMNS: Final = {"score": "score", "updated": "updated_ms"}
_TAGGED: Final = ("rule", "type", "state", "feed", "agency", "state_code")


class Reader(Protocol):
    """Who reads, with purpose and case number given."""

    @property
    def clearance(self) -> Clearance:
        """What decides what he may see."""
        ...


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
        return (*groups, *((f"word:{word}",) for word in words(self.q or "")))

    def scores(self) -> tuple[tuple[int, int], ...]:
        """Score ranges in hundredths: of the bands asked for, from ``min_score`` up; none: any."""
        if not self.band and not self.min_score:
            return ()
        ranges, above, least = [], MOST * 100 + 1, round(self.min_score * 100)
        for low, band in BANDS:
            if not self.band or band in self.band:
                ranges.append((max(low, least), above))
            above = low
        return tuple(r for r in ranges if r[0] < r[1]) or ((0, 0),)

    def query(self, sets: list[int], subject: str | None) -> LeadQuery:
        """The page to read for a viewer of these sets."""
        return LeadQuery(
            sets=sets,
            limit=self.limit,
            by=_COLUMNS[self.sort.removeprefix("-")],
            descending=self.sort.startswith("-"),
            tags=self.tags(),
            scores=self.scores(),
            since_ms=None if self.since is None else ms(self.since),
            subject=subject,
            after=None if self.cursor is None else _place(self.cursor, self.sort),
        )


def router(
    database: Database,
    reader: Callable[..., Reader],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """The routes; ``reader`` is the dependency that demands a token, a purpose and a case number."""
    routes = APIRouter(prefix="/v1/leads", tags=["leads"])
    refusals = problem_responses(UNAUTHENTICATED, PURPOSE, INVALID)

    @routes.get("", response_model=LeadList, summary="Leads, the most pressing first", responses=refusals)
    def leads(who: Annotated[Reader, Depends(reader)], filters: Annotated[LeadFilters, Query()]) -> Response:
        """The leads computed from what you may see, a page at a time; pages hold while new leads come in."""
        with database.snapshot() as conn:
            query = filters.query(_sets(conn, who.clearance), filters.entity)
            if filters.entity is not None:
                subject = _subject(conn, filters.entity, who.clearance, ms(clock()))
                query = filters.query(list(query.sets), subject)
            if filters.q is not None and not words(filters.q):
                return _list([], None)
            rows = page(conn, query)
        more = rows[filters.limit - 1].place if len(rows) > filters.limit else None
        cursor = None if more is None else _cursor(filters.sort, more)
        return _list([row.item for row in rows[: filters.limit]], cursor)

    @routes.get(
        "/{lead_id}",
        response_model=LeadDetail,
        summary="One lead with everything that supports it",
        responses={**refusals, **problem_responses(NOT_FOUND), 304: {"description": "unchanged"}},
    )
    def lead(
        who: Annotated[Reader, Depends(reader)],
        lead_id: Annotated[UUID, Path()],
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Score with its parts, evidence with markings, timeline, network, whom to call, what is missing."""
        with database.snapshot() as conn:
            body = body_of(conn, lead_id.hex, _sets(conn, who.clearance))
        if body is None:
            raise NOT_FOUND.because(NOT_FOUND.doc)
        tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
        if if_none_match == tag:
            return Response(status_code=304, headers={"ETag": tag})
        return Response(body, media_type="application/json", headers={"ETag": tag})

    return routes


def _sets(conn: Connection, clearance: Clearance) -> list[int]:
    return sets_of(combinations(conn), sight(conn, clearance))


def _subject(conn: Connection, profile_id: str, clearance: Clearance, now_ms: int) -> str:
    """The entity that holds the profile for this viewer; the id itself where there is none."""
    entity = picture(conn, [profile_id], sight(conn, clearance), now_ms).entity_of.get(profile_id)
    return profile_id if entity is None else entity.entity_id


def _list(items: list[bytes], cursor: str | None) -> Response:
    body = b'{"items":[' + b",".join(items) + b'],"next_cursor":' + orjson.dumps(cursor) + b"}"
    return Response(body, media_type="application/json")


def _cursor(sort: str, place: tuple[int, str]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([sort, *place])).decode().rstrip("=")


def _place(cursor: str, sort: str) -> tuple[int, str]:
    """The place that a cursor names; raises the 422 problem unless it is one of this sort order."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        made_for, value, lead_id = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if made_for == sort and type(value) is int and -(1 << 62) < value < 1 << 62:
            return value, UUID(lead_id).hex
    except (ValueError, TypeError, AttributeError):
        pass
    message = "is not a cursor of this list and order; leave it out to start from the first page"
    raise INVALID.because(f"/query/cursor: {message}", [{"pointer": "/query/cursor", "message": message}])
