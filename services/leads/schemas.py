"""What the API says of entities, pairs, reports and judgements: the shape of answers and of OpenAPI."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.leads.viewer import Purpose
from shared.contracts.entities import Line
from shared.contracts.judgement import ProfileId


class Part(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Matched(Part):
    """Why it was found: the value that answers the search."""

    feature: str
    value: str


class Hit(Part):
    """An entity that a search found."""

    entity_id: str
    kind: str
    label: str
    score: int = Field(description="0 to 100; by identifier 100, or 90 where it is only tied to the entity")
    matched: Matched
    last_seen: AwareDatetime | None = Field(description="event time of its newest report")


class HitList(Part):
    """A page of hits, the best first."""

    items: list[Hit]
    next_cursor: str | None


class Source(Part):
    """A report that says so; ``grade`` is the Admiralty grade of source and content."""

    report_id: str
    feed: str
    agency: str
    at: AwareDatetime
    grade: str
    marking: str


class Value(Part):
    """A value of an entity, with its newest sources."""

    feature: str
    value: str
    sources: list[Source]


class Contact(Part):
    """Whom to call at an agency that has reported."""

    agency_id: str
    unit: str | None
    contact_name: str
    phone: str
    email: str | None
    after_hours_phone: str | None


class Reported(Part):
    """The reports behind a record; ``cut``: values rest on the newest alone, the count goes to 10,000."""

    count: int
    cut: bool
    first: AwareDatetime | None
    last: AwareDatetime | None
    feeds: list[str]
    agencies: list[str]


class GoldenRecord(Part):
    """What is known of one entity."""

    entity_id: str
    kind: str
    label: str
    values: list[Value]
    profiles: list[str]
    reports: Reported
    contacts: list[Contact]
    marking: str


class MentionItem(Source):
    """One mention of an entity."""

    local_id: str
    role: str
    profile_id: str
    label: str


class MentionList(Part):
    """A page of mentions."""

    items: list[MentionItem]
    next_cursor: str | None


class Moment(Source):
    """One event of a timeline."""

    end: AwareDatetime | None
    kind: str
    text: str


class Timeline(Part):
    """A page of events."""

    items: list[Moment]
    next_cursor: str | None


class Other(Part):
    """The other end of a link."""

    entity_id: str
    kind: str
    label: str


class LinkItem(Source):
    """A relation that a report asserts; OUT: from the entity to the other."""

    type: str
    direction: Literal["OUT", "IN"]
    confidence: float
    other: Other


class LinkList(Part):
    """A page of links."""

    items: list[LinkItem]
    next_cursor: str | None


class Node(Part):
    """An entity of a graph, ``hops`` away from where it begins."""

    entity_id: str
    kind: str
    label: str
    hops: int
    profiles: int


class Edge(Part):
    """A relation between two entities, with the newest reports that assert it."""

    source: str
    target: str
    type: str
    confidence: float
    reports: list[str]


class Cut(Part):
    """What bounds left out: nodes and edges beyond the limit; of each profile only the newest links count."""

    nodes: int
    edges: int
    links_per_profile: int


class Graph(Part):
    """A neighbourhood."""

    nodes: list[Node]
    edges: list[Edge]
    cut: Cut


class Step(Part):
    """A pair that joined profiles; weight in centibits, or the judgement that did it."""

    a: str
    b: str
    weight: int | None
    judgement_id: str | None


class Block(Part):
    """What forbids that two profiles' entities are one."""

    kind: Literal["JUDGEMENT", "CONTRADICTION"]
    a: str
    b: str
    weight: int | None = None
    judgement_id: str | None = None


class HeldApart(Part):
    """A strong pair that was not allowed to join."""

    a: str
    b: str
    weight: int
    blocked_by: list[Block]


class Labelled(Part):
    """A profile and how to show it."""

    profile_id: str
    label: str


class Derivation(Part):
    """How an entity came together; pairs' rows are at ``/v1/pairs/{a}/{b}``."""

    entity_id: str
    profiles: list[Labelled]
    steps: list[Step]
    cut: bool
    held_apart: list[HeldApart]


class EvidenceRow(Part):
    """One line of an explanation; the rows of a pair sum to its weight."""

    feature: str
    a: str | None = None
    b: str | None = None
    level: str
    weight: int


class PairDetail(Part):
    """Why two profiles are one entity, or why not; weights in centibits (100 = one bit)."""

    a: str
    b: str
    weight: int | None = Field(description="null: not compared, or too weak to be kept for review")
    threshold: int | None = Field(description="what a pair needs to be the same; null until known")
    verdict: Literal["SAME", "POSSIBLE", "CONTRADICTED", "NOT_RELATED"]
    same_entity: bool
    via: list[str] = Field(description="profiles through which the two are one entity")
    text: str = Field(description="the answer in one sentence")
    evidence: list[EvidenceRow]
    blocked_by: list[Block]
    judgements: list[str] = Field(description="ids of the judgements about this very pair")


class ReportAnswer(Part):
    """A report as the viewer may see it: whole, or that it exists and whom to call."""

    visibility: Literal["FULL", "POINTER"]
    report: dict[str, Any] | None = Field(None, description="FULL: the canonical report")
    identifiers: list[str] = Field([], description="POINTER: the viewer's own identifiers that it is about")
    contact: Contact | None = Field(None, description="POINTER: whom to call")


class NewJudgement(BaseModel):
    """A person's decision about two profiles."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    a: ProfileId
    b: ProfileId
    verdict: Literal["SAME", "DIFFERENT", "UNSURE"]
    reason: Line
    own_agency_only: bool = Field(False, description="it changes the picture of the own agency alone")


class JudgementAnswer(Part):
    """A judgement as recorded."""

    judgement_id: str
    a: str
    b: str
    verdict: Literal["SAME", "DIFFERENT", "UNSURE"]
    reason: str
    author: str
    agency: str
    own_agency_only: bool
    at: AwareDatetime


class Me(Part):
    """What applies to the token: who it is, what it may do and see, and what reads must carry."""

    subject: str
    agency: str
    roles: list[str]
    authorities: list[str]
    centres: list[str]
    vetted: bool
    purposes: list[Purpose]
    required_headers: list[str]


class ListEntry(Part):
    """One entry of a priority list, as its report gives it."""

    list: str
    entry_id: str
    status: str
    label: str
    entity_id: str | None
    effective: str | None
    source: Source


class PriorityLists(Part):
    """The entries that the viewer may see."""

    items: list[ListEntry]
    cut: bool


IdempotencyKey = Annotated[str, StringConstraints(min_length=1, max_length=200)]
