"""The rules that every report obeys and that no single field can state: the common part of the envelope.

Each yields problems with pointers from the payload's root. They run once per report, in one pass, after
every field was found well formed.
"""

import calendar
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from services.ingest.feeds import codes
from services.ingest.feeds.draft import FRESH
from services.ingest.feeds.problems import Problem, problem, unknown_code
from shared.contracts.entities import Person
from shared.contracts.report import ENTITY_LISTS

if TYPE_CHECKING:
    from services.ingest.feeds.base import Envelope

RETENTION_YEARS: Final = 5
"""28 CFR 23.20(h): no criminal intelligence is kept for longer without a new decision."""
SUBJECT_FROM_AGE: Final = 13
LISTED: Final = {
    ("vehicles", "kind"): codes.CONVEYANCE,
    ("drugs", "code"): codes.DRUG,
    ("currency", "code"): codes.CURRENCY,
}
"""Fields of mentions whose codes are on a list too long for the contract."""

Ids = Mapping[str, str]
"""Local id → the entity list that holds it."""

_CLASSIFIED = re.compile(
    r"^\W*(?:(?:COSMIC\s+)?TOP\s+SECRET|TS|SECRET|S|CONFIDENTIAL|C)(?=\W|$)", re.IGNORECASE
)
_BANNER = re.compile(rb"(?:SECRET|CONFIDENTIAL)\\?/\\?/")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_CLASSIFIED_MESSAGE = "classified content is refused and nothing of it is kept; use a system approved for it"


def of_bytes(raw: bytes) -> list[Problem]:
    """What disqualifies a payload before it is parsed: classification banners and NUL characters."""
    found = []
    if (b"SECRET" in raw or b"CONFIDENTIAL" in raw) and _BANNER.search(raw):
        found.append(problem("", _CLASSIFIED_MESSAGE))
    if b"\\u0000" in raw and _NUL.search(raw):
        found.append(problem("", "holds a NUL character (\\u0000), which no text may"))
    return found


def local_ids(report: "Envelope", found: list[Problem]) -> Ids:
    """Every local id and its list; reports those given twice or reserved."""
    ids: dict[str, str] = {}
    values = report.__dict__
    for name in ENTITY_LISTS:
        mentions = values[name]
        if mentions:
            for at, mention in enumerate(mentions):
                local_id = mention.local_id
                if local_id in ids:
                    found.append(
                        problem(
                            f"/{report.sent_as(name)}/{at}/local_id",
                            f"{local_id!r} is used twice in this report",
                        )
                    )
                elif local_id.startswith(FRESH):
                    found.append(
                        problem(
                            f"/{report.sent_as(name)}/{at}/local_id",
                            "ids that begin with _ are reserved for the server",
                        )
                    )
                ids[local_id] = name
    return ids


def reference(pointer: str, value: str | None, ids: Ids, lists: Iterable[str] = ()) -> Iterator[Problem]:
    """``value`` names a mention of this report, in one of ``lists`` where these are given."""
    if value is None:
        return
    wanted = tuple(lists)
    if value not in ids:
        where = f" in {', '.join(wanted)}" if wanted else ""
        possible = [i for i, name in ids.items() if not wanted or name in wanted]
        yield problem(pointer, f"{value!r} is no local_id of this report{where}", possible[:20])
    elif wanted and ids[value] not in wanted:
        yield problem(pointer, f"{value!r} is in {ids[value]}; it must be in {', '.join(wanted)}")


def envelope(report: "Envelope", ids: Ids, received_at: datetime | None) -> Iterator[Problem]:
    """The rules of the common envelope."""
    values = report.__dict__
    for at, relation in enumerate(report.relations):
        yield from reference(f"/relations/{at}/from", relation.source, ids)
        yield from reference(f"/relations/{at}/to", relation.target, ids)
        if relation.source == relation.target:
            yield problem(f"/relations/{at}", "joins a mention with itself")
    if report.event_end is not None and report.event_end < report.event_start:
        yield problem("/event_end", "is before event_start")
    if report.predicate is not None and report.predicate.offence not in codes.OFFENCE:
        yield unknown_code("/predicate/offence", report.predicate.offence, codes.OFFENCE)
    for (name, field), allowed in LISTED.items():
        for at, mention in enumerate(values[name]):
            code = getattr(mention, field)
            if code is not None and code not in allowed:
                yield unknown_code(f"/{report.sent_as(name)}/{at}/{field}", code, allowed)
    for at, person in enumerate(report.persons):
        yield from _person(f"/persons/{at}", person, report.event_start)
    yield from _retention(report, received_at)
    yield from _markings(report)


