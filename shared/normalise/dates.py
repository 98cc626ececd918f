"""Dates as reports give them: whole, partial, in several notations, sometimes impossible."""

import re
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

_ISO: Final = re.compile(r"(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?(?:[T ]\d{2}:.*)?$")
_SLASHED: Final = re.compile(r"(\d{1,2})([/. -])(\d{1,2})[/. -](\d{4})$")
_NAMED: Final = re.compile(r"(?:(\d{1,2})[ -])?([A-Za-z]{3,9})\.?[ -](\d{4})$")
_AMERICAN: Final = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})$")
_ABOUT: Final = re.compile(
    r"(?:circa|ca?\.?|about|approx(?:imately|\.)?|around|before|after) *(?=\d)", re.IGNORECASE
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class PartialDate(NamedTuple):
    """A date of known precision: ``month`` and ``day`` are 0 where unknown."""

    year: int
    month: int
    day: int

    @property
    def precise(self) -> bool:
        """Whether the day is known and exists in the calendar."""
        return self.day > 0 and exists(self)

    def __str__(self) -> str:
        if not self.month:
            return f"{self.year:04d}"
        if not self.day:
            return f"{self.year:04d}-{self.month:02d}"
        return f"{self.year:04d}-{self.month:02d}-{self.day:02d}"


def exists(value: PartialDate) -> bool:
    """Whether the calendar has such a date; unknown parts pass."""
    try:
        date(value.year or 1, value.month or 1, value.day or 1)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=16_384)
def parse(text: str) -> PartialDate | None:
    """Read YYYY[-MM[-DD]], YYYYMMDD, M/D/YYYY (D/M/YYYY where only that exists), D.M.YYYY, [D ]Mon YYYY.

    ``circa`` is passed over, 00 is unknown. A day or month that cannot be is kept, so that a typing error
    stays comparable. None where the text is no date.
    """
    text = _ABOUT.sub("", text.strip())
    found = _ISO.match(text)
    if found:
        year, month, day = (int(g or 0) for g in found.groups())
        return PartialDate(year, month, day if month else 0)
    found = _SLASHED.match(text)
    if found:
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        day_first = first > 12 >= second or (found[2] == "." and second <= 12)
        month, day = (second, first) if day_first else (first, second)
        return PartialDate(year, month, day)
    found = _NAMED.match(text)
    if found and found[2][:3].lower() in _MONTHS:
        return PartialDate(int(found[3]), _MONTHS.index(found[2][:3].lower()) + 1, int(found[1] or 0))
    found = _AMERICAN.match(text)
    if found and found[1][:3].lower() in _MONTHS:
        return PartialDate(int(found[3]), _MONTHS.index(found[1][:3].lower()) + 1, int(found[2]))
    return None
