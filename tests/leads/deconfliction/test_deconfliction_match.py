"""Matching is symmetric, classes are as defined, and cells of space never miss a neighbour."""

from datetime import UTC, datetime, timedelta
from math import cos, radians

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.leads.deconfliction import space
from services.leads.deconfliction.match import (
    DEFAULT_RADIUS_M,
    Event,
    Identifier,
    MatchClass,
    Name,
    Target,
    classify,
    events_conflict,
    metres,
    tokens,
)  # fmt: skip

PHONE = Identifier("PHONE", "(915) 555-0142")
PLATE = Identifier("PLATE", "syn 1234", "US-TX")


def cls(a: Target, b: Target) -> MatchClass | None:
    forward, back = classify(tokens(a), tokens(b)), classify(tokens(b), tokens(a))
    assert forward == back
    return forward


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (Target((PHONE,)), Target((Identifier("PHONE", "+19155550142"),)), MatchClass.EXACT),
        (Target((PLATE,)), Target((Identifier("PLATE", "SYN-1234", "US-TX"),)), MatchClass.STRONG),
        (Target((PLATE,)), Target((Identifier("PLATE", "SYN1234"),)), MatchClass.POSSIBLE),
        (Target((PLATE,)), Target((Identifier("PLATE", "SYN1234", "US-NM"),)), None),
        (
            Target(names=(Name("Jose Garcia Lopez", "1988-01-01"),)),
            Target(names=(Name("GARCIA LOPEZ, José", "1988-01-01"),)),
            MatchClass.STRONG,
        ),
        (
            Target(names=(Name("Jon Smyth", "1988"),)),
            Target(names=(Name("John Smith", "1989-05-05"),)),
            MatchClass.POSSIBLE,
        ),
        (Target(names=(Name("Jon Smyth", "1988"),)), Target(names=(Name("John Smith", "1990"),)), None),
        (
            Target(names=(Name("Jon Smyth"),)),
            Target(names=(Name("John Smith", "1990"),)),
            MatchClass.POSSIBLE,
        ),
        (
            Target(addresses=("12 Invented St Apt 4, El Paso, TX 79901",)),
            Target(addresses=("12 INVENTED STREET #4, El Paso TX 79901",)),
            MatchClass.STRONG,
        ),
        (
            Target(addresses=("12 Invented St Apt 4, El Paso, TX 79901",)),
            Target(addresses=("12 Invented St, El Paso, TX 79901",)),
            MatchClass.POSSIBLE,
        ),
        (
            Target(addresses=("12 Invented St Apt 4, El Paso, TX 79901",)),
            Target(addresses=("12 Invented St Apt 5, El Paso, TX 79901",)),
            None,
        ),
    ],
)
def test_a_match_has_the_class_of_its_surest_shared_fact(
    a: Target, b: Target, expected: MatchClass | None
) -> None:
    assert cls(a, b) == expected


NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def event(lat: float, lon: float, hours: float = 0, agency: str = "A", **more: object) -> Event:
    starts = NOON + timedelta(hours=hours)
    fields = {"radius_m": DEFAULT_RADIUS_M, "team": "1"} | more
    return Event(starts, starts + timedelta(hours=1), lat, lon, agency=agency, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (event(31.76, -106.48), event(31.7615, -106.48, agency="B"), True),
        (event(31.76, -106.48), event(31.77, -106.48, agency="B"), False),
        (event(31.76, -106.48), event(31.77, -106.48, agency="B", radius_m=1600.0), True),
        (event(31.76, -106.48), event(31.76, -106.48), False),
        (event(31.76, -106.48), event(31.76, -106.48, team="2"), True),
        (event(31.76, -106.48), event(31.76, -106.48, 3, agency="B"), True),
        (event(31.76, -106.48), event(31.76, -106.48, 3.1, agency="B"), False),
        (event(0, 179.9999), event(0, -179.9999, agency="B"), True),
        (event(89.9995, 0), event(89.9995, 180, agency="B"), True),
    ],
)
def test_events_conflict_by_time_and_distance(a: Event, b: Event, expected: bool) -> None:
    assert events_conflict(a, b) is events_conflict(b, a) is expected


@settings(max_examples=600)
@given(
    lat=st.floats(-90, 90) | st.floats(89.8, 90) | st.floats(-90, -89.8),
    lon=st.floats(-180, 180) | st.sampled_from([-180.0, 180.0, 179.9999]),
    north=st.floats(-1600, 1600),
    east=st.floats(-1600, 1600),
)
def test_whoever_is_in_reach_lies_in_a_cell_around(lat: float, lon: float, north: float, east: float) -> None:
    other_lat = lat + north / 111_000
    assume(-90 <= other_lat <= 90)
    shrink = max(cos(radians(lat)), 1e-9) * 111_000
    other_lon = (lon + max(-180.0, min(180.0, east / shrink)) + 180) % 360 - 180
    a, b = event(lat, lon), event(other_lat, other_lon, agency="B")
    assume(metres(a, b) <= 1600)
    assert space.home(other_lat, other_lon) in space.around(lat, lon)
    assert space.home(lat, lon) in space.around(other_lat, other_lon)
