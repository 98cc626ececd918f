"""What a report says about persons and things: the entities and relations of every feed.

The same models validate an agency's payload and travel in the canonical ``Report``. Values are kept as
written; canonical forms are made by ``shared.normalise``. An identifier whose check digit is wrong is
kept and flagged there, never refused here.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from shared.contracts.model import Contract

LocalId = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.:-]+$")]
Short = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=250)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
PartialDate = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"),
    Field(description="YYYY, YYYY-MM or YYYY-MM-DD"),
]
Money = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=2)]


class Kind(StrEnum):
    """The kinds of mention. DRUG and CURRENCY are items, not identities: they are never resolved."""

    PERSON = "PERSON"
    ORGANIZATION = "ORGANIZATION"
    PHONE = "PHONE"
    DEVICE = "DEVICE"
    ONLINE = "ONLINE"
    VEHICLE = "VEHICLE"
    VESSEL = "VESSEL"
    AIRCRAFT = "AIRCRAFT"
    CONTAINER = "CONTAINER"
    ACCOUNT = "ACCOUNT"
    DOCUMENT = "DOCUMENT"
    LOCATION = "LOCATION"
    DRUG = "DRUG"
    CURRENCY = "CURRENCY"
    FIREARM = "FIREARM"


class Role(StrEnum):
    """What a mention was in the reported event; the person roles first, then those of things."""

    SUBJECT = "SUBJECT"
    ASSOCIATE = "ASSOCIATE"
    COURIER = "COURIER"
    DRIVER = "DRIVER"
    PASSENGER = "PASSENGER"
    REGISTERED_OWNER = "REGISTERED_OWNER"
    SHIPPER = "SHIPPER"
    CONSIGNEE = "CONSIGNEE"
    ACCOUNT_HOLDER = "ACCOUNT_HOLDER"
    BENEFICIAL_OWNER = "BENEFICIAL_OWNER"
    FACILITATOR = "FACILITATOR"
    VICTIM = "VICTIM"
    WITNESS = "WITNESS"
    THIRD_PARTY = "THIRD_PARTY"
    TARGET = "TARGET"
    CONTACT = "CONTACT"
    CONVEYANCE = "CONVEYANCE"
    PLACE = "PLACE"
    ITEM = "ITEM"
    INSTITUTION = "INSTITUTION"
    AGENCY = "AGENCY"
    REQUESTER = "REQUESTER"
    LISTED = "LISTED"


class Mention(Contract):
    """One person or thing as one report describes it; ``local_id`` is unique within the report."""

    local_id: LocalId
    role: Role = Role.SUBJECT


class Identifier(Contract):
    """An identifying number of a person or organisation."""

    type: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,29}$")] = Field(
        description="SSN, EIN, TIN, CURP, RFC, PASSPORT, VISA, DL, SENTRI, A_NUMBER, NATIONAL_ID, LEI …"
    )
    value: Short
    issuer: Short | None = Field(None, description="ISO country, or country-subdivision such as US-TX")


class Person(Mention):
    """A person. No race, religion or politics: the schema has no place for them."""

    full_name: Name | None = None
    given_names: Name | None = None
    family_names: Name | None = None
    suffix: Short | None = None
    original_script: Name | None = Field(None, description="the name as written in its own script")
    aka: tuple[Name, ...] = Field((), max_length=50)
    dob: PartialDate | None = None
    birth_place: Line | None = None
    sex: Literal["M", "F", "X", "U"] | None = None
    citizenship: tuple[Country, ...] = Field((), max_length=10)
    occupation: Line | None = None
    ids: tuple[Identifier, ...] = Field((), max_length=50)
    us_person: Literal["Y", "N", "U"] = "U"
    juvenile: bool = False
    ncii: bool = Field(
        False, description="non-criminal identifying information: not searchable, never a lead's subject"
    )

    @model_validator(mode="after")
    def _named(self) -> "Person":
        if not (
            self.full_name
            or self.family_names
            or self.given_names
            or self.original_script
            or self.ids
            or self.aka
        ):
            raise ValueError("a person needs a name or an identifier")
        return self


class Organization(Mention):
    """A company, group or other organisation."""

    name: Name
    aka: tuple[Name, ...] = Field((), max_length=50)
    kind: Short | None = Field(None, description="business, bank, TCO …")
    country: Country | None = None
    registered: PartialDate | None = None
    ids: tuple[Identifier, ...] = Field((), max_length=50)


class Phone(Mention):
    """A telephone number, E.164 where known."""

    number: Annotated[str, StringConstraints(min_length=3, max_length=40)]
    country: Country | None = None
    provider: Short | None = None


class Device(Mention):
    """A device or SIM."""

    imei: Short | None = None
    imsi: Short | None = None
    iccid: Short | None = None
    meid: Short | None = None
    mac: Short | None = None
    make: Short | None = None
    model: Short | None = None

    @model_validator(mode="after")
    def _identified(self) -> "Device":
        if not (self.imei or self.imsi or self.iccid or self.meid or self.mac):
            raise ValueError("a device needs one of imei, imsi, iccid, meid, mac")
        return self


class Online(Mention):
    """An online identity or resource."""

    kind: Literal["EMAIL", "IP", "HANDLE", "DOMAIN", "URL", "WALLET", "HASH"]
    value: Line
    platform: Short | None = None
    port: int | None = Field(None, ge=1, le=65535)
    at: AwareDatetime | None = None


class Vehicle(Mention):
    """A road vehicle; ``jurisdiction`` is ISO 3166-2, such as US-TX."""

    plate: Short | None = None
    jurisdiction: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] | None = None
    country: Country | None = None
    vin: Short | None = None
    make: Short | None = None
    model: Short | None = None
    year: int | None = Field(None, ge=1885, le=2100)
    colour: Short | None = None
    kind: Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9]{2}$")] | None = Field(
        None, description="NIEM conveyance kind, such as V17"
    )

    @model_validator(mode="after")
    def _identified(self) -> "Vehicle":
        if not (self.plate or self.vin or self.make):
            raise ValueError("a vehicle needs a plate, a VIN or at least a make")
        return self


class Vessel(Mention):
    """A ship or boat."""

    name: Name | None = None
    imo: Short | None = None
    mmsi: Short | None = None
    hull_id: Short | None = None
    call_sign: Short | None = None
    flag: Country | None = None
    official_no: Short | None = None

    @model_validator(mode="after")
    def _identified(self) -> "Vessel":
        if not (self.name or self.imo or self.mmsi or self.hull_id or self.official_no):
            raise ValueError("a vessel needs a name, IMO, MMSI, hull id or official number")
        return self


class Aircraft(Mention):
    """An aircraft by tail number or 24-bit address."""

    tail: Short | None = None
    icao_hex: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{6}$")] | None = None
    type: Short | None = None

    @model_validator(mode="after")
    def _identified(self) -> "Aircraft":
        if not (self.tail or self.icao_hex):
            raise ValueError("an aircraft needs a tail number or a 24-bit address")
        return self


class Container(Mention):
    """A freight container (ISO 6346)."""

    number: Short
    seal: Short | None = None


class Account(Mention):
    """A bank, wallet or other account; a crypto wallet is ``kind`` WALLET."""

    number: Short | None = None
    iban: Short | None = None
    bic: Short | None = None
    aba: Short | None = None
    institution: Name | None = None
    branch_zip: Short | None = None
    branch_state: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    kind: Short | None = None
    opened: PartialDate | None = None
    closed: PartialDate | None = None

    @model_validator(mode="after")
    def _identified(self) -> "Account":
        if not (self.number or self.iban):
            raise ValueError("an account needs a number or an IBAN")
        return self


class Document(Mention):
    """An identity or travel document."""

    type: Literal[
        "PASSPORT", "VISA", "DL", "SENTRI", "A_NUMBER", "CURP", "RFC", "NATIONAL_ID", "BCC", "OTHER"
    ]
    number: Short
    issuer: Short | None = Field(None, description="ISO country, or country-subdivision such as US-TX")
    expires: PartialDate | None = None


class Location(Mention):
    """A place: address, WGS84 point, port or highway mile."""

    address: Line | None = None
    city: Short | None = None
    state: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,3}$")] | None = None
    postcode: Short | None = None
    country: Country | None = None
    lat: float | None = Field(None, ge=-90, le=90)
    lon: float | None = Field(None, ge=-180, le=180)
    accuracy_m: float | None = Field(None, ge=0)
    county_fips: Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")] | None = None
    port_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")] | None = None
    highway: Short | None = None
    mile: float | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _placed(self) -> "Location":
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon go together")
        if not (
            self.address
            or self.city
            or self.lat is not None
            or self.port_code
            or self.highway
            or self.county_fips
            or self.state
            or self.country
            or self.postcode
        ):
            raise ValueError("a location needs an address, a point, a port code or a highway")
        return self


class Drug(Mention):
    """A drug exhibit; ``code`` is the DEA code (9041 cocaine, 9200 heroin, 9801 fentanyl …)."""

    role: Role = Role.ITEM
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}[A-Z]?$")]
    schedule: Literal["I", "II", "III", "IV", "V"] | None = None
    quantity: Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=4)]
    unit: Literal["KG", "G", "LB", "OZ", "ML", "DU", "PLANT"]
    weight: Literal["NET", "GROSS"] = "NET"
    purity: float | None = Field(None, ge=0, le=100, description="percent")
    test: Literal["FIELD", "LAB", "NONE"] = "NONE"
    grams: Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=4)] | None = Field(
        None, description="quantity in grams where the unit is one of mass; set by ingest"
    )


class Firearm(Mention):
    """A firearm; ``serial`` is OBLITERATED where it was removed."""

    role: Role = Role.ITEM
    type: Short
    make: Short | None = None
    model: Short | None = None
    calibre: Short | None = None
    serial: Short | None = None


class Currency(Mention):
    """Cash of one currency; ``face`` × ``count`` = ``amount`` where both are given."""

    role: Role = Role.ITEM
    code: CurrencyCode
    amount: Money
    face: Money | None = None
    count: int | None = Field(None, ge=0)
    usd_equivalent: Money | None = None
    rate_date: date | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> "Currency":
        if self.face is not None and self.count is not None and self.face * self.count != self.amount:
            raise ValueError(f"face × count = {self.face * self.count}, but amount is {self.amount}")
        return self


class RelationType(StrEnum):
    """What a report asserts between two of its mentions, read from ``source`` to ``target``."""

    USES = "USES"
    SUBSCRIBER_OF = "SUBSCRIBER_OF"
    DRIVES = "DRIVES"
    PASSENGER_OF = "PASSENGER_OF"
    OWNS = "OWNS"
    HOLDS = "HOLDS"
    IDENTIFIED_BY = "IDENTIFIED_BY"
    LOCATED_AT = "LOCATED_AT"
    SEEN_AT = "SEEN_AT"
    ASSOCIATE_OF = "ASSOCIATE_OF"
    FAMILY_OF = "FAMILY_OF"
    MEMBER_OF = "MEMBER_OF"
    WORKS_FOR = "WORKS_FOR"
    LEADS = "LEADS"
    FACILITATES = "FACILITATES"
    ACTS_FOR = "ACTS_FOR"
    CALLED = "CALLED"
    PAID = "PAID"
    SHIPPED_TO = "SHIPPED_TO"
    CARRIED = "CARRIED"
    CARRIED_IN = "CARRIED_IN"
    RELATED_TO = "RELATED_TO"


class Relation(Contract):
    """A relation between two mentions of the same report."""

    source: LocalId = Field(alias="from")
    target: LocalId = Field(alias="to")
    type: RelationType
    confidence: float = Field(1.0, ge=0, le=1)
    basis: Line | None = None

    model_config = Contract.model_config | {"populate_by_name": True}
