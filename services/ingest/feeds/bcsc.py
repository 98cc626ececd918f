"""BCSC, the Bulk Cash Smuggling Center: seizures of money, and the ways in which money crosses borders."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from services.ingest.feeds import rules
from services.ingest.feeds.base import Feed, Predicated
from services.ingest.feeds.bcsc_movement import ArmouredCar, Cmir, OfMoney
from services.ingest.feeds.codes import terms
from services.ingest.feeds.draft import Draft, make
from services.ingest.feeds.parts import (
    CONVEYANCES,
    NONE,
    Contact,
    Denomination,
    Moment,
    PortCode,
    aboard,
    adds_up,
)
from services.ingest.feeds.problems import Problem, problem
from shared.contracts.entities import (
    Currency,
    Line,
    LocalId,
    Location,
    Money,
    RelationType,
    Role,
    Short,
)  # fmt: skip
from shared.contracts.facts import Concealment, EventKind, EventNumber, Facts
from shared.contracts.model import Contract
from shared.contracts.report import Predicate

BORDER: Final[Mapping[str, Literal["IN", "OUT"]]] = {"BORDER_OUT": "OUT", "BORDER_IN": "IN"}


class Seizure(OfMoney):
    """Currency or monetary instruments were seized."""

    KIND: ClassVar = EventKind.SEIZURE
    ELSEWHERE: ClassVar = frozenset({"conveyance", "concealment", "courier", "place"})

    schema_: Literal["BCSC.SEIZURE/1"] = Field(alias="schema")
    predicate: Predicate
    total: Money
    prong: Annotated[str, terms.PRONG]
    denominations: tuple[Denomination, ...] = Field(
        max_length=60, description="Σ face × count is the total; empty only for MI_BEARER"
    )
    packaging: tuple[Annotated[str, terms.PACKAGING], ...] = Field(min_length=1, max_length=10)
    concealment: Concealment
    conveyance: LocalId = Field(description="local_id of the conveyance, or NONE")
    courier: LocalId = Field(description="local_id of the courier, or NONE")
    declared_usd: Money | None = Field(description="what was declared; null = not asked")
    ownership: Literal["CLAIMED", "DISCLAIMED", "THIRD_PARTY"]
    statute: tuple[Annotated[str, terms.STATUTE], ...] = Field(min_length=1, max_length=10)
    place: LocalId | None = Field(None, description="local_id of the location")
    cmir_ref: Short | None = Field(None, description="the CMIR that covers it, if one was filed")
    custody_receipt_no: Short | None = Field(None, description="number of the form 6051S")
    claim_filed: bool | None = None
    disposition: Annotated[str, terms.DISPOSITION] | None = None
    canine_alert: bool | None = None

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """Courier, conveyance and place are mentions, and the denominations add up."""
        if self.conveyance != NONE:
            yield from rules.reference("/conveyance", self.conveyance, ids, CONVEYANCES)
        if self.courier != NONE:
            yield from rules.reference("/courier", self.courier, ids, ("persons",))
        yield from rules.reference("/place", self.place, ids, ("locations",))
        yield from adds_up("/denominations", self.denominations, self.total, "total")
        if not self.denominations and "MI_BEARER" not in self.packaging:
            yield problem("/denominations", "is empty, which only bearer instruments (MI_BEARER) can be")
        if self.currency_code == "USD" and self.usd_equivalent != self.total:
            yield problem("/usd_equivalent", f"must equal total, {self.total}, for US dollars")

    def describe(self, draft: Draft) -> Facts:
        """Who carried the money in what, and how much of it was declared."""
        courier = None if self.courier == NONE else self.courier
        conveyance = None if self.conveyance == NONE else self.conveyance
        driver = next(iter(draft.with_role(Role.DRIVER)), courier)
        aboard(draft, conveyance, driver)
        for person in filter(None, (courier, driver)):
            draft.relate(person, RelationType.SEEN_AT, self.place)
        draft.relate(conveyance, RelationType.SEEN_AT, self.place)
        draft.add(
            Currency, "_cash", role=Role.ITEM, code=self.currency_code, amount=self.total,
            usd_equivalent=self.usd_equivalent,
        )  # fmt: skip
        return make(
            Facts,
            kind=self.KIND,
            numbers=self._numbers(),
            direction=BORDER.get(self.prong),
            setting=self.prong,
            place=self.place,
            conveyance=conveyance,
            driver=courier or driver,
            agencies=(self.originator.agency_id,),
            seized_usd=self.usd_equivalent,
            declared_usd=self.declared_usd,
            moved_usd=self.usd_equivalent if self.prong in BORDER else None,
            cmir_filed=self.cmir_ref is not None,
            ownership=self.ownership,
            denominations=tuple((d.face, d.count) for d in self.denominations),
            concealment=self.concealment,
            headline=self._headline(),
        )

    def _numbers(self) -> tuple[EventNumber, ...]:
        if self.custody_receipt_no is None:
            return ()
        return (make(EventNumber, kind="CUSTODY_RECEIPT", value=self.custody_receipt_no),)

    def _headline(self) -> str:
        where = self.concealment.location.replace("_", " ").lower()
        return f"{self.currency_code} {self.total:,} seized ({self.prong}), hidden in {where}"


class PortCrossing(Contract):
    """One crossing that an inquiry found."""

    at: Moment
    port_code: PortCode
    direction: Annotated[str, terms.DIRECTION]


class Answer(Contract):
    """What the centre answered."""

    crossings: tuple[PortCrossing, ...] = Field((), max_length=2, description="the last two crossings")
    declared_usd: Money | None = None
    interest: Annotated[str, terms.YES_NO] = Field(description="some agency has an interest")
    holder: Contact | None = Field(None, description="whom to call about that interest")


class Inquiry(Predicated):
    """An officer asked about a person or vehicle. The answer never holds an immigration status."""

    KIND: ClassVar = EventKind.INQUIRY
    ELSEWHERE: ClassVar = frozenset({"subject"})

    schema_: Literal["BCSC.INQUIRY/1"] = Field(alias="schema")
    subject: LocalId = Field(description="local_id of the person or vehicle")
    response: Answer
    remarks: Line | None = None

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """The subject is a mention; an interest names its holder."""
        yield from rules.reference("/subject", self.subject, ids, ("persons", "vehicles"))
        if self.response.interest == "Y" and self.response.holder is None:
            yield problem("/response/holder", "is missing; an interest needs a holder to call")

    def describe(self, draft: Draft) -> Facts:
        """The subject was seen at the ports of its last crossings."""
        for crossing in self.response.crossings:
            port = draft.add(
                Location, f"_port{crossing.port_code}", role=Role.PLACE, port_code=crossing.port_code
            )
            draft.relate(self.subject, RelationType.SEEN_AT, port, f"crossed {crossing.direction}")
        is_vehicle = any(vehicle.local_id == self.subject for vehicle in self.vehicles)
        return make(
            Facts,
            kind=self.KIND,
            conveyance=self.subject if is_vehicle else None,
            agencies=(self.originator.agency_id,),
            declared_usd=self.response.declared_usd,
            status="POS" if self.response.interest == "Y" else "NEG",
        )


FEED = Feed("BCSC", "Bulk Cash Smuggling Center", (Seizure, Inquiry, Cmir, ArmouredCar))
