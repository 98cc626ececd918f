"""The comparisons of everything but names: dates, identifiers, addresses, words, points."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from rapidfuzz.distance import OSA, JaroWinkler

from services.fusion.core.tally import Step, Tally
from shared.normalise import dates, identifiers, places
from shared.normalise.dates import PartialDate

_EARTH_M_PER_DEGREE: Final = 111_195.0
_DAY_BITS: Final = 840
_MONTH_BITS: Final = 350
_YEAR_BITS: Final = 600
_FIRST_OF_YEAR: Final = 250
"""Bits of a day and month, of a month, of a year of birth; 1 January often stands for an unknown day."""


def equal(a: tuple[str, ...], b: tuple[str, ...], step: Step, tally: Tally) -> None:
    """The same value or another."""
    shared = next((v for v in a if v in b), None)
    if shared is not None:
        tally.add(step, "same", shared, shared, step.table.of(shared) if step.table else 0)
    else:
        tally.add(step, "different", a[0], b[0])


overlap = equal


def words(a: tuple[str, ...], b: tuple[str, ...], step: Step, tally: Tally) -> None:
    """The same words, nearly the same, or others; rare ones weigh more."""
    shared = next((v for v in a if v in b), None)
    if shared is not None:
        tally.add(step, "same", shared, shared, step.table.of(shared) if step.table else 0)
        return
    best = max(((JaroWinkler.similarity(x, y), x, y) for x in a for y in b), key=lambda t: t[0])
    bits = min(step.table.of(best[1]), step.table.of(best[2])) if step.table else 0
    close = best[0] >= 0.92 or set(best[1].split()) & set(best[2].split()) > {""}
    tally.add(step, "close" if close else "different", best[1], best[2], bits)


def identifier(a: tuple[str, ...], b: tuple[str, ...], step: Step, tally: Tally) -> None:
    """The same number or another; a number whose check digit is wrong weighs less."""
    shared = next((v for v in a if v in b), None)
    if shared is not None:
        key = "same" if identifiers.valid(step.feature, shared) else "invalid"
        tally.add(step, key, shared, shared)
    elif not identifiers.is_scoped(step.feature):
        tally.add(step, "different", a[0], b[0])
    else:
        _scoped(a, b, step, tally)


def _scoped(a: tuple[str, ...], b: tuple[str, ...], step: Step, tally: Tally) -> None:
    """Numbers that are unique within their issuer: those of two issuers say nothing about each other."""
    opposed = None
    for x in a:
        for y in b:
            (scope, _, text), (other, _, number_) = x.rpartition(":"), y.rpartition(":")
            unknown = "-" in {scope, other}
            if text == number_ and unknown:
                tally.add(step, "issuer", x, y)
                return
            if unknown or scope[:2] == other[:2]:
                opposed = opposed or (x, y)
    if opposed is not None:
        tally.add(step, "different", *opposed)


def number(a: tuple[str, ...], b: tuple[str, ...], step: Step, tally: Tally) -> None:
    """The same number, one with a single typing error, or another; a wrong check digit weighs less."""
    if set(a).isdisjoint(b):
        for x in a:
            for y in b:
                if len(x) >= 6 and x[:3] != "-:" != y[:3] and OSA.distance(x, y, score_cutoff=1) <= 1:
                    tally.add(step, "close", x, y)
                    return
    identifier(a, b, step, tally)


PAPERS: Final = (
    "ssn", "curp", "rfc", "tin", "national_id", "passport", "visa", "dl", "sentri", "a_number", "bcc", "lei",
    "ein", "registration_no", "imo", "mmsi", "hull_id", "official_no", "call_sign", "other",
)  # fmt: skip
"""Numbers of papers and registers, which one agency calls a passport's and another only a number."""
_SHORT: Final = 6
_CHARACTER: Final = 230
"""Centibits of a character of a number: a decimal digit has 332, yet the numbers of one office run on."""

Papers = Mapping[str, frozenset[str]]
"""By number, without its issuer, the types that it is given as."""


def read_papers(features: Mapping[str, Sequence[str]]) -> Papers | None:
    """The numbers of papers and registers that are long enough to tell; None without any."""
    found: dict[str, set[str]] = {}
    for name in PAPERS:
        for value in features.get(name, ()):
            text = value.rpartition(":")[2] if identifiers.is_scoped(name) else value
            if len(text) >= _SHORT and any(c.isdigit() for c in text):
                found.setdefault(text, set()).add(name)
    return {text: frozenset(types) for text, types in found.items()} or None


