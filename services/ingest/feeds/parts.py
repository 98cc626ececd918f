"""What several report types share: field types, and turning identifiers into mentions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from services.ingest.feeds.codes.terms import ID_TYPE
from services.ingest.feeds.draft import Draft, fresh_id
from services.ingest.feeds.problems import Problem, broken, problem
from shared.contracts.entities import (
    Account,
    Aircraft,
    Container,
    Country,
    Device,
    Document,
    Line,
    Location,
    Mention,
    Money,
    Online,
    Person,
    Phone,
    RelationType,
    Role,
    Short,
    Vehicle,
    Vessel,
)  # fmt: skip
from shared.contracts.handling import AgencyId
from shared.contracts.model import Contract
from shared.contracts.report import E164

CONVEYANCES: Final = ("vehicles", "vessels", "aircraft", "containers")
PARTIES: Final = ("persons", "organizations")
NONE: Final = "NONE"
"""In place of a local id: there is no such thing."""

Moment = Annotated[
    AwareDatetime,
    Field(
        ge=datetime(1900, 1, 1, tzinfo=UTC),
        lt=datetime(2200, 1, 1, tzinfo=UTC),
        description="RFC 3339 with UTC offset, such as 2026-03-04T21:10:00-07:00",
    ),
]
"""A moment that can be told in UTC and belongs to living memory."""
PhoneNumber = Annotated[
    str,
    StringConstraints(min_length=3, max_length=40),
    Field(description="telephone number, E.164 where known, such as +19155550142"),
]
Jurisdiction = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"),
    Field(description="ISO 3166-2 code of who issued the plate, such as US-TX or MX-CHH"),
]
PortCode = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}$"),
    Field(description="CBP port code: 2402 El Paso, 2304 Laredo, 2504 San Ysidro …"),
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
BsaId = Annotated[str, StringConstraints(pattern=r"^[0-9]{14}$")]

_JURISDICTION = re.compile(r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")
_PLACES: Final[Mapping[str, tuple[type[Mention], str, str | None]]] = {
    "PHONE": (Phone, "number", None), "IMEI": (Device, "imei", None), "IMSI": (Device, "imsi", None),
    "ICCID": (Device, "iccid", None), "PLATE": (Vehicle, "plate", "jurisdiction"),
    "VIN": (Vehicle, "vin", None), "TAIL": (Aircraft, "tail", None), "IMO": (Vessel, "imo", None),
    "MMSI": (Vessel, "mmsi", None), "CONTAINER": (Container, "number", None),
    "ACCOUNT": (Account, "number", "institution"), "IBAN": (Account, "iban", "institution"),
    "ADDRESS": (Location, "address", None),
}  # fmt: skip
"""Identifier → the mention that holds it, in which field, and where its issuer goes."""
_ONLINE: Final = ("EMAIL", "IP", "HANDLE", "DOMAIN", "WALLET")

HOLDER: Final[Mapping[type[Mention], RelationType]] = {
    Phone: RelationType.USES, Device: RelationType.USES, Online: RelationType.USES,
    Vehicle: RelationType.DRIVES, Vessel: RelationType.USES, Aircraft: RelationType.USES,
    Account: RelationType.HOLDS, Document: RelationType.IDENTIFIED_BY, Location: RelationType.LOCATED_AT,
    Container: RelationType.RELATED_TO,
}  # fmt: skip
"""How a person relates to what is his."""


class Identified(Contract):
    """One identifier of a person or thing, with who issued it where that matters."""

    type: Annotated[str, ID_TYPE]
    value: Short
    issuer: Short | None = Field(
        None,
        description="of a plate its jurisdiction (US-TX), of a document its country, "
        "of an account its institution, of a handle its platform",
    )

    @model_validator(mode="after")
    def _fits(self) -> "Identified":
        found = list(fits("", self.type, self.value, self.issuer))
        if found:
            raise broken(found)
        return self


def fits(pointer: str, kind: str, value: str, issuer: str | None) -> Iterator[Problem]:
    """The value and issuer of an identifier have the form of its kind."""
    if kind == "PHONE" and not 3 <= len(value) <= 40:
        yield problem(f"{pointer}/value", "a telephone number has 3 to 40 characters")
    elif kind != "ADDRESS" and len(value) > 120:
        yield problem(f"{pointer}/value", "an identifier has at most 120 characters")
    if kind == "PLATE" and issuer is not None and not _JURISDICTION.match(issuer):
        yield problem(f"{pointer}/issuer", "the issuer of a plate is an ISO 3166-2 code, such as US-TX")


def identify(
    draft: Draft, kind: str, value: str, *, issuer: str | None = None, role: Role = Role.TARGET
) -> str:
    """The local id of the mention that holds this identifier: the agency's own, or an added one."""
    if kind in _PLACES:
        model, field, issued = _PLACES[kind]
        own = draft.same(model, field, value)
        if own is not None:
            return own
        values: dict[str, Any] = {field: value}
        if issued is not None and issuer is not None:
            values[issued] = issuer
        return draft.add(model, fresh_id(kind.lower(), value), role=role, **values)
    model, field = (Online, "value") if kind in _ONLINE else (Document, "number")
    own = draft.same(model, field, value)
    if own is not None:
        return own
    if model is Online:
        return draft.add(
            Online, fresh_id(kind.lower(), value), role=role, kind=kind, value=value, platform=issuer
        )
    return draft.add(
        Document, fresh_id(kind.lower(), value), role=role, type=kind, number=value, issuer=issuer
    )


