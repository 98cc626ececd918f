"""What agencies submit and what they are answered: the models of the API."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, ValidationInfo, model_validator

from services.leads.deconfliction.match import (
    DEFAULT_RADIUS_M,
    MAX_RADIUS_M,
    Event,
    Identifier,
    Name,
    Target,
    Token,
    tokens,
)
from shared.contracts.entities import Line, PartialDate, Short
from shared.contracts.model import Contract
from shared.contracts.report import E164

TARGET_LIFE = timedelta(days=730)
"""Targets stay two years at most."""
EVENT_SPAN = timedelta(days=31)
"""Longer operations are submitted month by month, so that an index by time stays small."""

_STORED: Final[Mapping[str, Any]] = {"stored": True}
"""The context of validation that spares what the registry keeps a second check."""

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


class Contact(Contract):
    """Whom the other side calls."""

    name: Short
    phone: E164
    email: Email | None = None
    after_hours_phone: E164 | None = None


class SubmittedIdentifier(Contract):
    """An identifier of the target, such as PHONE, VIN, PLATE (with issuer US-TX), ACCOUNT, PASSPORT."""

    type: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,29}$")]
    value: Short
    issuer: Short | None = None


class SubmittedName(Contract):
    """A name of the target, with the birth date as far as known."""

    full_name: Annotated[str, StringConstraints(min_length=2, max_length=250)]
    birth: PartialDate | None = None


class Submission(Contract):
    """What targets and events have in common."""

    reference: Short = Field(description="the agency's own number; the same again is the same submission")
    unit: Short = Field(description="team or unit: events of one agency's different teams deconflict too")
    contact: Contact
    case_no: Short | None = None
    identifiers: tuple[SubmittedIdentifier, ...] = Field((), max_length=100)
    names: tuple[SubmittedName, ...] = Field((), max_length=20)
    addresses: tuple[Line, ...] = Field((), max_length=20)

    @property
    def shown_reference(self) -> str:
        """The reference as notices show it."""
        return self.reference

    @classmethod
    def stored(cls, raw: bytes) -> Self:
        """From what the registry keeps: it was checked when it came in."""
        return cls.model_validate_json(raw, context=_STORED)

    def target(self) -> Target:
        """What is compared."""
        return Target(
            tuple(Identifier(i.type, i.value, i.issuer) for i in self.identifiers),
            tuple(Name(n.full_name, n.birth) for n in self.names),
            self.addresses,
        )

    @cached_property
    def tokens(self) -> frozenset[Token]:
        """The comparable facts of the submission."""
        return tokens(self.target())


class TargetSubmission(Submission):
    """A target: identifiers, names or addresses of one person or thing under investigation."""

    model_config = Contract.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "reference": "CASE-26-17/1",
                    "unit": "NARCOTICS 2",
                    "label": "the supplier",
                    "share": "GREEN",
                    "contact": {"name": "SYN OFFICER", "phone": "+19155550142"},
                    "identifiers": [
                        {"type": "PHONE", "value": "(915) 555-0155"},
                        {"type": "PLATE", "value": "SYN1234", "issuer": "US-TX"},
                    ],
                    "names": [{"full_name": "Jose Garcia Lopez", "birth": "1988-01-01"}],
                }
            ]
        }
    }

    label: Line = Field(description="how the agency itself calls the target; shown to nobody else")
    share: Literal["GREEN", "YELLOW", "RED"] = Field(
        "GREEN", description="RED: silent, only the owner learns who asked"
    )
    expires_at: AwareDatetime | None = Field(
        None, description="at most two years ahead, which is the default"
    )

    @model_validator(mode="after")
    def _says_something(self, info: ValidationInfo) -> Self:
        if info.context is _STORED:
            return self
        if not (self.identifiers or self.names or self.addresses):
            raise ValueError("give at least one identifier, name or address")
        if not self.tokens:
            raise ValueError(
                "nothing here can be compared: a name needs two words, an address a number and a city"
            )
        return self

    def expiry(self, now: datetime) -> datetime:
        """When it ends: as asked for, at most two years after ``now``."""
        latest = now + TARGET_LIFE
        return latest if self.expires_at is None else min(self.expires_at, latest)


class LeadSubmission(TargetSubmission):
    """What a lead that is to be released says of an agency's own reports; made by Interlock, not by people.

    Two leads never meet: they are no operations. One that rests on what not everyone sees is silent.
    """

    @property
    def shown_reference(self) -> str:
        """No id: not everyone at the agency may see the lead."""
        return "LEAD"


EventType = Literal[
    "SEARCH_WARRANT", "ARREST", "BUY_BUST", "REVERSAL", "UC_MEET", "SURVEILLANCE", "CONTROLLED_DELIVERY",
    "RAID", "PROTECTIVE",
]  # fmt: skip


class EventSubmission(Submission):
    """A planned operation: when, where, and who can be reached now."""

    model_config = Contract.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "reference": "OP-26-4",
                    "unit": "SWAT 1",
                    "type": "SEARCH_WARRANT",
                    "starts_at": "2026-03-05T05:30:00-07:00",
                    "ends_at": "2026-03-05T07:30:00-07:00",
                    "lat": 31.76,
                    "lon": -106.48,
                    "contact": {"name": "SYN OFFICER", "phone": "+19155550142"},
                    "addresses": ["12 Invented St Apt 4, El Paso, TX 79901"],
                }
            ]
        }
    }

    type: EventType
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    radius_m: float = Field(DEFAULT_RADIUS_M, gt=0, le=MAX_RADIUS_M)
    hazards: tuple[Short, ...] = Field((), max_length=20)
    threat_to_life: bool = False

    @model_validator(mode="after")
    def _has_a_span(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be after starts_at")
        if self.ends_at - self.starts_at > EVENT_SPAN:
            raise ValueError("an event lasts 31 days at most: submit a longer one month by month")
        return self

    def event(self, agency: str) -> Event:
        """What is compared."""
        return Event(
            self.starts_at.astimezone(UTC), self.ends_at.astimezone(UTC), self.lat, self.lon,
            self.radius_m, agency, self.unit, self.tokens,
        )  # fmt: skip


class OtherSide(Contract):
    """The other side of a conflict: whom to call, nothing more."""

    number: str = Field(description="the other submission's deconfliction number")
    agency: str
    unit: str
    contact: Contact


class Answer(Contract):
    """What a submission is answered. CLEAR is a fact of its moment: a later submission may still match."""

    number: str = Field(description="deconfliction number")
    status: Literal["CLEAR", "HIT"]
    class_: Literal["EXACT", "STRONG", "EVENT"] | None = Field(alias="class", description="surest match")
    contacts: tuple[OtherSide, ...]
    checked_at: AwareDatetime

    model_config = Contract.model_config | {"populate_by_name": True}


class NoticeContent(Contract):
    """Everything that a notice may say; a test holds every stored secret against it."""

    conflict_id: str
    number: str = Field(description="the receiver's own deconfliction number")
    reference: str = Field(description="the receiver's own reference")
    identifier: str | None = Field(description="the receiver's own identifier that met, as he wrote it")
    kind: Literal["TARGET", "EVENT"]
    class_: Literal["EXACT", "STRONG", "POSSIBLE", "EVENT"] = Field(alias="class")
    urgency: Literal["IMMEDIATE", "PRIORITY", "ROUTINE"]
    level: Literal["SIDE", "LOCAL", "HQ", "SUPERVISOR"]
    other: OtherSide

    model_config = Contract.model_config | {"populate_by_name": True}
