"""BCSC's lawful movements of money: the declaration on FinCEN form 105, and armoured cars."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from services.ingest.feeds import rules
from services.ingest.feeds.base import MANY, Envelope
from services.ingest.feeds.codes import CURRENCY, terms
from services.ingest.feeds.draft import Draft, make
from services.ingest.feeds.parts import Address, locate
from services.ingest.feeds.problems import Problem, problem
from shared.contracts.entities import (
    Country,
    Currency,
    Document,
    Identifier,
    Line,
    Money,
    Name,
    Organization,
    PartialDate,
    Person,
    RelationType,
    Role,
    Short,
)  # fmt: skip
from shared.contracts.facts import EventKind, Facts
from shared.contracts.model import Contract
from shared.contracts.report import Predicate


class OfMoney(Envelope):
    """A report on one sum of money: ``currency`` is its code, further cash goes to ``currency_items``."""

    currency_code: Annotated[str, CURRENCY] = Field(alias="currency")
    currency: tuple[Currency, ...] = Field((), alias="currency_items", max_length=MANY)
    usd_equivalent: Money = Field(description="the sum in US dollars")


class Passport(Contract):
    """A passport."""

    number: Short
    country: Country


class Visa(Contract):
    """A visa for the United States."""

    number: Short | None = None
    issued: PartialDate
    place: Line


class Filer(Contract):
    """Part I of the form: who carries, ships or receives the money."""

    name: Name
    ids: tuple[Identifier, ...] = Field((), max_length=20)
    dob: PartialDate | None = None
    citizenship: tuple[Country, ...] = Field((), max_length=10)
    addresses: tuple[Address, ...] = Field((), max_length=10, description="permanent address first")
    passport: Passport | None = None
    visa: Visa | None = None


class Movement(Contract):
    """Part II A: the money travels with the filer."""

    direction: Annotated[str, terms.CMIR_DIRECTION]
    departed: Line = Field(description="city or port of departure")
    arrived: Line = Field(description="city or port of arrival")
    on: date


class Shipment(Contract):
    """Part II B: the money is shipped, mailed or received."""

    direction: Annotated[str, terms.CMIR_DIRECTION]
    on: date = Field(description="date shipped or received")
    method: Short
    carrier: Name
    shipped_from: Address
    shipped_to: Address


class Behalf(Contract):
    """Part I B: on whose behalf it is done."""

    name: Name
    kind: Annotated[str, terms.PARTY_KIND] = "ORGANIZATION"
    business: Line | None = Field(None, description="type of business")
    address: Address | None = None


class Amounts(Contract):
    """Part III: how much, by kind."""

    coin: Money = Decimal(0)
    paper: Money = Decimal(0)
    other: Money = Field(Decimal(0), description="traveller's cheques, bearer instruments …")


class Cmir(OfMoney):
    """FinCEN form 105: money declared at the border. An observation, which may lack a predicate."""

    KIND: ClassVar = EventKind.DECLARATION
    ELSEWHERE: ClassVar = frozenset({"filer"})

    schema_: Literal["BCSC.CMIR/1"] = Field(alias="schema")
    filer: Filer
    movement: Movement | None = None
    shipment: Shipment | None = None
    on_behalf_of: Behalf | None = None
    amounts: Amounts

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """Either carried or shipped; the amounts are there and add up in dollars."""
        del ids
        if (self.movement is None) == (self.shipment is None):
            yield problem("", "give either movement (carried by the filer) or shipment (shipped or received)")
        total = self._total()
        if total == 0:
            yield problem("/amounts", "are all zero")
        elif self.currency_code == "USD" and total != self.usd_equivalent:
            yield problem("/usd_equivalent", f"must equal the sum of the amounts, {total}, for US dollars")
        if self.filer.dob is not None and rules.birth_range(self.filer.dob) is None:
            yield problem("/filer/dob", "is no day of the calendar")

    def describe(self, draft: Draft) -> Facts:
        """The filer with addresses and documents, for whom, by which carrier."""
        moved = self.movement or self.shipment
        outward = moved is not None and moved.direction == "EXPORT"
        filer = self._filer(draft, outward=outward)
        self._others(draft, filer)
        draft.add(
            Currency, "_cash", role=Role.ITEM, code=self.currency_code, amount=self._total(),
            usd_equivalent=self.usd_equivalent,
        )  # fmt: skip
        return make(
            Facts,
            kind=self.KIND,
            direction="OUT" if outward else "IN",
            setting="CARRIED" if self.shipment is None else "SHIPPED",
            driver=filer if self.shipment is None else None,
            declared_usd=self.usd_equivalent,
            moved_usd=self.usd_equivalent,
            cmir_filed=True,
            headline=f"{self.currency_code} {self._total():,} declared by {self.filer.name}"[:500],
        )

    def _total(self) -> Decimal:
        return self.amounts.coin + self.amounts.paper + self.amounts.other

    def _filer(self, draft: Draft, *, outward: bool) -> str:
        who = self.filer
        shipped = Role.SHIPPER if outward else Role.CONSIGNEE
        filer = draft.add(
            Person, "_filer", role=Role.COURIER if self.shipment is None else shipped, full_name=who.name,
            ids=who.ids, dob=who.dob, citizenship=who.citizenship,
        )  # fmt: skip
        for at, address in enumerate(who.addresses, 1):
            draft.relate(filer, RelationType.LOCATED_AT, locate(draft, f"_address{at}", address))
        if who.passport is not None:
            passport = draft.add(
                Document, "_passport", role=Role.ITEM, type="PASSPORT", number=who.passport.number,
                issuer=who.passport.country,
            )  # fmt: skip
            draft.relate(filer, RelationType.IDENTIFIED_BY, passport)
        if who.visa is not None and who.visa.number is not None:
            visa = draft.add(
                Document, "_visa", role=Role.ITEM, type="VISA", number=who.visa.number, issuer="US"
            )
            draft.relate(filer, RelationType.IDENTIFIED_BY, visa)
        return filer

    def _others(self, draft: Draft, filer: str) -> None:
        behalf = self.on_behalf_of
        if behalf is not None:
            named = {"full_name" if behalf.kind == "PERSON" else "name": behalf.name}
            model = Person if behalf.kind == "PERSON" else Organization
            party = draft.add(model, "_behalf", role=Role.BENEFICIAL_OWNER, **named)
            draft.relate(filer, RelationType.ACTS_FOR, party)
            if behalf.address is not None:
                place = locate(draft, "_behalf_address", behalf.address)
                draft.relate(party, RelationType.LOCATED_AT, place)
        if self.shipment is not None:
            sent = locate(draft, "_shipped_from", self.shipment.shipped_from)
            draft.relate(
                sent, RelationType.SHIPPED_TO, locate(draft, "_shipped_to", self.shipment.shipped_to)
            )
            carrier = draft.add(
                Organization, "_carrier", role=Role.THIRD_PARTY, name=self.shipment.carrier, kind="carrier"
            )
            draft.relate(carrier, RelationType.ACTS_FOR, filer)


class ArmouredCar(OfMoney):
    """An armoured-car service moved money for a customer."""

    KIND: ClassVar = EventKind.MOVEMENT

    schema_: Literal["BCSC.ACS_MOVEMENT/1"] = Field(alias="schema")
    predicate: Predicate
    firm: Name = Field(description="the armoured-car firm")
    customer: Name
    start: Address = Field(alias="from")
    end: Address = Field(alias="to")
    amount: Money
    manifest: Short = Field(description="number of the manifest")
    direction: Annotated[str, terms.DIRECTION] | None = Field(None, description="where it crossed the border")

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """Dollars are dollars."""
        del ids
        if self.currency_code == "USD" and self.amount != self.usd_equivalent:
            yield problem("/usd_equivalent", f"must equal amount, {self.amount}, for US dollars")

    def describe(self, draft: Draft) -> Facts:
        """The firm carried the customer's money from one place to another."""
        firm = draft.add(Organization, "_firm", role=Role.THIRD_PARTY, name=self.firm, kind="armoured car")
        customer = draft.add(Organization, "_customer", role=Role.SUBJECT, name=self.customer)
        draft.relate(firm, RelationType.ACTS_FOR, customer)
        start, end = locate(draft, "_from", self.start), locate(draft, "_to", self.end)
        draft.relate(start, RelationType.SHIPPED_TO, end, f"manifest {self.manifest}")
        draft.add(
            Currency, "_cash", role=Role.ITEM, code=self.currency_code, amount=self.amount,
            usd_equivalent=self.usd_equivalent,
        )  # fmt: skip
        return make(
            Facts,
            kind=self.KIND,
            direction=self.direction,
            setting="ARMOURED_CAR",
            place=end,
            agencies=(self.originator.agency_id,),
            moved_usd=self.usd_equivalent,
            headline=f"{self.firm} moved {self.currency_code} {self.amount:,} for {self.customer}"[:500],
        )
