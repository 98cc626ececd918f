"""What happened, in canonical words: the measured values that lead rules read, whatever the feed.

``local_id`` values point at mentions of the same report.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contracts.entities import CurrencyCode, Line, LocalId, Money, Short
from shared.contracts.model import Contract


class EventKind(StrEnum):
    """The kinds of event or statement that a report can be."""

    SEIZURE = "SEIZURE"
    CROSSING = "CROSSING"
    READ = "READ"
    LOOKOUT = "LOOKOUT"
    INQUIRY = "INQUIRY"
    TARGET = "TARGET"
    CALLS = "CALLS"
    INTERCEPT = "INTERCEPT"
    TIP = "TIP"
    NEXUS = "NEXUS"
    PROFILE = "PROFILE"
    TRANSACTIONS = "TRANSACTIONS"
    CASE_LINK = "CASE_LINK"
    LISTING = "LISTING"
    DECLARATION = "DECLARATION"
    MOVEMENT = "MOVEMENT"
    PRODUCT = "PRODUCT"


class EventNumber(Contract):
    """A number under which an event is known to several agencies; equal numbers are one event."""

    kind: Literal["FDIN", "BSA_ID", "CUSTODY_RECEIPT", "SEIZURE_NO"]
    value: Short


class Call(Contract):
    """One communication between two phones of the report, from ``source`` to ``target``."""

    source: LocalId = Field(alias="from")
    target: LocalId = Field(alias="to")
    at: AwareDatetime
    seconds: int = Field(0, ge=0)
    kind: Literal["VOICE", "SMS", "DATA"] = "VOICE"

    model_config = Contract.model_config | {"populate_by_name": True}


class Transaction(Contract):
    """One movement of money."""

    at: AwareDatetime
    amount: Money
    currency: CurrencyCode = "USD"
    kind: Literal["CASH_IN", "CASH_OUT", "WIRE_IN", "WIRE_OUT", "CHECK", "MI"]
    account: LocalId | None = None
    party: LocalId | None = None
    branch_state: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    branch_zip: Short | None = None


class Flag(Contract):
    """One of the five criteria of transnational organised crime, with its evidence reference."""

    flag: Literal["V", "B", "I", "E", "S"]
    evidence: Line


class Listing(Contract):
    """One entry of a priority list; ``mention`` is the listed organisation or person."""

    list: Literal["CPOT", "RPOT", "TICOT", "SDNTK", "SDGT", "FTO", "TCO"]
    entry_id: Short
    status: Literal["ACTIVE", "DISRUPTED", "DISMANTLED", "REMOVED"]
    mention: LocalId
    effective: date | None = None


class Concealment(Contract):
    """How goods were hidden."""

    location: Literal[
        "FUEL_TANK", "DASH", "SEAT", "DOOR", "QUARTER_PANEL", "ROCKER_PANEL", "BUMPER", "SPARE_TYRE",
        "TRAILER_WALL", "CARGO_COMMINGLED", "BODY", "LUGGAGE", "HULL", "OTHER",
    ]  # fmt: skip
    mechanism: Literal["NATURAL_VOID", "AFTERMARKET_TRAP", "FALSE_WALL", "WELDED", "NONE"]
    trigger: Line | None = None


class Facts(Contract):
    """The event of one report; amounts in US dollars unless a currency is given."""

    kind: EventKind
    numbers: tuple[EventNumber, ...] = ()
    direction: Literal["IN", "OUT"] | None = None
    setting: Short | None = None
    place: LocalId | None = None
    conveyance: LocalId | None = None
    driver: LocalId | None = Field(None, description="the driver or courier")
    agencies: tuple[Short, ...] = Field((), description="agencies that took part, lead first")
    seized_usd: Money | None = None
    declared_usd: Money | None = Field(None, description="absent = not asked; 0 = asked, nothing declared")
    moved_usd: Money | None = Field(
        None, description="currency that crossed a border or was carried, declared or not"
    )
    cmir_filed: bool | None = None
    ownership: Literal["CLAIMED", "DISCLAIMED", "THIRD_PARTY"] | None = None
    denominations: tuple[tuple[Decimal, int], ...] = Field((), description="(face, count) pairs")
    concealment: Concealment | None = None
    calls: tuple[Call, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    active_from: AwareDatetime | None = None
    active_to: AwareDatetime | None = None
    action: Literal["NOTIFY_ONLY", "STOP", "INSPECT"] | None = None
    status: Short | None = Field(
        None, description="TARGET, ASSOCIATE, COMMON …, in the words of the event kind"
    )
    cases: tuple[Short, ...] = Field((), description="case numbers that this report joins or points at")
    source_reports: tuple[Short, ...] = ()
    flags: tuple[Flag, ...] = ()
    listings: tuple[Listing, ...] = ()
    headline: Line | None = Field(None, description="one sentence for the timeline")
