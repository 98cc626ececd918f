"""Reading the values of BSA XML: elements by local name, and texts that may be empty, odd or too long.

FinCEN's forms mark what is unknown by flags or leave it blank, and filers write what they like; a value
that makes no sense is left out, never a reason to refuse the filing.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final
from xml.etree.ElementTree import Element  # the type only; parsing is defusedxml's

LARGEST: Final = Decimal(9999999999999999)
_AMOUNT = re.compile(r"[0-9]{1,16}(\.[0-9]{1,4})?")
_NANP = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{6}")


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: Element, name: str) -> list[Element]:
    """The direct children of this local name."""
    return [child for child in element if local_name(child) == name]


def child(element: Element, name: str) -> Element | None:
    """The first direct child of this local name."""
    return next((c for c in element if local_name(c) == name), None)


def descendants(element: Element, name: str) -> Iterator[Element]:
    """Everything below ``element`` of this local name, in document order."""
    return (e for e in element.iter() if e is not element and local_name(e) == name)


def text(element: Element | None, name: str, limit: int = 120) -> str | None:
    """The text of a child on one line, cut to ``limit`` characters; None where it is blank or absent."""
    found = None if element is None else child(element, name)
    if found is None or found.text is None:
        return None
    return " ".join(found.text.split())[:limit].strip() or None


def flag(element: Element, name: str) -> bool:
    """Whether an indicator is set; anything but Y is not."""
    return text(element, name) == "Y"


def day(written: str | None) -> date | None:
    """A day written YYYYMMDD; None where it is no day of this or the last century."""
    if written is None or not re.fullmatch(r"(19|20)[0-9]{6}", written):
        return None
    try:
        return date(int(written[:4]), int(written[4:6]), int(written[6:]))
    except ValueError:
        return None


def partial_day(written: str | None) -> str | None:
    """YYYYMMDD as YYYY-MM-DD, or as YYYY or YYYY-MM where the rest is zeros."""
    full = day(written)
    if full is not None:
        return full.isoformat()
    if written is None or not re.fullmatch(r"(19|20)[0-9]{6}", written) or not written.endswith("00"):
        return None
    month = written[4:6]
    if month == "00":
        return written[:4]
    return f"{written[:4]}-{month}" if 1 <= int(month) <= 12 else None


def amount(written: str | None) -> Decimal | None:
    """A positive amount of money to the cent; None where there is none."""
    if written is None:
        return None
    plain = written.replace(",", "").replace("$", "").strip()
    if not _AMOUNT.fullmatch(plain):
        return None
    try:
        value = Decimal(plain).quantize(Decimal("0.01"))
    except InvalidOperation:
        return None
    return value if 0 < value <= LARGEST else None


def phone(written: str | None) -> str | None:
    """A number as E.164 where it is plainly a North American one, else as written; None below 3 digits."""
    if written is None:
        return None
    digits = re.sub(r"[^0-9]", "", written)
    if len(digits) < 3:
        return None
    if len(digits) == 11 and digits[0] == "1" and _NANP.fullmatch(digits[1:]):
        return f"+{digits}"
    return f"+1{digits}" if _NANP.fullmatch(digits) else written[:40]


def code(written: str | None, pattern: str) -> str | None:
    """A code in capitals where it has the right form, else None."""
    plain = None if written is None else written.upper()
    return plain if plain is not None and re.fullmatch(pattern, plain) else None
