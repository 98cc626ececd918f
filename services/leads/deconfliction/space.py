"""Cells of place and time: two events that may conflict by distance always share one. Pure.

Latitude is cut into bands of ``BAND_DEG``; each band is cut into whole cells that are at least ``REACH_M``
wide at its poleward edge, counted around the date line. An event lies in one home cell and looks into the
cells around it; near a pole the band is one cell. Time is cut into buckets of ``BUCKET``.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import ceil, cos, floor, radians
from typing import Final

REACH_M: Final = 1_700.0
"""A little more than the largest radius, so that whoever is within it lies in the same or the next cell."""
_METRES_PER_DEGREE: Final = 110_500.0
"""The least metres of a degree of latitude on WGS84 (110,574 at the equator), rounded down."""
BAND_DEG: Final = REACH_M / _METRES_PER_DEGREE
BANDS: Final = ceil(180.0 / BAND_DEG)
BUCKET: Final = timedelta(hours=6)

Cell = tuple[int, int]


def home(lat: float, lon: float) -> Cell:
    """The cell of a point in degrees: (band, number within the band)."""
    band = min(BANDS - 1, max(0, floor((lat + 90.0) / BAND_DEG)))
    return band, _column(band, lon)


def around(lat: float, lon: float) -> list[Cell]:
    """Every cell that holds a point within ``REACH_M`` of this one, sorted; its own is among them."""
    band, _ = home(lat, lon)
    found: set[Cell] = set()
    for b in range(max(0, band - 1), min(BANDS - 1, band + 1) + 1):
        count = columns(b)
        if count <= 6:  # near a pole the straight way is shorter than the way around
            found |= {(b, c) for c in range(count)}
            continue
        middle = _column(b, lon)
        found |= {(b, (middle + step) % count) for step in (-1, 0, 1)}
    return sorted(found)


def columns(band: int) -> int:
    """How many cells a band has, each at least ``REACH_M`` wide everywhere in it."""
    south = -90.0 + band * BAND_DEG
    edge = max(abs(south), abs(south + BAND_DEG))
    width = cos(radians(min(90.0, edge))) * 360.0 * _METRES_PER_DEGREE
    return max(1, floor(width / REACH_M))


def _column(band: int, lon: float) -> int:
    count = columns(band)
    return min(count - 1, floor(((lon + 180.0) % 360.0) / 360.0 * count))


def buckets(starts: datetime, ends: datetime) -> Iterator[int]:
    """The numbers of the time buckets that a window touches, in order."""
    first, last = (floor(t.astimezone(UTC).timestamp() / BUCKET.total_seconds()) for t in (starts, ends))
    yield from range(first, last + 1)
