"""Counting the same thing once: which reports tell of one event.

Joint seizures counted twice are a known fault of real statistics. Reports are one event when they carry
the same Federal Drug Identification Number, BSA id or custody-receipt number; and *possibly* one, counted
once with both originals kept, when two seizures lie within a day and 5 km of each other, share an agency
or the conveyance, and agree in drug and net weight (within 5 %) or in cash.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt
from typing import Final

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
    for i, j in _close_seizures(ordered):
        if find(i) != find(j) and possibly_joint(view, ordered[i], ordered[j]):
            home[find(j)] = find(i)
    groups: dict[int, list[Report]] = {}
    for i, report in enumerate(ordered):
        groups.setdefault(find(i), []).append(report)
    return tuple(Event(tuple(g)) for g in sorted(groups.values(), key=lambda g: _moment(g[0])))


def _moment(report: Report) -> tuple[float, str]:
    return (report.event_start.timestamp(), report.report_id)


def _close_seizures(ordered: Sequence[Report]) -> Iterable[tuple[int, int]]:
    """Pairs of seizures within a day of each other; ``ordered`` is by time, so each looks ahead only."""
    seizures = [i for i, r in enumerate(ordered) if r.facts.kind is EventKind.SEIZURE]
    for at, i in enumerate(seizures):
        for j in seizures[at + 1 :]:
            if days_apart(ordered[i], ordered[j]) > JOINT_DAYS:
                break
            yield i, j


def days_apart(a: Report, b: Report) -> int:
    """Days between the events, by the calendar in UTC."""
    return abs((utc_day(b) - utc_day(a)).days)


def utc_day(report: Report) -> date:
    """The day of the event, in UTC: agencies write their own offsets."""
    return report.event_start.astimezone(UTC).date()


def possibly_joint(view: View, a: Report, b: Report) -> bool:
    """Whether two seizures look like one that two agencies reported."""
    if days_apart(a, b) > JOINT_DAYS:
        return False
    conveyance = view.entity_of(a.report_id, a.facts.conveyance)
    same_conveyance = conveyance is not None and conveyance == view.entity_of(b.report_id, b.facts.conveyance)
    if not same_conveyance and _agencies(a).isdisjoint(_agencies(b)):
        return False
    apart = _km_apart(a, b)
    if apart is None and not same_conveyance:
        return False
    return (apart is None or apart <= JOINT_KM) and _same_goods(a, b)


def _agencies(report: Report) -> set[str]:
    return {report.originator.agency_id, *report.facts.agencies}


def _km_apart(a: Report, b: Report) -> float | None:
    """Great-circle distance of the places; None where either has no point."""
    here, there = place_of(a), place_of(b)
    if here is None or there is None or here.lat is None or there.lat is None:
        return None
    lat1, lat2 = radians(here.lat), radians(there.lat)
    lon = radians((there.lon or 0.0) - (here.lon or 0.0))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(lon / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(min(1.0, half)))


def place_of(report: Report) -> Location | None:
    """Where the event was."""
    return next((loc for loc in report.locations if loc.local_id == report.facts.place), None)


def _same_goods(a: Report, b: Report) -> bool:
    mine, theirs = net_grams(a), net_grams(b)
    shared = mine.keys() & theirs.keys()
    if shared:
        return all(abs(mine[c] - theirs[c]) <= JOINT_WEIGHT * max(mine[c], theirs[c]) for c in shared)
    return bool(a.facts.seized_usd) and a.facts.seized_usd == b.facts.seized_usd


def net_grams(report: Report) -> dict[str, Decimal]:
    """Net weight in grams by DEA code, exhibits added up; gross weights and other units are left out."""
    found: dict[str, Decimal] = {}
    for drug in report.drugs:
        grams = drug.grams if drug.grams is not None else quantity_in_grams(drug.quantity, drug.unit)
        if drug.weight == "NET" and grams is not None:
            code = drug.code[:4]
            found[code] = found.get(code, Decimal(0)) + grams
    return found
