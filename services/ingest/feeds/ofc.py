"""OFC, the OCDETF Fusion Center: target profiles, financial filings, case links and priority lists."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from services.ingest.feeds import rules
from services.ingest.feeds.base import Feed, Predicated
from services.ingest.feeds.codes import terms
from services.ingest.feeds.draft import Draft, fresh_id, make
from services.ingest.feeds.ofc_financial import Financial
from services.ingest.feeds.parts import PARTIES, Identified, hold, identify, identify_all
from services.ingest.feeds.problems import Problem, problem
from shared.contracts.entities import (
    Line,
    LocalId,
    Name,
    Organization,
    PartialDate,
    Person,
    RelationType,
    Role,
    Short,
)  # fmt: skip
from shared.contracts.facts import EventKind, Facts, Flag, Listing
from shared.contracts.handling import AgencyId, Principal
from shared.contracts.model import Contract

COMMUNICATIONS: Final = ("phones", "devices", "online")
ASSETS: Final = (
    "accounts", "vehicles", "vessels", "aircraft", "containers", "locations", "organizations", "currency",
    "firearms",
)  # fmt: skip


class CasePointer(Contract):
    """A case of an agency."""

    agency_id: AgencyId
    case_no: Short


class Associate(Contract):
    """Somebody tied to the subject, and how."""

    party: LocalId = Field(description="local_id of the person or organisation")
    relation: RelationType = RelationType.ASSOCIATE_OF
    basis: Line | None = None


class Journey(Contract):
    """One journey of the subject."""

    start: Line = Field(alias="from")
    end: Line = Field(alias="to")
    on: PartialDate
    means: Short | None = Field(None, description="flight, plate, on foot …")


class TargetProfile(Predicated):
    """All that is known of a target: what he does, with whom, by which means, and what is not known."""

    KIND: ClassVar = EventKind.PROFILE
    ELSEWHERE: ClassVar = frozenset({"subject", "associates", "communications", "assets", "flags"})

    schema_: Literal["OFC.TARGET_PROFILE/1"] = Field(alias="schema")
    subject: LocalId = Field(description="local_id of the person or organisation")
    requester: Principal = Field(description="the agency or centre that asked")
    request_no: Short
    roles: tuple[Annotated[str, terms.TARGET_ROLE], ...] = Field(min_length=1, max_length=12)
    associates: tuple[Associate, ...] = Field(max_length=500)
    communications: tuple[LocalId, ...] = Field(
        max_length=500, description="local_ids of the phones, devices and online identities he uses"
    )
    assets: tuple[LocalId, ...] = Field(max_length=500, description="local_ids of what he owns or controls")
    travel: tuple[Journey, ...] = Field(max_length=500)
    cases: tuple[CasePointer, ...] = Field(max_length=200, description="pointers to cases that name him")
    flags: tuple[Flag, ...] = Field(
        max_length=50, description="criteria of transnational organised crime, each with its evidence"
    )
    intelligence_gaps: tuple[Line, ...] = Field(max_length=50)
    recommendations: tuple[Line, ...] = Field(max_length=50)
    cpot_no: Short | None = Field(None, description="number on the CPOT list")
    rpot_no: Short | None = Field(None, description="number on an RPOT list")

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """Everything that the profile names is a mention of the right kind."""
        yield from rules.reference("/subject", self.subject, ids, PARTIES)
        for at, associate in enumerate(self.associates):
            yield from rules.reference(f"/associates/{at}/party", associate.party, ids, PARTIES)
        for at, local_id in enumerate(self.communications):
            yield from rules.reference(f"/communications/{at}", local_id, ids, COMMUNICATIONS)
        for at, local_id in enumerate(self.assets):
            yield from rules.reference(f"/assets/{at}", local_id, ids, ASSETS)

    def describe(self, draft: Draft) -> Facts:
        """The subject with his associates, means and assets, his cases and his place on the lists."""
        for associate in self.associates:
            draft.relate(self.subject, associate.relation, associate.party, associate.basis)
        for local_id in self.communications:
            hold(draft, self.subject, local_id)
        for local_id in self.assets:
            mention = draft.find(local_id)
            owned = RelationType.HOLDS if local_id in _accounts(self) else RelationType.OWNS
            draft.relate(self.subject, owned, None if mention is None else local_id)
        numbers = (("CPOT", self.cpot_no), ("RPOT", self.rpot_no))
        return make(
            Facts,
            kind=self.KIND,
            cases=tuple(case.case_no for case in self.cases),
            agencies=tuple(dict.fromkeys(case.agency_id for case in self.cases)),
            flags=self.flags,
            listings=tuple(
                make(Listing, list=name, entry_id=number, status="ACTIVE", mention=self.subject)
                for name, number in numbers
                if number is not None
            ),
            headline=f"Target profile for {self.requester}, request {self.request_no}",
        )


def _accounts(profile: TargetProfile) -> frozenset[str]:
    return frozenset(account.local_id for account in profile.accounts)


class CaseLink(Predicated):
    """Two cases share an identifier."""

    KIND: ClassVar = EventKind.CASE_LINK

    schema_: Literal["OFC.CASE_LINK/1"] = Field(alias="schema")
    case_a: CasePointer
    case_b: CasePointer
    shared: Identified
    link_reason: Annotated[str, terms.LINK_REASON]
    remarks: Line | None = None

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """The cases are two."""
        del ids
        if self.case_a == self.case_b:
            yield problem("/case_b", "is the same case as case_a")

    def describe(self, draft: Draft) -> Facts:
        """The identifier in which the cases meet."""
        identify(draft, self.shared.type, self.shared.value, issuer=self.shared.issuer)
        return make(
            Facts,
            kind=self.KIND,
            cases=(self.case_a.case_no, self.case_b.case_no),
            agencies=tuple(dict.fromkeys((self.case_a.agency_id, self.case_b.agency_id))),
            status=self.link_reason,
            headline=f"Cases {self.case_a.case_no} and {self.case_b.case_no} share "
            f"{self.shared.type} {self.shared.value}",
        )


class Entry(Contract):
    """One entry of a priority list."""

    id: Short = Field(description="the entry's number on the list")
    name: Name
    kind: Annotated[str, terms.PARTY_KIND] = "PERSON"
    aka: tuple[Name, ...] = Field((), max_length=50)
    identifiers: tuple[Identified, ...] = Field((), max_length=50)
    status: Annotated[str, terms.LISTING_STATUS]


class ListUpdate(Predicated):
    """A priority list, or what changed in it."""

    KIND: ClassVar = EventKind.LISTING
    ELSEWHERE: ClassVar = frozenset({"entries"})

    schema_: Literal["OFC.LIST_UPDATE/1"] = Field(alias="schema")
    list: Annotated[str, terms.PRIORITY_LIST]
    list_version: Short
    effective: date
    entries: tuple[Entry, ...] = Field(min_length=1, max_length=1_000)

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """No entry stands twice."""
        del ids
        seen: set[str] = set()
        for at, entry in enumerate(self.entries):
            if entry.id in seen:
                yield problem(f"/entries/{at}/id", f"{entry.id!r} stands twice in this list")
            seen.add(entry.id)

    def describe(self, draft: Draft) -> Facts:
        """Every entry with its identifiers."""
        listings = []
        for entry in self.entries:
            local_id = self._listed(draft, entry)
            for held in identify_all(draft, entry.identifiers, Role.LISTED):
                hold(draft, local_id, held, f"{self.list} {entry.id}")
            listings.append(
                make(
                    Listing,
                    list=self.list,
                    entry_id=entry.id,
                    status=entry.status,
                    mention=local_id,
                    effective=self.effective,
                )
            )
        return make(
            Facts,
            kind=self.KIND,
            listings=tuple(listings),
            headline=f"{self.list} list {self.list_version}: {len(listings)} entries",
        )

    @staticmethod
    def _listed(draft: Draft, entry: Entry) -> str:
        local_id = fresh_id("entry", entry.id)
        if entry.kind == "PERSON":
            return draft.add(Person, local_id, role=Role.LISTED, full_name=entry.name, aka=entry.aka)
        return draft.add(Organization, local_id, role=Role.LISTED, name=entry.name, aka=entry.aka)


FEED = Feed("OFC", "OCDETF Fusion Center", (TargetProfile, Financial, CaseLink, ListUpdate))