def crossed(a: Papers, b: Papers, step: Step, tally: Tally) -> None:
    """The same number, which one report gives as that of another paper than the other does."""
    text = max((n for n, types in a.items() if types.isdisjoint(b.get(n, types))), key=len, default="")
    if text:
        bits = min(step.most, _CHARACTER * len(text))
        tally.add(step, "same", f"{min(a[text])} {text}", f"{min(b[text])} {text}", bits)


def plate(a: tuple[str, ...], b: tuple[str, ...], step: Step, tally: Tally) -> None:
    """The same plate of the same jurisdiction, the same plate with one jurisdiction unknown, or another."""
    if not set(a).isdisjoint(b):
        identifier(a, b, step, tally)
        return
    for x in a:
        for y in b:
            (scope, _, text), (other, _, same) = x.rpartition(":"), y.rpartition(":")
            if text == same and ("-" in {scope, other} or scope[:2] == other or other[:2] == scope):
                tally.add(step, "close", x, y)
                return
    tally.add(step, "different", a[0], b[0])


def email(a: tuple[str, ...], b: tuple[str, ...], step: Step, tally: Tally) -> None:
    """The same address, the same with a typing error or at another domain, a similar one, or another."""
    if not set(a).isdisjoint(b):
        identifier(a, b, step, tally)
        return
    best = max(((JaroWinkler.similarity(x, y), x, y) for x in a for y in b), key=lambda t: t[0])
    _, x, y = best
    user, other = x.partition("@")[0], y.partition("@")[0]
    if (len(user) >= 5 and user == other) or OSA.distance(x, y, score_cutoff=2) <= 2:
        tally.add(step, "close", x, y)
    else:
        tally.add(step, "alike" if best[0] >= 0.88 else "different", x, y)


def read_dates(feature: str, features: Mapping[str, Sequence[str]]) -> tuple[PartialDate, ...] | None:
    """The dates of a feature; None without any."""
    found = tuple(d for d in map(dates.parse, features.get(feature, ())) if d is not None)
    return found or None


def birth_date(a: tuple[PartialDate, ...], b: tuple[PartialDate, ...], step: Step, tally: Tally) -> None:
    """The same day, or as much of it as both know; day and month swapped; one digit wrong; another date."""
    best: tuple[int, str, PartialDate, PartialDate, int] | None = None
    for x in a:
        for y in b:
            key, bits = _date_level(x, y)
            if key == "generation" and not tally.namesakes:
                key = "contradicts"
            weight = step.base[key] + step.levels[key].rarity * bits // 100
            if best is None or weight > best[0]:
                best = (weight, key, x, y, bits)
    assert best is not None, "a parsed feature has at least one date"
    tally.add(step, best[1], str(best[2]), str(best[3]), best[4])


def _date_level(  # noqa: PLR0911  # one return for each level of the table
    x: PartialDate, y: PartialDate
) -> tuple[str, int]:
    """The level of two dates, and its bits."""
    if x == y:
        day = _FIRST_OF_YEAR if (x.month, x.day) == (1, 1) else _DAY_BITS
        if x.day:
            return "same", _YEAR_BITS + day
        return "partial", _YEAR_BITS + _MONTH_BITS if x.month else _YEAR_BITS
    if not (x.day and y.day):
        return _partial_level(x, y)
    if x.year == y.year and x.month == y.day and x.day == y.month:
        return "swapped", 0
    one, other = (f"{d.year:04d}{d.month:02d}{d.day:02d}" for d in (x, y))
    wrong = _digits_apart(one, other)
    if one[4:] == other[4:] == "0101":
        return ("nearly" if abs(x.year - y.year) <= 1 else "year only" if wrong <= 2 else "different"), 0
    if wrong == 1:
        return "typo", 0
    if wrong == 2 and OSA.distance(one, other, score_cutoff=1) == 1:
        return "transposed", 0
    if one[4:] == other[4:] != "0101" and abs(x.year - y.year) <= 10:
        return "year differs", 0
    return _apart(x, y, wrong), 0


def _apart(x: PartialDate, y: PartialDate, wrong: int) -> str:
    """The level of two days that no slip of the pen explains, ``wrong`` digits apart."""
    days = abs(_days(x) - _days(y))
    if days <= 31:
        return "month apart"
    if x.year == y.year:
        return "same month" if x.month == y.month else "same year"
    if days <= 366:
        return "year apart"
    if days <= 2 * 366 or wrong <= 2 or x.month == y.month or x.day == y.day or x.year % 100 == y.year % 100:
        return "different"
    return "generation" if 15 <= abs(x.year - y.year) <= 50 else "contradicts"


