"""Counting the same thing once: which reports tell of one event.

Joint seizures counted twice are a known fault of real statistics. Reports are one event when they carry
the same Federal Drug Identification Number, BSA id or custody-receipt number; and *possibly* one, counted
once with both originals kept, when two seizures lie within a day and 5 km of each other, share an agency
or the conveyance, and agree in drug and net weight (within 5 %) or in cash.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt
from typing import Final, NamedTuple

from services.leads.view import View
from shared.contracts.entities import Location
from shared.contracts.facts import EventKind
from shared.contracts.report import Report, quantity_in_grams

SAME_NUMBERS: Final = frozenset({"FDIN", "BSA_ID", "CUSTODY_RECEIPT"})
JOINT_KM: Final = 5.0
JOINT_DAYS: Final = 1
JOINT_WEIGHT: Final = Decimal("0.05")
_EARTH_KM: Final = 6371.0088


@dataclass(frozen=True, slots=True)
class Event:
    """One event and the reports that tell of it, by event time."""

    reports: tuple[Report, ...]

    @property
    def joint(self) -> bool:
        """Whether more than one report tells of it."""
        return len(self.reports) > 1


def events_of(view: View, reports: Iterable[Report]) -> tuple[Event, ...]:
    """The events that ``reports`` tell of, by time of their first report."""
    ordered = sorted({r.report_id: r for r in reports}.values(), key=_moment)
    home = list(range(len(ordered)))

    def find(i: int) -> int:
        while home[i] != i:
            home[i] = home[home[i]]
            i = home[i]
        return i

    numbers: dict[tuple[str, str], int] = {}
    for i, report in enumerate(ordered):
        for number in report.facts.numbers:
            if number.kind in SAME_NUMBERS:
                first = numbers.setdefault((number.kind, number.value.strip().upper()), i)
                home[find(i)] = find(first)
    for one, other in _close_seizures(view, ordered):
        if find(one.number) != find(other.number) and _possibly_joint(one, other):
            home[find(other.number)] = find(one.number)
    groups: dict[int, list[Report]] = {}
    for i, report in enumerate(ordered):
        groups.setdefault(find(i), []).append(report)
    return tuple(Event(tuple(g)) for g in sorted(groups.values(), key=lambda g: _moment(g[0])))


def _moment(report: Report) -> tuple[float, str]:
    return (report.event_start.timestamp(), report.report_id)


class _Seizure(NamedTuple):
    """What of a seizure tells whether another is the same: days as ordinals, places as (lat, lon)."""

    number: int
    day: int
    conveyance: str | None
    agencies: frozenset[str]
    point: tuple[float, float] | None
    grams: Mapping[str, Decimal]
    usd: Decimal | None


def _close_seizures(view: View, ordered: Sequence[Report]) -> Iterable[tuple[_Seizure, _Seizure]]:
    """Pairs of seizures within a day of each other; ``ordered`` is by time, so each looks ahead only."""
    seizures = [_seizure(view, i, r) for i, r in enumerate(ordered) if r.facts.kind is EventKind.SEIZURE]
    for at, one in enumerate(seizures):
        for other in seizures[at + 1 :]:
            if other.day - one.day > JOINT_DAYS:
                break
            yield one, other


def _seizure(view: View, number: int, report: Report) -> _Seizure:
    conveyance, place = view.entity_of(report.report_id, report.facts.conveyance), place_of(report)
    return _Seizure(
        number,
        utc_day(report).toordinal(),
        conveyance.entity_id if conveyance else None,
        frozenset({report.originator.agency_id, *report.facts.agencies}),
        None if place is None or place.lat is None else (place.lat, place.lon or 0.0),
        net_grams(report),
        report.facts.seized_usd,
    )


def utc_day(report: Report) -> date:
    """The day of the event, in UTC: agencies write their own offsets."""
    return report.event_start.astimezone(UTC).date()


def _possibly_joint(a: _Seizure, b: _Seizure) -> bool:
    """Whether two seizures within a day of each other look like one that two agencies reported."""
    same_conveyance = a.conveyance is not None and a.conveyance == b.conveyance
    if not same_conveyance and a.agencies.isdisjoint(b.agencies):
        return False
    if a.point is None or b.point is None:
        return same_conveyance and _same_goods(a, b)
    return _same_goods(a, b) and _km_apart(a.point, b.point) <= JOINT_KM


def _km_apart(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Great-circle distance."""
    lat1, lat2 = radians(here[0]), radians(there[0])
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(radians(there[1] - here[1]) / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(min(1.0, half)))


def place_of(report: Report) -> Location | None:
    """Where the event was."""
    return next((loc for loc in report.locations if loc.local_id == report.facts.place), None)


def _same_goods(a: _Seizure, b: _Seizure) -> bool:
    shared = a.grams.keys() & b.grams.keys()
    if shared:
        return all(abs(a.grams[c] - b.grams[c]) <= JOINT_WEIGHT * max(a.grams[c], b.grams[c]) for c in shared)
    return bool(a.usd) and a.usd == b.usd


def net_grams(report: Report) -> dict[str, Decimal]:
    """Net weight in grams by DEA code, exhibits added up; gross weights and other units are left out."""
    found: dict[str, Decimal] = {}
    for drug in report.drugs:
        grams = drug.grams if drug.grams is not None else quantity_in_grams(drug.quantity, drug.unit)
        if drug.weight == "NET" and grams is not None:
            code = drug.code[:4]
            found[code] = found.get(code, Decimal(0)) + grams
    return found
