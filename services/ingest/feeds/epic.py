"""EPIC, the El Paso Intelligence Center, with BIFS: plate reads, crossings, lookouts, inquiries, products."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from services.ingest.feeds import rules
from services.ingest.feeds.base import Envelope, Feed, Predicated
from services.ingest.feeds.codes import terms
from services.ingest.feeds.draft import Draft, make, utc
from services.ingest.feeds.epic_seizure import Seizure
from services.ingest.feeds.parts import (
    CONVEYANCES,
    HOLDER,
    Contact,
    Identified,
    Jurisdiction,
    Moment,
    PortCode,
    Sha256,
    Span,
    hold,
    identify_all,
)  # fmt: skip
from services.ingest.feeds.problems import Problem, problem
from shared.contracts.entities import (
    Document,
    Line,
    LocalId,
    Location,
    Money,
    Organization,
    RelationType,
    Role,
    Short,
    Text,
    Vehicle,
)  # fmt: skip
from shared.contracts.facts import EventKind, Facts
from shared.contracts.handling import AgencyId
from shared.contracts.model import Contract
from shared.contracts.report import E164

LOOKOUT_DAYS: Final = 90
TRAVELLERS: Final = (Role.SUBJECT, Role.DRIVER, Role.COURIER, Role.PASSENGER)


class Lpr(Envelope):
    """A plate reader saw a plate: an observation, which may lack a predicate and alone makes no lead."""

    KIND: ClassVar = EventKind.READ
    ELSEWHERE: ClassVar = frozenset({"plate", "jurisdiction", "lat", "lon", "at"})

    schema_: Literal["EPIC.LPR/1"] = Field(alias="schema")
    plate: Short
    jurisdiction: Jurisdiction
    reader_id: Short = Field(description="the reader, in the agency's own numbering")
    lat: float = Field(ge=-90, le=90, description="WGS84")
    lon: float = Field(ge=-180, le=180, description="WGS84")
    heading: int = Field(ge=0, le=359, description="degrees from true north")
    at: Moment = Field(description="when the plate was read")
    confidence: float = Field(ge=0, le=1, description="the reader's confidence in the characters")
    image_sha256: Sha256 | None = None

    def describe(self, draft: Draft) -> Facts:
        """The vehicle was seen at the reader."""
        vehicle = draft.same(Vehicle, "plate", self.plate) or draft.add(
            Vehicle, "_plate", role=Role.CONVEYANCE, plate=self.plate, jurisdiction=self.jurisdiction
        )
        place = draft.add(Location, "_reader", role=Role.PLACE, lat=self.lat, lon=self.lon)
        draft.relate(vehicle, RelationType.SEEN_AT, place)
        return make(Facts, kind=self.KIND, conveyance=vehicle, place=place)


class TravelDocument(Contract):
    """The document that was shown."""

    type: Annotated[str, terms.TRAVEL_DOCUMENT]
    number: Short
    issuer: Short | None = Field(None, description="ISO country, or country-subdivision such as US-TX")


class Crossing(Envelope):
    """Somebody or something crossed the border at a port: an observation, which may lack a predicate."""

    KIND: ClassVar = EventKind.CROSSING
    ELSEWHERE: ClassVar = frozenset({"document", "plate", "jurisdiction", "traveller", "conveyance"})

    schema_: Literal["EPIC.CROSSING/1"] = Field(alias="schema")
    port_code: PortCode
    lane: Short
    direction: Annotated[str, terms.DIRECTION]
    mode: Annotated[str, terms.MODE]
    document: TravelDocument | None = None
    plate: Short | None = None
    jurisdiction: Jurisdiction | None = None
    traveller: LocalId | None = Field(None, description="local_id of the person; by default the first listed")
    conveyance: LocalId | None = Field(None, description="local_id of the conveyance, where it is no plate")
    declared_usd: Money | None = Field(None, description="what was declared; absent = not asked")
    secondary: Annotated[str, terms.YES_NO] | None = Field(None, description="sent to secondary inspection")
    secondary_result: Line | None = None

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """A document or a plate is there; traveller and conveyance are mentions."""
        yield from rules.reference("/traveller", self.traveller, ids, ("persons",))
        yield from rules.reference("/conveyance", self.conveyance, ids, CONVEYANCES)
        if not (self.document or self.plate or self.conveyance or self.documents):
            yield problem("", "a crossing needs a document or a plate")

    def describe(self, draft: Draft) -> Facts:
        """Who crossed, by what, at which port."""
        place = draft.add(Location, "_port", role=Role.PLACE, port_code=self.port_code)
        conveyance, document = self._conveyance(draft), self._document(draft)
        traveller = self.traveller or next(iter(draft.with_role(*TRAVELLERS)), None)
        draft.relate(traveller, RelationType.IDENTIFIED_BY, document)
        drives = self.mode in {"POV", "COMM"}
        draft.relate(traveller, RelationType.DRIVES if drives else RelationType.PASSENGER_OF, conveyance)
        if traveller is None:
            draft.relate(document, RelationType.RELATED_TO, conveyance, "crossed together")
        for seen in (traveller or document, conveyance):
            draft.relate(seen, RelationType.SEEN_AT, place)
        return make(
            Facts,
            kind=self.KIND,
            direction=self.direction,
            setting=self.mode,
            place=place,
            conveyance=conveyance,
            driver=traveller if drives else None,
            declared_usd=self.declared_usd,
        )

    def _conveyance(self, draft: Draft) -> str | None:
        if self.plate is None:
            return self.conveyance
        return draft.same(Vehicle, "plate", self.plate) or draft.add(
            Vehicle, "_plate", role=Role.CONVEYANCE, plate=self.plate, jurisdiction=self.jurisdiction
        )

    def _document(self, draft: Draft) -> str | None:
        shown = self.document
        if shown is None:
            return next((d.local_id for d in draft.mentions(Document)), None)
        return draft.same(Document, "number", shown.number) or draft.add(
            Document, "_document", role=Role.ITEM, type=shown.type, number=shown.number, issuer=shown.issuer
        )


class Lookout(Predicated):
    """Watch for a subject, for at most 90 days, and tell the contact."""

    KIND: ClassVar = EventKind.LOOKOUT
    ELSEWHERE: ClassVar = frozenset({"identifiers"})

    schema_: Literal["EPIC.LOOKOUT/1"] = Field(alias="schema")
    subject_kind: Annotated[str, terms.SUBJECT_KIND]
    identifiers: tuple[Identified, ...] = Field(min_length=1, max_length=50)
    reason: Text
    lookout_action: Annotated[str, terms.LOOKOUT_ACTION] = Field(
        description="what to do on a hit (``action`` is the envelope's own)"
    )
    active_from: Moment
    active_to: Moment = Field(description=f"at most {LOOKOUT_DAYS} days after active_from")
    notify: Contact
    hazards: tuple[Annotated[str, terms.HAZARD], ...] = Field((), max_length=10)

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """The lookout runs forward, and no longer than 90 days."""
        del ids
        if self.active_to < self.active_from:
            yield problem("/active_to", "is before active_from")
        elif self.active_to - self.active_from > timedelta(days=LOOKOUT_DAYS):
            yield problem("/active_to", f"is more than {LOOKOUT_DAYS} days after active_from")

    def describe(self, draft: Draft) -> Facts:
        """The identifiers to watch for, as those of the subject where it is a person or organisation."""
        watched = identify_all(draft, self.identifiers)
        subject = self._subject(draft)
        for local_id in watched:
            hold(draft, subject, local_id, "lookout")
        return make(
            Facts,
            kind=self.KIND,
            conveyance=watched[0] if self.subject_kind in {"VEHICLE", "VESSEL", "AIRCRAFT"} else None,
            active_from=utc(self.active_from),
            active_to=utc(self.active_to),
            action=self.lookout_action,
            headline=f"Lookout {self.lookout_action}: {self.reason}"[:500],
        )

    def _subject(self, draft: Draft) -> str | None:
        if self.subject_kind == "PERSON":
            return next(iter(draft.with_role(Role.SUBJECT)), None)
        if self.subject_kind == "ORGANIZATION":
            return next((o.local_id for o in draft.mentions(Organization)), None)
        return None


class Requester(Contract):
    """Who asked, and how to call back."""

    agency_id: AgencyId
    officer: Short
    call_back: E164


class Inquiry(Predicated):
    """An officer asked the watch about somebody or something, and what the answer was."""

    KIND: ClassVar = EventKind.INQUIRY
    ELSEWHERE: ClassVar = frozenset({"identifiers"})

    schema_: Literal["EPIC.INQUIRY/1"] = Field(alias="schema")
    requester: Requester
    reason: Line
    identifiers: tuple[Identified, ...] = Field(min_length=1, max_length=50)
    place: Line = Field(description="where the officer stood")
    response: Annotated[str, terms.RESPONSE]
    latency_s: int = Field(ge=0, le=86_400, description="seconds from question to answer")

    def describe(self, draft: Draft) -> Facts:
        """What was asked about was seen where the officer stood."""
        place = draft.add(Location, "_place", role=Role.PLACE, address=self.place)
        subject = next(iter(draft.with_role(*TRAVELLERS)), None)
        draft.relate(subject, RelationType.SEEN_AT, place)
        for local_id in identify_all(draft, self.identifiers):
            hold(draft, subject, local_id, "inquiry")
            mention = draft.find(local_id)
            if type(mention) in _SEEN:
                draft.relate(local_id, RelationType.SEEN_AT, place)
        return make(
            Facts,
            kind=self.KIND,
            place=place,
            driver=subject,
            agencies=(self.requester.agency_id,),
            status=self.response,
            headline=f"Inquiry by {self.requester.agency_id}: {self.reason}"[:500],
        )


_SEEN: Final = frozenset(HOLDER) - {Location}


class Judged(Contract):
    """A key judgement with its likelihood in ICD 203 words."""

    text: Text
    likelihood: Annotated[str, terms.LIKELIHOOD]


class Product(Predicated):
    """An intelligence product of the Border Intelligence Fusion Section on a corridor."""

    KIND: ClassVar = EventKind.PRODUCT
    ELSEWHERE: ClassVar = frozenset({"organisations", "source_reports", "gatekeeper"})

    schema_: Literal["EPIC.BIFS_PRODUCT/1"] = Field(alias="schema")
    title: Line
    span: Span
    organisations: tuple[LocalId, ...] = Field(
        min_length=1, max_length=100, description="local_ids in ``organizations`` that the product is about"
    )
    corridor: Line
    source_reports: tuple[Short, ...] = Field(min_length=1, max_length=500)
    key_judgements: tuple[Judged, ...] = Field(min_length=1, max_length=50)
    gatekeeper: LocalId | None = Field(None, description="local_id of who controls the corridor")

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """Organisations and gatekeeper are mentions."""
        for at, organisation in enumerate(self.organisations):
            yield from rules.reference(f"/organisations/{at}", organisation, ids, ("organizations",))
        yield from rules.reference("/gatekeeper", self.gatekeeper, ids, ("persons",))

    def describe(self, draft: Draft) -> Facts:
        """Who controls the corridor for which organisations."""
        for organisation in self.organisations:
            draft.relate(
                self.gatekeeper, RelationType.FACILITATES, organisation, f"gatekeeper, {self.corridor}"[:500]
            )
        return make(
            Facts,
            kind=self.KIND,
            active_from=utc(self.span.start),
            active_to=utc(self.span.end),
            source_reports=self.source_reports,
            headline=self.title,
        )


FEED = Feed("EPIC", "El Paso Intelligence Center", (Lpr, Seizure, Crossing, Lookout, Inquiry, Product))