def _days(date: PartialDate) -> int:
    """A day number that also counts dates that cannot be; good to a few days."""
    return date.year * 365 + date.month * 30 + date.day


def _partial_level(x: PartialDate, y: PartialDate) -> tuple[str, int]:
    """The level where one date or both lack the day."""
    if x.year == y.year:
        if not (x.month and y.month):
            return "partial", _YEAR_BITS
        return ("partial", _YEAR_BITS + _MONTH_BITS) if x.month == y.month else ("nearly", 0)
    if abs(x.year - y.year) <= 1:
        return "nearly", 0
    return ("contradicts" if _digits_apart(f"{x.year:04d}", f"{y.year:04d}") > 1 else "different"), 0


def _digits_apart(one: str, other: str) -> int:
    """In how many digits two dates of one length differ."""
    return sum(p != q for p, q in zip(one, other, strict=True))


def year(a: tuple[str, ...], b: tuple[str, ...], step: Step, tally: Tally) -> None:
    """The same year, one apart, or another."""
    gap = min(abs(int(x) - int(y)) for x in a for y in b)
    tally.add(step, "same" if gap == 0 else "near" if gap == 1 else "different", a[0], b[0])


def read_places(feature: str, features: Mapping[str, Sequence[str]]) -> tuple[places.Place, ...] | None:
    """The places of a feature; None without any."""
    found = features.get(feature)
    return tuple(map(places.parse, found)) if found else None


_PLACE_RANK: Final = (
    "unit", "street", "near", "road", "postcode", "city", "elsewhere", "town", "state", "different",
)  # fmt: skip


def address(a: tuple[places.Place, ...], b: tuple[places.Place, ...], step: Step, tally: Tally) -> None:
    """The same address to the unit, the same house, nearly the same, the same postcode, place or state."""
    rank, x, y = min(
        ((_PLACE_RANK.index(_place_level(x, y)), x, y) for x in a for y in b), key=lambda found: found[0]
    )
    bits = step.table.of(x.city) if step.table and x.city else 0
    tally.add(step, _PLACE_RANK[rank], str(x).strip("|"), str(y).strip("|"), bits)


def _place_level(x: places.Place, y: places.Place) -> str:
    """The level of two places."""
    region = _agree(x.postcode, y.postcode) or (_agree(x.city, y.city) and x.state == y.state)
    if x.street and y.street and (region or not (x.postcode and y.postcode)):
        if x.street == y.street:
            return "unit" if x.unit == y.unit else "street"
        if JaroWinkler.similarity(x.street.replace(" ", ""), y.street.replace(" ", "")) >= 0.9:
            return "near" if x.number == y.number else "road"
    if _agree(x.postcode, y.postcode):
        return "postcode"
    if _agree(x.city, y.city):
        return "elsewhere" if x.street and y.street else "city"
    if x.city and y.city and JaroWinkler.similarity(x.city, y.city) >= 0.88:
        return "town"
    return "state" if _agree(x.state, y.state) and not (x.city and y.city) else "different"


def _agree(x: str, y: str) -> bool:
    return bool(x) and x == y


def read_points(
    feature: str, features: Mapping[str, Sequence[str]]
) -> tuple[tuple[float, float], ...] | None:
    """The WGS84 points of a feature as (latitude, longitude); None without any."""
    found = features.get(feature)
    if not found:
        return None
    pairs = (v.partition(",") for v in found)
    return tuple((float(lat), float(lon)) for lat, _, lon in pairs)


def point(
    a: tuple[tuple[float, float], ...], b: tuple[tuple[float, float], ...], step: Step, tally: Tally
) -> None:
    """Within 20 m, within 150 m, or far apart."""
    metres, x, y = min((_metres(x, y), x, y) for x in a for y in b)
    key = "same" if metres <= 20 else "near" if metres <= 150 else "different"
    tally.add(step, key, f"{x[0]},{x[1]}", f"{y[0]},{y[1]}")


def _metres(x: tuple[float, float], y: tuple[float, float]) -> float:
    """Distance on the sphere, in parts of a degree of latitude; exact enough below a kilometre."""
    north = x[0] - y[0]
    east = (x[1] - y[1]) * math.cos(math.radians((x[0] + y[0]) / 2))
    return math.hypot(north, east) * _EARTH_M_PER_DEGREE
