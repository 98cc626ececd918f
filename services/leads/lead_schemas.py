"""What the API says of leads, as models: the shape of stored documents and of the OpenAPI description."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A part of an answer; unknown fields are a defect."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SubjectModel(Part):
    """The entity that the lead is about."""

    entity_id: str
    kind: str
    label: str


class ContributionModel(Part):
    """One row of the score; rows add up to it. Rule CAP is a cut at the cap of a family, or at 100."""

    rule: str
    title: str
    family: str
    points: int
    weight: float = Field(description="strength of the weakest necessary report, 0 to 1")
    value: float = Field(description="points × weight; negative for a cut")
    text: str
    necessary: list[str] = Field(description="ids of the reports without which the rule would not fire")
    events: int = Field(description="how many events the evidence tells of; a joint seizure is one")


class PortionModel(Part):
    """A marked passage of the report that is evidence."""

    number: int
    marking: str


class EvidenceModel(Part):
    """A report that supports the lead, and where in it."""

    report_id: str
    source_report_no: str
    feed: str
    agency: str
    rules: list[str]
    fields: list[str]
    at: AwareDatetime
    grade: str
    basis: str | None
    marking: str
    portions: list[PortionModel]


class ConvergenceModel(Part):
    """Where the lead's evidence comes from."""

    feeds: list[str]
    agencies: list[str]
    states: list[str]


class MomentModel(Part):
    """One line of the timeline."""

    at: AwareDatetime
    report_id: str
    feed: str
    agency: str
    kind: str
    text: str
    marking: str


class NodeModel(Part):
    """An entity of the network, ``hops`` away from the subject."""

    entity_id: str
    kind: str
    label: str
    hops: int


class EdgeModel(Part):
    """A relation that reports assert."""

    source: str
    target: str
    type: str
    confidence: float
    reports: list[str]


class NetworkModel(Part):
    """The subject's neighbourhood; ``cut``: a bound left something out."""

    nodes: list[NodeModel]
    edges: list[EdgeModel]
    cut: bool


class NexusModel(Part):
    """An active entry of a priority list, ``hops`` away from the subject."""

    list: str
    entry_id: str
    label: str
    hops: int
    report_id: str


class FlagModel(Part):
    """A criterion of transnational organised crime, with its evidence."""

    flag: Literal["V", "B", "I", "E", "S"]
    evidence: str
    report_id: str


class ConfidenceModel(Part):
    """Analytic confidence and likelihood in the words of ICD 203, and what they rest on."""

    level: Literal["HIGH", "MODERATE", "LOW"]
    likelihood: str
    because: str


class ContactModel(Part):
    """Whom to call at an agency that owns evidence."""

    agency_id: str
    unit: str | None
    contact_name: str
    phone: str
    email: str | None
    after_hours_phone: str | None


class CallModel(Part):
    """Whom to call."""

    name: str
    phone: str
    email: str | None
    after_hours_phone: str | None


class OtherSideModel(Part):
    """The other side of a conflict."""

    number: str
    agency: str
    unit: str
    contact: CallModel


class DeconflictionModel(Part):
    """Whether the lead's identifiers were checked against other agencies' operations."""

    status: Literal["NOT_CHECKED", "CLEAR", "CONFLICT", "RESOLVED"]
    checked_at: AwareDatetime | None
    contacts: list[OtherSideModel] = Field([], description="whom to call first; never what they work on")


class HolderModel(Part):
    """Who holds the lead."""

    agency: str
    person: str
    since: AwareDatetime


class LifeModel(Part):
    """Where a lead is in its life."""

    lead_id: str
    state: str
    claimed_by: HolderModel | None
    reviewer: str | None
    deconfliction: DeconflictionModel


class PersonModel(Part):
    """Who took a step."""

    agency: str
    person: str


class StepModel(Part):
    """A step in the life of a lead: the state it went to, or CLAIM."""

    at: AwareDatetime
    step: str
    by: PersonModel | None = Field(description="null: the registry itself, on a new conflict")
    reason: str


class CommentModel(Part):
    """What somebody said of a lead."""

    at: AwareDatetime
    by: PersonModel
    text: str


class CommentList(Part):
    """The comments on a lead, oldest first."""

    items: list[CommentModel]
    next_cursor: str | None


class FeedbackModel(Part):
    """What somebody says came of a lead."""

    at: AwareDatetime
    by: PersonModel
    outcome: Literal["ACTIONED", "NO_VALUE", "DUPLICATE", "REFUTED"]
    note: str


class HistoryList(Part):
    """The steps of a lead, oldest first."""

    items: list[StepModel]
    next_cursor: str | None


class MarkingModel(Part):
    """The derived marking; ``release_to`` null = no limit by name."""

    cui: str
    tlp: str
    caveats: list[str]
    release_to: list[str] | None


class ReleaseModel(Part):
    """Whether the evidence allows a release, and what is missing."""

    eligible: bool
    missing: list[str]


class LeadItem(Part):
    """A lead in a list."""

    lead_id: str
    title: str
    summary: str
    type: Literal["PERSON", "IDENTIFIER", "ORGANIZATION", "ACCOUNT", "CONVEYANCE", "PLACE"]
    subject: SubjectModel
    score: float
    band: Literal["URGENT", "HIGH", "ROUTINE", "HELD"]
    rules: list[str]
    convergence: ConvergenceModel
    state: str
    decay_date: date
    marking: str
    releasable: bool = Field(description="the evidence allows a release")
    reports: list[str] = Field(description="ids of the reports that are its evidence, by time")
    updated_at: AwareDatetime = Field(description="when the newest report behind the lead was received")


class LeadDetail(LeadItem):
    """A lead with everything that supports it."""

    marking: MarkingModel  # type: ignore[assignment]  # the banner in a list, the whole marking here
    contributions: list[ContributionModel]
    evidence: list[EvidenceModel]
    timeline: list[MomentModel]
    network: NetworkModel
    priority_list_nexus: list[NexusModel]
    toc_flags: list[FlagModel]
    confidence: ConfidenceModel
    intelligence_gaps: list[str]
    suggested_action: str
    owning_agencies: list[ContactModel]
    deconfliction: DeconflictionModel
    release: ReleaseModel
    tearline: str | None
    reviewer: str | None
    claimed_by: HolderModel | None = None
    feedback: list[FeedbackModel] = Field(description="what came of it, as people say; oldest first")


class LeadList(Part):
    """A page of leads."""

    items: list[LeadItem]
    next_cursor: str | None


class ThresholdModel(Part):
    """An amount that a rule measures against."""

    name: str
    amount: float
    unit: str
    place: str | None = Field(description="null: everywhere; a US state or county (FIPS)")
    effective: date
    until: date | None
    source: str


class RuleModel(Part):
    """A lead rule: what it looks for, in words, and its thresholds."""

    rule: str
    title: str
    family: str
    family_cap: int
    points: str
    text: str
    thresholds: list[ThresholdModel]
    precision: float | None = Field(description="share of its closed leads that held; null: no outcome yet")


class RuleList(Part):
    """Every rule."""

    items: list[RuleModel]
