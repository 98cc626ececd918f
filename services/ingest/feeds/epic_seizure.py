"""EPIC's seizures: drugs, money, weapons, conveyances, laboratories."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from services.ingest.feeds import rules
from services.ingest.feeds.base import Predicated
from services.ingest.feeds.codes import terms
from services.ingest.feeds.draft import Draft, make
from services.ingest.feeds.parts import CONVEYANCES, NONE, aboard, dollars
from services.ingest.feeds.problems import Problem, problem
from shared.contracts.entities import Line, LocalId, RelationType, Role, Short
from shared.contracts.facts import Concealment, EventKind, EventNumber, Facts
from shared.contracts.handling import AgencyId
from shared.contracts.model import Contract

ITEMS: Final = ("drugs", "currency", "firearms", *CONVEYANCES)


class TakingPart(Contract):
    """An agency and its part."""

    agency_id: AgencyId
    part: Annotated[str, terms.AGENCY_PART]


class Lab(Contract):
    """A clandestine laboratory."""

    capacity: Short = Field(description="output per batch, such as 2-10 LB")
    process: Short = Field(description="such as P2P, RED_P, CONVERSION, PILL_PRESS")
    precursors: tuple[Short, ...] = Field((), max_length=50)
    children_present: bool


class Seizure(Predicated):
    """Drugs, money, weapons, conveyances or a laboratory were seized."""

    KIND: ClassVar = EventKind.SEIZURE
    ELSEWHERE: ClassVar = frozenset({"place", "conveyance", "concealment"})

    schema_: Literal["EPIC.SEIZURE/1"] = Field(alias="schema")
    seizure_no: Short = Field(description="the seizure's number in the National Seizure System")
    place: LocalId = Field(description="local_id of the location")
    setting: Annotated[str, terms.SETTING]
    agencies: tuple[TakingPart, ...] = Field(min_length=1, max_length=50)
    items: tuple[LocalId, ...] = Field(
        max_length=500,
        description="local_ids of the drugs, currency, firearms and conveyances that were seized",
    )
    conveyance: LocalId = Field(description="local_id of the conveyance, or NONE")
    concealment: Concealment
    origin: Line = Field(description="where the goods came from, as far as known")
    destination: Line = Field(description="where they were going, as far as known")
    fdin: Short | None = Field(None, description="Federal Drug Identification Number")
    lab: Lab | None = None
    linked_crossing: Short | None = Field(None, description="source_report_no of the EPIC.CROSSING")

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """Items, place and conveyance are mentions; one agency leads; there is something that was seized."""
        yield from rules.reference("/place", self.place, ids, ("locations",))
        for at, item in enumerate(self.items):
            yield from rules.reference(f"/items/{at}", item, ids, ITEMS)
        if self.conveyance != NONE:
            yield from rules.reference("/conveyance", self.conveyance, ids, CONVEYANCES)
        if not self.items and self.lab is None:
            yield problem("/items", "is empty and there is no lab; name what was seized")
        if sum(agency.part == "LEAD" for agency in self.agencies) != 1:
            yield problem("/agencies", "exactly one agency has the part LEAD")

    def describe(self, draft: Draft) -> Facts:
        """Who drove what, where, with which goods."""
        conveyance = None if self.conveyance == NONE else self.conveyance
        driver = next(iter(draft.with_role(Role.DRIVER, Role.COURIER)), None)
        aboard(draft, conveyance, driver)
        for item in self.items:
            draft.relate(item, RelationType.CARRIED_IN, conveyance)
        draft.relate(conveyance, RelationType.SEEN_AT, self.place)
        for person in draft.with_role(Role.SUBJECT, Role.COURIER, Role.DRIVER, Role.PASSENGER):
            draft.relate(person, RelationType.SEEN_AT, self.place)
        numbers = [make(EventNumber, kind="SEIZURE_NO", value=self.seizure_no)]
        if self.fdin is not None:
            numbers.append(make(EventNumber, kind="FDIN", value=self.fdin))
        agencies = sorted(self.agencies, key=lambda agency: agency.part != "LEAD")
        return make(
            Facts,
            kind=self.KIND,
            numbers=tuple(numbers),
            direction={"POE_IN": "IN", "POE_OUT": "OUT"}.get(self.setting),
            setting=self.setting,
            place=self.place,
            conveyance=conveyance,
            driver=driver,
            agencies=tuple(agency.agency_id for agency in agencies),
            seized_usd=self._seized(),
            concealment=self.concealment,
            headline=self._headline(),
        )

    def _seized(self) -> Decimal | None:
        cash = [c for c in self.currency if c.local_id in self.items]
        known = [usd for c in cash if (usd := dollars(c.amount, c.code, c.usd_equivalent)) is not None]
        return sum(known, Decimal(0)) if known else None

    def _headline(self) -> str:
        drugs = [
            f"{d.quantity.normalize():f} {d.unit} of {d.code}" for d in self.drugs if d.local_id in self.items
        ]
        cash = [f"{c.code} {c.amount:,}" for c in self.currency if c.local_id in self.items]
        counts = [f"{len(self.firearms)} firearms"] if self.firearms else []
        what = [*drugs[:3], *cash[:2], *counts, *(["a laboratory"] if self.lab else [])]
        return f"Seizure {self.seizure_no} ({self.setting}): {', '.join(what) or 'a conveyance'}"[:500]
