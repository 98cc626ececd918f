"""The common envelope of every report, and how a feed turns payloads into canonical reports.

A feed is a file with one ``Envelope`` subclass per report type, and a ``Feed`` that lists them::

    class Lpr(Envelope):
        '''A plate reader saw a plate.'''

        KIND = EventKind.READ
        schema_: Literal["EPIC.LPR/1"] = Field(alias="schema")
        plate: Short
        ...

        def describe(self, draft: Draft) -> Facts:
            ...

    FEED = Feed("EPIC", "El Paso Intelligence Center", (Lpr, Seizure))
"""

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Any, ClassVar, Final, Literal, Self, cast, get_args

from pydantic import Field, TypeAdapter, ValidationInfo, model_validator
from pydantic_core import from_json

from services.ingest.feeds import rules
from services.ingest.feeds.draft import Draft, changed, make, utc
from services.ingest.feeds.parts import Moment
from services.ingest.feeds.problems import Problem, broken, refusal
from services.ingest.feeds.schema import json_schema
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
    Online,
    Organization,
    Person,
    Phone,
    Relation,
    Short,
    Vehicle,
    Vessel,
)  # fmt: skip
from shared.contracts.facts import EventKind, Facts
from shared.contracts.handling import Handling
from shared.contracts.model import Contract
from shared.contracts.report import (
    Action,
    Evaluation,
    LegalBasis,
    Originator,
    Portion,
    Predicate,
    Report,
    Retention,
    quantity_in_grams,
    report_id_of,
)  # fmt: skip

MANY: Final = 2_000
"""The most mentions of one kind, or relations, that a payload may list."""
RECEIVED_AT: Final = "received_at"

_BASIS_CAVEATS: Final = {"TITLE_III": "LCOMM", "GRAND_JURY": "GRAND_JURY", "BSA_ACCESS": "BSA"}
"""Legal basis → the authority that readers of what it brought must hold."""


class Identification(Contract):
    """Which report this is, and who answers for it."""

    model_config = Contract.model_config | {"defer_build": True}

    schema_: str = Field(alias="schema", description="report type and version, such as EPIC.SEIZURE/1")
    source_report_no: Short = Field(
        description="the agency's own number of the report; sending it twice is harmless"
    )
    action: Action = Field(
        description="INSERT a new report, UPDATE it with a higher version, RETRACT it with all versions"
    )
    version: int = Field(ge=1, le=2**31 - 1, description="1, then higher with each UPDATE or RETRACT")
    originator: Originator
    case_no: Short = Field(description="the agency's case number")


class Envelope(Identification):
    """What every report carries, whatever its type; mandatory fields first."""

    KIND: ClassVar[EventKind]
    """What such a report is, in canonical words."""
    CAVEATS: ClassVar[frozenset[str]] = frozenset()
    """Authorities that readers need by the nature of the type."""
    ELSEWHERE: ClassVar[frozenset[str]] = frozenset()
    """Own fields that the canonical report holds in full elsewhere, so ``details`` leaves them out."""

    event_start: Moment = Field(description="when it happened or began, with UTC offset")
    event_end: Moment | None = None
    case_status: Literal["OPEN", "CLOSED"] = "OPEN"
    operation: Short | None = None
    predicate: Predicate | None = Field(
        None, description="why the report may be kept as intelligence (28 CFR 23)"
    )
    legal_basis: LegalBasis
    evaluation: Evaluation
    handling: Handling
    retention: Retention
    portions: tuple[Portion, ...] = Field((), max_length=100)
    persons: tuple[Person, ...] = Field((), max_length=MANY)
    organizations: tuple[Organization, ...] = Field((), max_length=MANY)
    phones: tuple[Phone, ...] = Field((), max_length=MANY)
    devices: tuple[Device, ...] = Field((), max_length=MANY)
    online: tuple[Online, ...] = Field((), max_length=MANY)
    vehicles: tuple[Vehicle, ...] = Field((), max_length=MANY)
    vessels: tuple[Vessel, ...] = Field((), max_length=MANY)
    aircraft: tuple[Aircraft, ...] = Field((), max_length=MANY)
    containers: tuple[Container, ...] = Field((), max_length=MANY)
    accounts: tuple[Account, ...] = Field((), max_length=MANY)
    documents: tuple[Document, ...] = Field((), max_length=MANY)
    locations: tuple[Location, ...] = Field((), max_length=MANY)
    drugs: tuple[Drug, ...] = Field((), max_length=MANY)
    currency: tuple[Currency, ...] = Field((), max_length=MANY)
    firearms: tuple[Firearm, ...] = Field((), max_length=MANY)
    relations: tuple[Relation, ...] = Field((), max_length=4 * MANY)

    @model_validator(mode="after")
    def _obeys(self, info: ValidationInfo) -> Self:
        found: list[Problem] = []
        ids = rules.local_ids(self, found)
        received_at = info.context[RECEIVED_AT] if info.context else None
        found.extend(rules.envelope(self, ids, received_at))
        found.extend(self.rules(ids))
        if found:
            raise broken(found)
        return self

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """What must hold in reports of this type, beyond its fields; ``ids`` are the report's local ids."""
        del ids
        yield from ()

    @abstractmethod
    def describe(self, draft: Draft) -> Facts:
        """Turn the type's own fields into mentions and relations of ``draft``, and the event's facts."""

    @classmethod
    def sent_as(cls, name: str) -> str:
        """The name under which a payload carries a field."""
        return cls.model_fields[name].alias or name

    def more_details(self) -> dict[str, Any]:
        """What else ``details`` should show."""
        return {}

    @classmethod
    @cache
    def own_fields(cls) -> set[str]:
        """The type's own fields that ``details`` shows."""
        return set(cls.model_fields) - set(Envelope.model_fields) - cls.ELSEWHERE