@lru_cache(maxsize=4_096)
def five_years_after(day: date) -> date:
    """The same day five years on; 28 February for 29 February."""
    year = day.year + RETENTION_YEARS
    leap_day = day.month == 2 and day.day == 29
    return date(year, 2, 28) if leap_day else day.replace(year=year)


def birth_range(text: str) -> tuple[date, date] | None:
    """The first and last day that a date of given precision can mean; None where there is no such day."""
    year, month, day = ([int(part) for part in text.split("-")] + [0, 0])[:3]
    try:
        if day:
            return date(year, month, day), date(year, month, day)
        if month:
            return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        return date(year, 1, 1), date(year, 12, 31)
    except ValueError:
        return None


def age(born: date, on: date) -> int:
    """Whole years from ``born`` to ``on``."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _person(pointer: str, person: Person, event: datetime) -> Iterator[Problem]:
    if person.dob is None:
        return
    born = birth_range(person.dob)
    if born is None:
        yield problem(f"{pointer}/dob", "is no day of the calendar")
    elif born[0] > event.date():
        yield problem(f"{pointer}/dob", "is after the event")
    elif person.role == "SUBJECT" and age(born[1], event.date()) < SUBJECT_FROM_AGE:
        exact = "is" if age(born[0], event.date()) < SUBJECT_FROM_AGE else "may be"
        yield problem(
            f"{pointer}/role",
            f"a SUBJECT {exact} under {SUBJECT_FROM_AGE} at the event; such records are refused",
        )


def _retention(report: "Envelope", received_at: datetime | None) -> Iterator[Problem]:
    keep = report.retention
    if keep.review_by > keep.retain_until:
        yield problem("/retention/review_by", "is after retain_until")
    if keep.retain_until > five_years_after(report.event_start.date()):
        limit = five_years_after((received_at or datetime.now(UTC)).date())
        if keep.retain_until > limit:
            yield problem(
                "/retention/retain_until",
                f"is more than five years after receipt (28 CFR 23.20(h)); at most {limit.isoformat()} today",
            )


def _markings(report: "Envelope") -> Iterator[Problem]:
    handling = report.handling
    wrong = cui(handling.cui).unknown
    if wrong:
        known = [*codes.CUI_BASIC, *codes.CUI_SPECIFIED, *codes.CUI_LIMIT]
        yield unknown_code("/handling/cui", wrong, known)
    if handling.banner is not None and _CLASSIFIED.match(handling.banner):
        yield problem("/handling/banner", _CLASSIFIED_MESSAGE)
    for at, portion in enumerate(report.portions):
        if _CLASSIFIED.match(portion.marking):
            yield problem(f"/portions/{at}/marking", _CLASSIFIED_MESSAGE)


class Cui:
    """A CUI banner taken apart: ``categories`` without SP-, the part that is ``unknown``, the ``banner``."""

    __slots__ = ("banner", "categories", "caveats", "unknown")

    def __init__(self, banner: str) -> None:
        legacy = re.compile(r"(?<=/)LES(?=/|$)")
        self.banner = legacy.sub("LEI", banner)
        self.unknown = ""
        categories = set()
        for part in self.banner.split("//")[1:]:
            for marking in part.split("/"):
                if marking in codes.CUI_BASIC or marking in codes.CUI_SPECIFIED:
                    categories.add(marking.removeprefix("SP-"))
                elif not _is_limit(marking):
                    self.unknown = self.unknown or marking
        self.categories = frozenset(categories)
        self.caveats = frozenset(CAVEATS[c] for c in categories if c in CAVEATS)


CAVEATS: Final[Mapping[str, str]] = {
    "FSEC": "BSA", "JURY": "GRAND_JURY", "LCOMM": "LCOMM", "JUV": "JUVENILE", "INF": "INFORMANT",
    "TAX": "TAX", "HLTH": "MEDICAL",
}  # fmt: skip
"""CUI category → the authority that a reader of such content must hold."""


def _is_limit(marking: str) -> bool:
    return any(marking == c.upper() or marking.startswith(f"{c} ") for c in codes.CUI_LIMIT)


@lru_cache(maxsize=4_096)
def cui(banner: str) -> Cui:
    """The parts of a CUI banner; legacy LES reads as LEI."""
    return Cui(banner)
