"""BCSC, the Bulk Cash Smuggling Center: seizures of money, and the ways in which money crosses borders."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from services.ingest.feeds import rules
from services.ingest.feeds.base import MANY, Envelope, Feed, Predicated
from services.ingest.feeds.codes import CURRENCY, terms
from services.ingest.feeds.draft import Draft, make
from services.ingest.feeds.parts import CONVEYANCES, NONE, Denomination, aboard, adds_up
from services.ingest.feeds.problems import Problem, problem
from shared.contracts.entities import Currency, LocalId, Money, RelationType, Role, Short
from shared.contracts.facts import Concealment, EventKind, EventNumber, Facts

BORDER: Final[Mapping[str, Literal["IN", "OUT"]]] = {"BORDER_OUT": "OUT", "BORDER_IN": "IN"}


class OfMoney(Envelope):
    """A report on one sum of money: ``currency`` is its code, further cash goes to ``currency_items``."""

    currency_code: Annotated[str, CURRENCY] = Field(alias="currency")
    currency: tuple[Currency, ...] = Field((), alias="currency_items", max_length=MANY)
    usd_equivalent: Money = Field(description="the sum in US dollars")


class Seizure(OfMoney, Predicated):
    """Currency or monetary instruments were seized."""

    KIND: ClassVar = EventKind.SEIZURE
    ELSEWHERE: ClassVar = frozenset({"conveyance", "concealment", "courier", "place"})

    schema_: Literal["BCSC.SEIZURE/1"] = Field(alias="schema")
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


FEED = Feed("BCSC", "Bulk Cash Smuggling Center", (Seizure,))