class Predicated(Envelope):
    """A report that must state its predicate: every type but plain observations."""

    predicate: Predicate


class Retraction(Identification):
    """A RETRACT: withdraws every version of a report, and nothing of it remains.

    The least to send is ``schema``, ``source_report_no``, ``action``, ``version`` (higher than the last),
    ``originator`` and ``case_no``; ``reason`` is welcome. Whatever else the report had may be sent again
    and is not kept (nor is ``reason``, in a type that has a field of that name). The canonical report
    needs terms of its own: where they are not sent, it is for the originator alone, graded F6, obtained
    by the originator's consent. It is held for five years, so that it outlives every earlier version.
    """

    event_start: Moment | None = None
    legal_basis: LegalBasis | None = None
    evaluation: Evaluation | None = None
    handling: Handling | None = None
    reason: Line | None = None


def _content(payload: Envelope, received_at: datetime) -> Report:
    values = payload.__dict__
    draft = Draft(values)
    facts = payload.describe(draft)
    grown = draft.content()
    _complete(values, grown)
    own: dict[str, Any] = {name: values[name] for name in _SHARED}
    own.update(grown)
    own |= {
        "report_id": report_id_of(payload.originator.agency_id, payload.source_report_no),
        "feed": payload.schema_.partition(".")[0],
        "received_at": received_at,
        "event_start": utc(payload.event_start),
        "event_end": utc(payload.event_end),
        "handling": _handling(payload.handling, payload.legal_basis.kind, payload.CAVEATS),
        "retention": _retention(payload.retention, received_at),
        "facts": facts,
        "details": _details(payload),
    }
    return make(Report, **own)


_SHARED: Final = tuple(name for name in Envelope.model_fields if name in Report.model_fields)
"""The fields that pass through as they are, unless the draft grew them."""


def _details(payload: Envelope) -> dict[str, Any]:
    own = payload.own_fields()
    dumped: dict[str, Any] = payload.__pydantic_serializer__.to_python(
        payload, mode="json", by_alias=True, include=own, exclude_none=True
    )
    return {**dumped, **payload.more_details()}


def _complete(values: Mapping[str, Any], grown: dict[str, tuple[Any, ...]]) -> None:
    """Set what ingest owes: grams of drugs, and ``juvenile`` where the date of birth says so."""
    if values["drugs"]:
        grown["drugs"] = tuple(
            changed(drug, grams=quantity_in_grams(drug.quantity, drug.unit)) for drug in values["drugs"]
        )
    persons = grown.get("persons", values["persons"])
    event: date = values["event_start"].date()
    if any(_is_minor(person, event) for person in persons):
        grown["persons"] = tuple(changed(p, juvenile=True) if _is_minor(p, event) else p for p in persons)


def _is_minor(person: Person, event: date) -> bool:
    if person.dob is None or event.year - int(person.dob[:4]) > 18 or person.juvenile:
        return False
    born = rules.birth_range(person.dob)
    return born is not None and rules.age(born[1], event) < 18


def _retention(sent: Retention, received_at: datetime) -> Retention:
    limit = rules.five_years_after(received_at.date())
    if sent.retain_until <= limit:
        return sent
    return changed(sent, retain_until=limit, review_by=min(sent.review_by, limit))


