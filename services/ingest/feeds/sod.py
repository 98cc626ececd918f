"""SOD, the Special Operations Division: targeted communications and who was in contact with whom."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AwareDatetime, Field

from services.ingest.feeds import rules
from services.ingest.feeds.base import Feed, Predicated
from services.ingest.feeds.codes import terms
from services.ingest.feeds.draft import Draft, make
from services.ingest.feeds.parts import PARTIES, PhoneNumber, Sha256, identify
from services.ingest.feeds.problems import Problem, problem
from shared.contracts.entities import LocalId, RelationType, Role, Short
from shared.contracts.facts import Call, EventKind, Facts
from shared.contracts.model import Contract

RECORDS: Final = 5_000
"""The most records of one toll report; send a longer listing as several reports."""
CELL_SITE_BASES: Final = ("SEARCH_WARRANT", "ORDER_2703D")


class Period(Contract):
    """From when to when."""

    start: AwareDatetime
    end: AwareDatetime


class TollRecord(Contract):
    """One communication of the target number."""

    at: AwareDatetime
    dir: Annotated[str, terms.TOLL_DIRECTION]
    other: PhoneNumber
    seconds: int = Field(ge=0, le=10_000_000)
    kind: Annotated[str, terms.CALL_KIND]
    cell_site: Short | None = Field(
        None, description="only what a SEARCH_WARRANT or an ORDER_2703D brought may name it"
    )


class Toll(Predicated):
    """The calls and messages of one number over a period, as its provider listed them."""

    KIND: ClassVar = EventKind.CALLS
    ELSEWHERE: ClassVar = frozenset({"target_number", "records", "subscriber"})

    schema_: Literal["SOD.TOLL/1"] = Field(alias="schema")
    target_number: PhoneNumber
    provider: Short
    period: Period
    records: tuple[TollRecord, ...] = Field(max_length=RECORDS)
    record_count: int = Field(ge=0, description="the number of records, as a check")
    file_sha256: Sha256 = Field(description="SHA-256 of the provider's file")
    subscriber: LocalId | None = Field(
        None, description="local_id of the subscriber, a person or organisation"
    )

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """All records are there and within the period; cell sites only under a warrant or order."""
        if self.record_count != len(self.records):
            yield problem(
                "/record_count", f"is {self.record_count}, but there are {len(self.records)} records"
            )
        if self.period.end < self.period.start:
            yield problem("/period/end", "is before its start")
        yield from rules.reference("/subscriber", self.subscriber, ids, PARTIES)
        located = next((at for at, r in enumerate(self.records) if r.cell_site is not None), None)
        if located is not None and self.legal_basis.kind not in CELL_SITE_BASES:
            yield problem(
                f"/records/{located}/cell_site",
                f"cell sites need a legal_basis of {CELL_SITE_BASES[0]} or {CELL_SITE_BASES[1]}",
            )
        for at, record in enumerate(self.records):
            if not self.period.start <= record.at <= self.period.end:
                yield problem(f"/records/{at}/at", "is outside of the period")
                return

    def describe(self, draft: Draft) -> Facts:
        """The target and every other number, who called whom, and each call."""
        target = identify(draft, "PHONE", self.target_number, role=Role.TARGET)
        draft.relate(self.subscriber, RelationType.SUBSCRIBER_OF, target)
        others: dict[str, str] = {}
        calls = []
        for record in self.records:
            other = others.get(record.other)
            if other is None:
                other = others[record.other] = identify(draft, "PHONE", record.other, role=Role.CONTACT)
            source, to = (other, target) if record.dir == "IN" else (target, other)
            draft.relate(source, RelationType.CALLED, to)
            calls.append(
                make(Call, source=source, target=to, at=record.at, seconds=record.seconds, kind=record.kind)
            )
        return make(
            Facts,
            kind=self.KIND,
            calls=tuple(calls),
            active_from=self.period.start,
            active_to=self.period.end,
            headline=f"{len(calls)} communications of {self.target_number} with {len(others)} numbers",
        )

    def more_details(self) -> dict[str, Any]:
        """The cell sites, by position of the call."""
        sites = {str(at): r.cell_site for at, r in enumerate(self.records) if r.cell_site is not None}
        return {"cell_sites": sites} if sites else {}


FEED = Feed("SOD", "Special Operations Division", (Toll,))
