"""The thresholds of the rules: amounts of law and practice, each with its place, its dates and its source.

Rules ask for the row that holds for an event's day and place. A law that changes is a new row, never a
changed one, so that an old event is measured by the amount of its day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class Threshold:
    """An amount that holds from ``effective`` until the day before ``until``.

    ``place`` is empty for everywhere, otherwise a US state (TX) or county (FIPS code, 48141); the
    narrowest place that fits wins.
    """

    name: str
    amount: Decimal
    unit: str
    effective: date
    source: str
    place: str = ""
    until: date | None = None


def _grams(code: str, tier: str, grams: int, since: date) -> Threshold:
    name, clause = f"quantity.{code}.{tier}", {"A": "(b)(1)(A)", "B": "(b)(1)(B)"}[tier]
    return Threshold(name, Decimal(grams), "g", since, f"21 USC 841{clause}")


_1986: Final = date(1986, 10, 27)
THRESHOLDS: Final = (
    Threshold("cash.border", Decimal(10_000), "USD", date(1984, 10, 12), "31 USC 5316, 31 CFR 1010.340"),
    _grams("9200", "A", 1_000, _1986),
    _grams("9200", "B", 100, _1986),
    _grams("9041", "A", 5_000, _1986),
    _grams("9041", "B", 500, _1986),
    _grams("9801", "A", 400, _1986),
    _grams("9801", "B", 40, _1986),
    _grams("1105", "A", 500, date(1998, 10, 21)),
    _grams("1105", "B", 50, date(1998, 10, 21)),
    Threshold("quantity.1105.A", Decimal(1_000), "g", date(1988, 11, 18), "21 USC 841(b)(1)(A), before 1998",
              until=date(1998, 10, 21)),
    Threshold("quantity.1105.B", Decimal(100), "g", date(1988, 11, 18), "21 USC 841(b)(1)(B), before 1998",
              until=date(1998, 10, 21)),
    _grams("7360", "A", 1_000_000, _1986),
    _grams("7360", "B", 100_000, _1986),
)  # fmt: skip
"""The table of a plain deployment."""

DRUGS: Final = {
    "9200": "heroin",
    "9041": "cocaine",
    "9801": "fentanyl",
    "1105": "methamphetamine mixture",
    "7360": "marijuana",
}
"""DEA codes whose quantities the table knows."""


def threshold(
    name: str, day: date, places: Sequence[str] = (), table: Sequence[Threshold] = THRESHOLDS
) -> Threshold | None:
    """The row of ``name`` that held on ``day``; ``places`` from the narrowest to the widest."""
    held = [
        row
        for row in table
        if row.name == name and row.effective <= day and (not row.until or day < row.until)
    ]
    for place in (*places, ""):
        fitting = [row for row in held if row.place == place]
        if fitting:
            return max(fitting, key=lambda row: row.effective)
    return None
