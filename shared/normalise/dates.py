"""Dates as reports give them: whole, partial, in several notations, sometimes impossible."""

import re
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from shared.normalise.text import fold

_ISO: Final = re.compile(r"(\d{4})(?:(-?)(\d{2})(?:\2(\d{2}))?)?(?:[T ]\d{2}:.*)?$")
_YEAR_FIRST: Final = re.compile(r"(\d{4})[-./](\d{1,2})(?:[-./](\d{1,2}))?$")
_EASTERN: Final = re.compile(r"(\d{4})年(?:(\d{1,2})月(?:(\d{1,2})日)?)?$")
_SLASHED: Final = re.compile(r"(\d{1,2})([/. -])(\d{1,2})[/. -](\d{4}|\d{2})$")
_MONTH_FIRST: Final = re.compile(r"(\d{1,2})[/.-](\d{4})$")
_NAMED: Final = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th)?[ -]?(?:de )?)?([a-z]{3,10})[ -]?(?:de )?(\d{4}|\d{2})$"
)
_AMERICAN: Final = re.compile(r"([a-z]{3,10}) (\d{1,2})(?:st|nd|rd|th)? (\d{4})$")
_WORDS: Final = re.compile(
    r"(?i)\b(?:circa|ca|c|about|approx|approximately|around|before|after|early|late|mid|in|year|born|dob|on)\b"
    r"\.? *(?=[\dA-Z])|\bc(?=\d{4}$)|\([^)]*\)|[~?]|[-/.](?:xx|\?\?|00)(?![\d:])"
)
_RANGE: Final = re.compile(
    r"(?i)(?:between |from )?(.*\d{4})(?: ?(?:to|and|until|or|–|—) ?| - |(?<=\b\d{4})-(?=\d{4}$))(.*\d{4}.*)$"
)
_DECADE: Final = re.compile(r"(\d{3}0)'?s$")
_LONGEST: Final = 10
"""Years of a range that is still a date of birth."""
_CENTURY: Final = 30
"""Years of two digits below this are of the century that began in 2000."""
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ELSEWHERE: Final = (
    "janvier enero januar gennaio janeiro yanvarya yanvar sichnya ocak",
    "fevrier febrero februar febbraio fevereiro fevralya fevral lyutogo subat",
    "mars marzo marz maerz marco marta mart bereznya",
    "avril abril aprile aprelya aprel kvitnya nisan",
    "mai mayo maggio maio maya travnya mayis",
    "juin junio juni giugno junho iyunya iyun chervnya haziran",
    "juillet julio juli luglio julho iyulya iyul lypnya temmuz",
    "aout agosto avgusta avgust serpnya agustos",
    "septembre septiembre settembre setembro sentyabrya sentyabr veresnya eylul",
    "octobre octubre oktober ottobre outubro oktyabrya oktyabr zhovtnya ekim",
    "novembre noviembre novembro noyabrya noyabr lystopada kasim",
    "decembre diciembre dezember dicembre dezembro dekabrya dekabr hrudnya aralik",
)
_MONTH: Final = {word: i for i, words in enumerate(_ELSEWHERE, 1) for word in words.split()}
"""Months in other languages."""


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

    ``circa`` is passed over, 00 and XX are unknown, months may be named in several languages, years of two
    digits are of the last hundred. A day or month that cannot be is kept, so that a typing error stays
    comparable. None where the text is no date, or is a range (``span``).
    """
    found = _ISO.match(text)
    if found:
        return _dated(found[1], found[3], found[4])
    return _written(text)


def _dated(year: str, month: str | None, day: str | None) -> PartialDate | None:
    """A date of digits; None where not even the year is known."""
    if not int(year):
        return None
    known = int(month or 0)
    return PartialDate(int(year), known, int(day or 0) if known else 0)


def span(text: str) -> tuple[PartialDate, ...]:
    """The date of ``text``, each year of a range of some (``1960 to 1965``, ``1960s``), or none."""
    found = parse(text)
    if found:
        return (found,)
    decade, ends = _DECADE.search(text.strip()), _RANGE.match(text.strip())
    if decade:
        return tuple(PartialDate(int(decade[1]) + n, 0, 0) for n in range(_LONGEST))
    if not ends:
        return ()
    first, last = parse(ends[1].strip()), parse(ends[2].strip())
    if not (first and last) or not 0 <= last.year - first.year <= _LONGEST:
        return ()
    return tuple(PartialDate(year, 0, 0) for year in range(first.year, last.year + 1))


def _written(text: str) -> PartialDate | None:
    """A date in another notation than ISO 8601's."""
    text = _WORDS.sub("", text.strip()).strip(" .,")
    found = _ISO.match(text)
    if found:
        return _dated(found[1], found[3], found[4])
    found = _YEAR_FIRST.match(text) or _EASTERN.match(text)
    if found:
        return _dated(found[1], found[2], found[3])
    found = _SLASHED.match(text)
    if found:
        first, second = int(found[1]), int(found[3])
        day_first = first > 12 >= second or (found[2] == "." and second <= 12)
        month, day = (second, first) if day_first else (first, second)
        return PartialDate(_year(found[4]), month, day if month else 0)
    found = _MONTH_FIRST.match(text)
    if found:
        return PartialDate(int(found[2]), int(found[1]), 0)
    return _named(fold(text))


def _named(text: str) -> PartialDate | None:
    """A date whose month is a word."""
    found = _NAMED.match(text)
    if found and (month := _month(found[2])):
        return PartialDate(_year(found[3]), month, int(found[1] or 0))
    found = _AMERICAN.match(text)
    if found and (month := _month(found[1])):
        return PartialDate(int(found[3]), month, int(found[2]))
    return None


def _month(word: str) -> int:
    """The number of a month; 0 where the word is none."""
    found = _MONTH.get(word)
    if found is None:
        found = _MONTHS.index(word[:3]) + 1 if word[:3] in _MONTHS else 0
    return found


def _year(digits: str) -> int:
    """A year of four digits, or of two."""
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (2000 if year < _CENTURY else 1900)