def _handling(sent: Handling, basis: str, by_type: frozenset[str]) -> Handling:
    marking = rules.cui(sent.cui)
    needed = by_type | marking.caveats
    if basis in _BASIS_CAVEATS:
        needed |= {_BASIS_CAVEATS[basis]}
    if needed <= set(sent.caveats) and marking.banner == sent.cui:
        return sent
    return changed(sent, cui=marking.banner, caveats=tuple(sorted(needed | set(sent.caveats))))


def _retraction(payload: Identification, kind: EventKind, received_at: datetime) -> Report:
    sent = payload.__dict__
    limit = rules.five_years_after(received_at.date())
    reason = sent.get("reason")
    return make(
        Report,
        report_id=report_id_of(payload.originator.agency_id, payload.source_report_no),
        feed=payload.schema_.partition(".")[0],
        schema_=payload.schema_,
        source_report_no=payload.source_report_no,
        action="RETRACT",
        version=payload.version,
        received_at=received_at,
        event_start=utc(sent.get("event_start") or received_at),
        originator=payload.originator,
        case_no=payload.case_no,
        legal_basis=sent.get("legal_basis")
        or LegalBasis(kind="CONSENT", reference="withdrawn by its originator"),
        evaluation=sent.get("evaluation") or Evaluation(reliability="F", credibility="6"),
        handling=sent.get("handling") or Handling(cui="CUI", tlp="RED", share="RED"),
        retention=make(Retention, cls="RETRACTED", review_by=limit, retain_until=limit),
        facts=make(Facts, kind=kind),
        details={} if reason is None else {"reason": reason},
    )


@dataclass(frozen=True)
class ReportType:
    """One type of report: its schema name, its model, and examples that are valid."""

    schema: str
    model: type[Envelope]

    @property
    def doc(self) -> str:
        """What the type is for: its model's docstring."""
        return self.model.__doc__ or ""

    @property
    def examples(self) -> list[dict[str, Any]]:
        """Realistic payloads, all invented, from ``examples/<type>.json``."""
        name = f"{self.schema.partition('/')[0]}.json"
        text = files(__package__).joinpath("examples", name).read_text(encoding="utf-8")
        return cast("list[dict[str, Any]]", json.loads(text))

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema 2020-12 of the payload, with meanings of every code and the examples."""
        return {**json_schema(self.model), "examples": self.examples}


class Feed:
    """One agency centre's stream: its code, its name and its report types."""

    def __init__(self, code: str, title: str, models: tuple[type[Envelope], ...]) -> None:
        self.code = code
        self.title = title
        self.types: dict[str, ReportType] = {}
        for model in models:
            schema = get_args(model.model_fields["schema_"].annotation)[0]
            self.types[schema] = ReportType(schema, model)

    @cached_property
    def _adapter(self) -> TypeAdapter[Envelope]:
        models = tuple(kind.model for kind in self.types.values())
        if len(models) == 1:
            return TypeAdapter(models[0])
        union: Any = models[0]
        for model in models[1:]:
            union = union | model
        return TypeAdapter(Annotated[union, Field(discriminator="schema_")])

    def parse(self, raw: bytes, received_at: datetime | None = None) -> Identification:
        """The payload in ``raw``, checked in one pass; raises ``pydantic.ValidationError``.

        ``received_at`` bounds how long the report may be kept; without it, now does.
        """
        unfit = rules.of_bytes(raw)
        if unfit:
            raise refusal(self.code, unfit)
        context = None if received_at is None else {RECEIVED_AT: received_at}
        if b'"RETRACT"' in raw:
            retraction = self._parse_retraction(raw)
            if retraction is not None:
                return retraction
        return self._adapter.validate_json(raw, context=context)

    def to_report(self, payload: Identification, received_at: datetime) -> Report:
        """The canonical report of a parsed payload: pure, and kept for five years from receipt at most."""
        if isinstance(payload, Envelope) and payload.action != "RETRACT":
            return _content(payload, received_at)
        return _retraction(payload, self.types[payload.schema_].model.KIND, received_at)

    def _parse_retraction(self, raw: bytes) -> Retraction | None:
        """A RETRACT of a known type; its unneeded content is dropped, unknown fields are refused."""
        try:
            sent = from_json(raw)
        except ValueError:
            return None
        if not isinstance(sent, dict) or sent.get("action") != "RETRACT":
            return None
        kind = self.types.get(str(sent.get("schema")))
        if kind is None:
            return None
        fields = {f.alias or name for name, f in kind.model.model_fields.items()}
        kept = {f.alias or name for name, f in Retraction.model_fields.items()} - kind.model.own_fields()
        return Retraction.model_validate_json(
            json.dumps({k: v for k, v in sent.items() if k in kept or k not in fields})
        )
