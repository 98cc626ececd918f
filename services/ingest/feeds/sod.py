"""SOD, the Special Operations Division: targeted communications and who was in contact with whom."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, StringConstraints

from services.ingest.feeds import rules
from services.ingest.feeds.base import Feed, Predicated
from services.ingest.feeds.codes import terms
from services.ingest.feeds.draft import Draft, make, utc
from services.ingest.feeds.parts import PARTIES, Moment, PhoneNumber, Sha256, Span, fits, hold, identify
from services.ingest.feeds.problems import Problem, problem
from shared.contracts.entities import Line, LocalId, Location, Phone, RelationType, Role, Short
from shared.contracts.facts import Call, EventKind, Facts, Listing
from shared.contracts.handling import Principal
from shared.contracts.model import Contract

RECORDS: Final = 5_000
"""The most records of one toll report; send a longer listing as several reports."""
CELL_SITE_BASES: Final = ("SEARCH_WARRANT", "ORDER_2703D")


class TollRecord(Contract):
    """One communication of the target number."""

    at: Moment
    dir: Annotated[str, terms.TOLL_DIRECTION]
    other: PhoneNumber
    seconds: int = Field(ge=0, le=10_000_000)
    kind: Annotated[str, terms.CALL_KIND]
    cell_site: Short | None = Field(
        None, description="only what a SEARCH_WARRANT or an ORDER_2703D brought may name it"
    )


class Toll(Predicated):
    """The calls and messages of one number over a period, as its provider listed them."""

    KIND: ClassVar = EventKind.CALLS
    ELSEWHERE: ClassVar = frozenset({"target_number", "records", "subscriber"})

    schema_: Literal["SOD.TOLL/1"] = Field(alias="schema")
    target_number: PhoneNumber
    provider: Short
    period: Span
    records: tuple[TollRecord, ...] = Field(max_length=RECORDS)
    record_count: int = Field(ge=0, description="the number of records, as a check")
    file_sha256: Sha256 = Field(description="SHA-256 of the provider's file")
    subscriber: LocalId | None = Field(
        None, description="local_id of the subscriber, a person or organisation"
    )

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """All records are there and within the period; cell sites only under a warrant or order."""
        if self.record_count != len(self.records):
            yield problem(
                "/record_count", f"is {self.record_count}, but there are {len(self.records)} records"
            )
        yield from rules.reference("/subscriber", self.subscriber, ids, PARTIES)
        located = next((at for at, r in enumerate(self.records) if r.cell_site is not None), None)
        if located is not None and self.legal_basis.kind not in CELL_SITE_BASES:
            yield problem(
                f"/records/{located}/cell_site",
                f"cell sites need a legal_basis of {CELL_SITE_BASES[0]} or {CELL_SITE_BASES[1]}",
            )
        for at, record in enumerate(self.records):
            if not self.period.start <= record.at <= self.period.end:
                yield problem(f"/records/{at}/at", "is outside of the period")
                return

    def describe(self, draft: Draft) -> Facts:
        """The target and every other number, who called whom, and each call."""
        target = identify(draft, "PHONE", self.target_number, role=Role.TARGET)
        draft.relate(self.subscriber, RelationType.SUBSCRIBER_OF, target)
        others: dict[str, str] = {}
        calls = []
        for record in self.records:
            other = others.get(record.other)
            if other is None:
                other = others[record.other] = identify(draft, "PHONE", record.other, role=Role.CONTACT)
            source, to = (other, target) if record.dir == "IN" else (target, other)
            draft.relate(source, RelationType.CALLED, to)
            calls.append(
                make(
                    Call,
                    source=source,
                    target=to,
                    at=utc(record.at),
                    seconds=record.seconds,
                    kind=record.kind,
                )
            )
        return make(
            Facts,
            kind=self.KIND,
            calls=tuple(calls),
            active_from=utc(self.period.start),
            active_to=utc(self.period.end),
            headline=f"{len(calls)} communications of {self.target_number} with {len(others)} numbers",
        )

    def more_details(self) -> dict[str, Any]:
        """The cell sites, by position of the call."""
        sites = {str(at): r.cell_site for at, r in enumerate(self.records) if r.cell_site is not None}
        return {"cell_sites": sites} if sites else {}


class TargetId(Predicated):
    """An identifier is targeted, or belongs to an associate: what deconfliction and tolls start from."""

    KIND: ClassVar = EventKind.TARGET
    ELSEWHERE: ClassVar = frozenset({"user", "subscriber"})

    schema_: Literal["SOD.TARGET_ID/1"] = Field(alias="schema")
    id_type: Annotated[str, terms.TARGET_ID_TYPE]
    value: Line
    issuer: Short | None = Field(
        None,
        description="of a plate its jurisdiction, of an account its institution, of a handle its platform",
    )
    status: Annotated[str, terms.ID_STATUS]
    active_from: Moment
    active_to: Moment | None = None
    user: LocalId | None = Field(None, description="local_id of the person or organisation that uses it")
    subscriber: LocalId | None = Field(None, description="local_id of the person or organisation that pays")

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """User and subscriber are mentions; the value has the form of its type."""
        yield from fits("", self.id_type, self.value, self.issuer)
        yield from rules.reference("/user", self.user, ids, PARTIES)
        yield from rules.reference("/subscriber", self.subscriber, ids, PARTIES)
        if self.active_to is not None and self.active_to < self.active_from:
            yield problem("/active_to", "is before active_from")

    def describe(self, draft: Draft) -> Facts:
        """The identifier, who uses it, who pays for it."""
        role = Role.CONTACT if self.status == "COMMON" else Role.TARGET
        target = identify(draft, self.id_type, self.value, issuer=self.issuer, role=role)
        hold(draft, self.user, target)
        if self.id_type in {"PHONE", "IMSI", "IMEI", "IP", "EMAIL"}:
            draft.relate(self.subscriber, RelationType.SUBSCRIBER_OF, target)
        else:
            hold(draft, self.subscriber, target, "subscriber")
        return make(
            Facts,
            kind=self.KIND,
            status=self.status,
            active_from=utc(self.active_from),
            active_to=utc(self.active_to),
            headline=f"{self.id_type} {self.value} is {self.status}"[:500],
        )


class Intercept(Predicated):
    """What was said in one session of a wiretap, summarised; readers need the LCOMM authority."""

    KIND: ClassVar = EventKind.INTERCEPT
    CAVEATS: ClassVar = frozenset({"LCOMM"})
    ELSEWHERE: ClassVar = frozenset({"participants"})

    schema_: Literal["SOD.INTERCEPT_SUMMARY/1"] = Field(alias="schema")
    order_ref: Short = Field(description="the court's number of the order")
    line: PhoneNumber = Field(description="the intercepted number")
    session: Short = Field(description="session number on the line")
    start: Moment
    seconds: int = Field(ge=0, le=1_000_000)
    participants: tuple[LocalId, ...] = Field(
        min_length=1,
        max_length=20,
        description="local_ids of the persons, organisations and phones that took part",
    )
    pertinent: bool = Field(description="the session concerns the offences of the order")
    minimized: bool = Field(description="monitoring stopped where the order demands it")
    summary: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] | None = Field(
        None, description="ISO 639 code"
    )

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """A Title III order, the LCOMM marking, and participants that are mentions."""
        if self.legal_basis.kind != "TITLE_III":
            yield problem("/legal_basis/kind", "an intercept needs a wiretap order", ["TITLE_III"])
        if "LCOMM" not in rules.cui(self.handling.cui).categories:
            yield problem("/handling/cui", "an intercept is marked LCOMM", ["CUI//LCOMM", "CUI//LCOMM/LEI"])
        for at, participant in enumerate(self.participants):
            yield from rules.reference(f"/participants/{at}", participant, ids, (*PARTIES, "phones"))

    def describe(self, draft: Draft) -> Facts:
        """Who took part on the line; the other phones are called."""
        line = identify(draft, "PHONE", self.line, role=Role.TARGET)
        basis = f"took part in session {self.session}"
        calls = []
        for participant in self.participants:
            if isinstance(draft.find(participant), Phone):
                draft.relate(line, RelationType.CALLED, participant, basis)
                if participant != line:
                    calls.append(
                        make(Call, source=line, target=participant, at=utc(self.start), seconds=self.seconds)
                    )
            else:
                draft.relate(participant, RelationType.RELATED_TO, line, basis)
        return make(
            Facts,
            kind=self.KIND,
            calls=tuple(calls),
            status="PERTINENT" if self.pertinent else "NOT_PERTINENT",
            headline=f"Session {self.session} on {self.line}, {len(self.participants)} participants",
        )


class Tip(Predicated):
    """A tip to another agency: what, where, when; its source reports always go with it."""

    KIND: ClassVar = EventKind.TIP
    ELSEWHERE: ClassVar = frozenset({"source_reports", "place"})

    schema_: Literal["SOD.TIP/1"] = Field(alias="schema")
    addressee: Principal = Field(description="the agency or centre that the tip is for")
    what: Annotated[str, StringConstraints(min_length=10, max_length=2_000)]
    where: Line
    place: LocalId | None = Field(None, description="local_id of the location, where it is known exactly")
    when: Moment
    urgency: Annotated[str, terms.URGENCY]
    source_reports: tuple[Short, ...] = Field(
        min_length=1, max_length=200, description="source_report_no of each report that the tip rests on"
    )

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """The place is a location."""
        yield from rules.reference("/place", self.place, ids, ("locations",))

    def describe(self, draft: Draft) -> Facts:
        """Where it is to happen, and to whom the tip goes."""
        place = self.place or draft.add(Location, "_where", role=Role.PLACE, address=self.where)
        return make(
            Facts,
            kind=self.KIND,
            place=place,
            status=self.urgency,
            active_from=utc(self.when),
            agencies=(self.addressee,),
            source_reports=self.source_reports,
            headline=f"Tip for {self.addressee}: {self.what}"[:500],
        )


class Nexus(Predicated):
    """A tie between subjects and a designated organisation (counter-narcoterrorism)."""

    KIND: ClassVar = EventKind.NEXUS
    ELSEWHERE: ClassVar = frozenset({"organization", "linked"})

    schema_: Literal["SOD.CNTOC_NEXUS/1"] = Field(alias="schema")
    organization: LocalId = Field(description="local_id of the designated organisation")
    list: Annotated[str, terms.NEXUS_LIST]
    list_ref: Short = Field(description="the organisation's entry in the list")
    link_type: Annotated[str, terms.NEXUS_LINK]
    linked: tuple[LocalId, ...] = Field(
        (), max_length=100, description="local_ids of who is tied to it; by default every SUBJECT"
    )

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """The organisation and those tied to it are mentions."""
        yield from rules.reference("/organization", self.organization, ids, ("organizations",))
        for at, party in enumerate(self.linked):
            yield from rules.reference(f"/linked/{at}", party, ids, PARTIES)

    def describe(self, draft: Draft) -> Facts:
        """The listing, and a relation from each subject to the organisation."""
        relation = {"FUNDS": RelationType.PAID, "LOGISTICS": RelationType.FACILITATES}.get(
            self.link_type, RelationType.RELATED_TO
        )
        for party in self.linked or draft.with_role(Role.SUBJECT):
            draft.relate(party, relation, self.organization, f"{self.link_type} nexus")
        listing = make(
            Listing, list=self.list, entry_id=self.list_ref, status="ACTIVE", mention=self.organization
        )
        return make(
            Facts,
            kind=self.KIND,
            status=self.link_type,
            listings=(listing,),
            headline=f"{self.link_type} nexus to {self.list} {self.list_ref}",
        )


FEED = Feed("SOD", "Special Operations Division", (TargetId, Toll, Intercept, Tip, Nexus))
