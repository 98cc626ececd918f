"""When do two submissions meet? Pure: from what was submitted to tokens, and from two token sets to a class.

Two submissions match where they share a token, in the best class of the shared ones. That makes matching
symmetric and independent of order by construction, and lets the registry keep keyed hashes only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

import jellyfish
from geographiclib.geodesic import Geodesic

from shared.normalise import dates, identifiers, names, places

PADDING: Final = timedelta(minutes=60)
"""Two windows meet where they overlap with this much added on both sides of each."""
DEFAULT_RADIUS_M: Final = 290.0
MAX_RADIUS_M: Final = 1600.0
_STATE_SCOPED: Final = frozenset({"plate"})
_WEAK: Final = frozenset({"handle", "ip", "domain", "url", "hash", "other"})
"""Identifier types that name a place on the net or nothing for certain: POSSIBLE at most."""


class MatchClass(IntEnum):
    """How surely two submissions are about the same target; larger is surer."""

    POSSIBLE = 1
    STRONG = 2
    EXACT = 3


class Token(NamedTuple):
    """One comparable fact of a submission.

    ``qualified``: the submission says more (a birth year) that has a token of its own, so that two
    qualified submissions do not meet on this token alone.
    """

    cls: MatchClass
    kind: str
    value: str
    qualified: bool = False


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier as submitted; ``issuer`` is its country, state, bank or platform."""

    type: str
    value: str
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """A name as submitted, with the birth date (YYYY, YYYY-MM or YYYY-MM-DD) where known."""

    full_name: str
    birth: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What one submission says of its target."""

    identifiers: tuple[Identifier, ...] = ()
    names: tuple[Name, ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A planned operation: window, WGS84 point in degrees, radius in metres, and who goes there."""

    starts: datetime
    ends: datetime
    lat: float
    lon: float
    radius_m: float
    agency: str
    team: str
    tokens: frozenset[Token] = frozenset()


def tokens(target: Target) -> frozenset[Token]:
    """Every token of a target.

    EXACT: a canonical strong identifier. STRONG: full name with full birth date; plate with state;
    address to the unit. POSSIBLE: phonetic name with birth year ± 1 (or with none on one side); address
    without unit; last eight of a VIN; an identifier whose check digit is wrong.
    """
    found: set[Token] = set()
    for identifier in target.identifiers:
        found |= _identifier(identifier)
    for name in target.names:
        found |= _name(name)
    for address in target.addresses:
        found |= _address(address)
    return frozenset(found)


def _identifier(given: Identifier) -> set[Token]:
    known = identifiers.canonical(given.type, given.value, issuer=given.issuer)
    scope, _, bare = known.value.rpartition(":")
    if known.type == "address":
        return _address(given.value)
    sure = MatchClass.EXACT
    if known.type in _STATE_SCOPED:
        sure = MatchClass.STRONG if scope not in {"", "-"} else MatchClass.POSSIBLE
    elif not known.valid or known.type in _WEAK:
        sure = MatchClass.POSSIBLE
    found = {Token(sure, known.type, known.value)}
    if known.type == "vin" and len(known.value) >= 8:
        found.add(Token(MatchClass.POSSIBLE, "vin8", known.value[-8:]))
    if known.type in _STATE_SCOPED and bare:
        found.add(Token(MatchClass.POSSIBLE, "plate-bare", bare, qualified=scope not in {"", "-"}))
    return found


def _name(given: Name) -> set[Token]:
    parsed = names.person(given.full_name)
    if parsed is None or len(parsed.tokens) < 2:
        return set()
    words = sorted(parsed.tokens)
    sound = " ".join(sorted({jellyfish.metaphone(w) or w for w in words}))
    born = dates.parse(given.birth) if given.birth else None
    found = {Token(MatchClass.POSSIBLE, "name", sound, qualified=born is not None)}
    if born is not None:
        found |= {Token(MatchClass.POSSIBLE, "name-year", f"{sound}|{y}") for y in (born.year, born.year + 1)}
        if born.precise:
            found.add(Token(MatchClass.STRONG, "name-birth", f"{' '.join(words)}|{born}"))
    return found


def _address(line: str) -> set[Token]:
    place = places.address(line)
    if place is None or not place.street or not place.number:
        return set()
    area = place.postcode or f"{place.city}|{place.state}"
    if area == "|":
        return set()
    found = {Token(MatchClass.POSSIBLE, "street", f"{place.street}|{area}", qualified=bool(place.unit))}
    if place.unit:
        found.add(Token(MatchClass.STRONG, "unit", f"{place.street}|{place.unit}|{area}"))
    return found


def shared(a: Iterable[Token], b: Iterable[Token]) -> list[Token]:
    """The tokens on which two submissions meet, surest first."""
    others = {(t.cls, t.kind, t.value): t for t in b}
    met = []
    for token in a:
        other = others.get((token.cls, token.kind, token.value))
        if other is not None and not (token.qualified and other.qualified):
            met.append(token)
    return sorted(met, key=lambda t: (-t.cls, t.kind, t.value))


def classify(a: Iterable[Token], b: Iterable[Token]) -> MatchClass | None:
    """The class in which two submissions match; None where they do not."""
    met = shared(a, b)
    return met[0].cls if met else None


def metres(a: Event, b: Event) -> float:
    """The geodesic distance of two events on the WGS84 ellipsoid (Karney 2013)."""
    return float(Geodesic.WGS84.Inverse(a.lat, a.lon, b.lat, b.lon)["s12"])


def windows_meet(a: Event, b: Event) -> bool:
    """Whether the padded windows overlap; both ends count."""
    return a.starts - PADDING <= b.ends + PADDING and b.starts - PADDING <= a.ends + PADDING


def events_conflict(a: Event, b: Event) -> bool:
    """Whether two operations collide: other agency or team, at one time, at one place or after one target."""
    if (a.agency, a.team) == (b.agency, b.team) or not windows_meet(a, b):
        return False
    met = shared(a.tokens, b.tokens)
    if met and met[0].cls >= MatchClass.STRONG:
        return True
    return metres(a, b) <= max(a.radius_m, b.radius_m)