def hold(draft: Draft, holder: str | None, held: str | None, basis: str | None = None) -> None:
    """Relate a person or organisation to a phone, vehicle, account, document or place that is theirs."""
    mention = draft.find(held)
    if mention is not None:
        draft.relate(holder, HOLDER.get(type(mention), RelationType.RELATED_TO), held, basis)


def aboard(draft: Draft, conveyance: str | None, driver: str | None) -> None:
    """Relate everybody whose role says so to the conveyance."""
    if conveyance is None:
        return
    draft.relate(driver, RelationType.DRIVES, conveyance)
    for person in draft.mentions(Person):
        if person.local_id == driver:
            continue
        if person.role in {Role.PASSENGER, Role.COURIER}:
            draft.relate(person.local_id, RelationType.PASSENGER_OF, conveyance)
        elif person.role == Role.REGISTERED_OWNER:
            draft.relate(person.local_id, RelationType.OWNS, conveyance)


class Denomination(Contract):
    """How many notes or coins of one face value."""

    face: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]
    count: int = Field(ge=1, le=10**9)


def adds_up(
    pointer: str, denominations: tuple[Denomination, ...], total: Decimal, name: str
) -> Iterator[Problem]:
    """Σ face × count is the total."""
    if denominations:
        counted = sum((d.face * d.count for d in denominations), Decimal(0))
        if counted != total:
            yield problem(pointer, f"Σ face × count = {counted}, but {name} is {total}")


def dollars(amount: Money, currency: str, usd: Money | None) -> Decimal | None:
    """The amount in US dollars, where it is known."""
    return usd if usd is not None else amount if currency == "USD" else None


class Span(Contract):
    """From when to when."""

    start: Moment
    end: Moment

    @model_validator(mode="after")
    def _forward(self) -> "Span":
        if self.end < self.start:
            raise ValueError("end is before start")
        return self


class Contact(Contract):
    """Whom to call."""

    name: Short
    phone: E164
    agency_id: AgencyId | None = None


class Address(Contract):
    """A place by its postal address."""

    address: Line | None = Field(None, description="street and number")
    city: Short | None = None
    state: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,3}$")] | None = None
    postcode: Short | None = None
    country: Country | None = None

    @model_validator(mode="after")
    def _placed(self) -> "Address":
        if not (self.address or self.city or self.postcode):
            raise ValueError("an address needs a street, a city or a postcode")
        return self


def locate(draft: Draft, local_id: str, address: Address, role: Role = Role.PLACE) -> str:
    """The local id of an added location at ``address``."""
    return draft.add(Location, local_id, role=role, **address.__dict__)


def identify_all(draft: Draft, identifiers: Iterable[Identified], role: Role = Role.TARGET) -> list[str]:
    """Local ids of the mentions of several identifiers of one subject; plate and VIN are one vehicle."""
    given = list(identifiers)
    one: dict[type[Mention], list[Identified]] = {}
    for identifier in given:
        if identifier.type in _PLACES:
            one.setdefault(_PLACES[identifier.type][0], []).append(identifier)
    found: list[str] = []
    for identifier in given:
        model = _PLACES[identifier.type][0] if identifier.type in _PLACES else None
        group = one.get(model, []) if model in _ONE_THING else []
        if model is not None and len({i.type for i in group}) == len(group) > 1:
            if identifier is group[0]:
                found.append(_together(draft, model, group, role))
        else:
            found.append(
                identify(draft, identifier.type, identifier.value, issuer=identifier.issuer, role=role)
            )
    return list(dict.fromkeys(found))


_ONE_THING: Final = (Vehicle, Vessel, Device)
"""Mentions that hold several identifiers of one thing."""


def _together(draft: Draft, model: type[Mention], group: list[Identified], role: Role) -> str:
    values: dict[str, Any] = {}
    for identifier in group:
        _, field, issued = _PLACES[identifier.type]
        own = draft.same(model, field, identifier.value)
        if own is not None:
            return own
        values[field] = identifier.value
        if issued is not None and identifier.issuer is not None:
            values[issued] = identifier.issuer
    return draft.add(model, fresh_id(group[0].type.lower(), group[0].value), role=role, **values)
