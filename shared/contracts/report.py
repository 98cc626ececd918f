"""The canonical report: what every feed's adapter makes, and what ``reports.v1`` carries."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import NAMESPACE_URL, uuid5

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contracts.entities import (
    Account,
    Aircraft,
    Container,
    Currency,
    Device,
    Document,
    Drug,
    Firearm,
    Line,
    Location,
    Mention,
    Online,
    Organization,
    Person,
    Phone,
    Relation,
    Short,
    Text,
    Vehicle,
    Vessel,
)  # fmt: skip
from shared.contracts.facts import Facts
from shared.contracts.handling import AgencyId, Handling
from shared.contracts.model import Contract

REPORT_NAMESPACE = uuid5(NAMESPACE_URL, "urn:interlock:report")

Action = Literal["INSERT", "UPDATE", "RETRACT"]
Basis = Literal["REASONABLE_SUSPICION", "PROBABLE_CAUSE", "CONVICTION", "TIP_UNVETTED"]
Activity = Literal[
    "TERRORISM", "SECURITY_THREAT_GROUP", "NARCOTICS", "RICO", "LABOR_RACKETEERING", "ORGANIZED_CRIME",
    "CRIMINAL_GANG", "STREET_GANG", "PRISON_GANG",
]  # fmt: skip
LegalBasisKind = Literal[
    "CONSENT", "ADMIN_SUBPOENA", "GRAND_JURY", "ORDER_2703D", "PEN_TRAP", "TITLE_III", "SEARCH_WARRANT",
    "BORDER_SEARCH", "BSA_ACCESS", "PLAIN_VIEW", "OPEN_SOURCE", "MLAT",
]  # fmt: skip
E164 = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]


def report_id_of(originator: str, source_report_no: str) -> str:
    """The report's id: UUIDv5 of the originator's agency id and its own report number."""
    return str(uuid5(REPORT_NAMESPACE, f"{originator}\n{source_report_no}"))


class Originator(Contract):
    """The agency that answers for a report, and how to reach it."""

    agency_id: AgencyId
    unit: Short | None = None
    contact_name: Short
    phone: E164
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)] | None = (
        None
    )
    after_hours_phone: E164 | None = None


class Predicate(Contract):
    """Why the report may be kept as intelligence (28 CFR 23); ``offence`` is an N-DEx code."""

    basis: Basis
    activity: Activity
    offence: Short
    facts: Annotated[str, StringConstraints(min_length=40, max_length=5_000)]
    determined_by: Short
    determined_at: date


class LegalBasis(Contract):
    """The authority under which the content was obtained; past ``expires`` nobody sees it."""

    kind: LegalBasisKind
    reference: Line
    expires: AwareDatetime | None = None


class Evaluation(Contract):
    """The Admiralty grades: reliability of the source, credibility of the information."""

    reliability: Literal["A", "B", "C", "D", "E", "F"]
    credibility: Literal["1", "2", "3", "4", "5", "6"]


class Retention(Contract):
    """How long the report may be kept: at most five years (28 CFR 23.20(h))."""

    cls: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z_]{0,19}$")] = Field(alias="class")
    review_by: date
    retain_until: date

    model_config = Contract.model_config | {"populate_by_name": True}


class Portion(Contract):
    """A marked passage of text."""

    marking: Annotated[str, StringConstraints(max_length=100)]
    text: Text


class Report(Contract):
    """One version of one report. A RETRACT carries no entities and withdraws every earlier version."""

    report_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]
    feed: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,7}$")]
    schema_: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]+(\.[A-Z0-9_]+)?/[0-9]+$")] = Field(
        alias="schema"
    )
    source_report_no: Short
    action: Action
    version: int = Field(ge=1)
    received_at: AwareDatetime
    event_start: AwareDatetime
    event_end: AwareDatetime | None = None
    originator: Originator
    case_no: Short
    case_status: Literal["OPEN", "CLOSED"] = "OPEN"
    operation: Short | None = None
    predicate: Predicate | None = None
    legal_basis: LegalBasis
    evaluation: Evaluation
    handling: Handling
    retention: Retention
    portions: tuple[Portion, ...] = ()
    persons: tuple[Person, ...] = ()
    organizations: tuple[Organization, ...] = ()
    phones: tuple[Phone, ...] = ()
    devices: tuple[Device, ...] = ()
    online: tuple[Online, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    vessels: tuple[Vessel, ...] = ()
    aircraft: tuple[Aircraft, ...] = ()
    containers: tuple[Container, ...] = ()
    accounts: tuple[Account, ...] = ()
    documents: tuple[Document, ...] = ()
    locations: tuple[Location, ...] = ()
    drugs: tuple[Drug, ...] = ()
    currency: tuple[Currency, ...] = ()
    firearms: tuple[Firearm, ...] = ()
    relations: tuple[Relation, ...] = ()
    facts: Facts
    details: dict[str, Any] = Field(
        default_factory=dict, description="the type's own fields as the agency sent them, for display"
    )

    model_config = Contract.model_config | {"populate_by_name": True}

    def mentions(self) -> list[Mention]:
        """Every mention, in the order of the entity lists."""
        return [m for name in ENTITY_LISTS for m in getattr(self, name)]


ENTITY_LISTS: tuple[str, ...] = (
    "persons", "organizations", "phones", "devices", "online", "vehicles", "vessels", "aircraft",
    "containers", "accounts", "documents", "locations", "drugs", "currency", "firearms",
)  # fmt: skip
"""The fields of ``Report`` that hold mentions; the canonical order."""


def quantity_in_grams(quantity: Decimal, unit: str) -> Decimal | None:
    """``quantity`` in grams, or None where the unit is not one of mass (ML, DU, PLANT)."""
    factor = {
        "KG": Decimal(1000),
        "G": Decimal(1),
        "LB": Decimal("453.59237"),
        "OZ": Decimal("28.349523125"),
    }.get(unit)
    return None if factor is None else (quantity * factor).quantize(Decimal("0.0001"))
