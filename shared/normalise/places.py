"""Addresses of the United States and Mexico to the unit, of other countries to city and postcode, and points
on the map."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

import pygeohash

from shared.normalise.countries import country as country_code
from shared.normalise.countries import is_country
from shared.normalise.text import fold

_STREETS: Final = {
    "street": "st", "str": "st", "avenue": "ave", "av": "ave", "avenida": "ave", "avda": "ave", "aven": "ave",
    "boulevard": "blvd", "bulevar": "blvd", "boul": "blvd", "road": "rd", "drive": "dr", "lane": "ln",
    "court": "ct", "place": "pl", "square": "sq", "terrace": "ter", "tce": "ter", "parkway": "pkwy",
    "highway": "hwy", "carretera": "hwy", "carr": "hwy", "circle": "cir", "crescent": "cres", "cr": "cres",
    "calle": "c", "calz": "calzada", "trail": "trl", "way": "wy", "expressway": "expy", "freeway": "fwy",
    "north": "n", "south": "s", "east": "e", "west": "w", "norte": "n", "sur": "s", "oriente": "e",
    "ote": "e",
    "poniente": "w", "pte": "w", "northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw",
    "saint": "st", "mount": "mt", "fort": "ft", "col": "colonia", "fracc": "fraccionamiento",
    "numero": "", "num": "", "no": "", "nro": "", "ciudad": "cd", "heights": "hts",
}  # fmt: skip
"""Street words and their short forms (USPS Publication 28; the Mexican ones as addresses write them)."""

_UNITS: Final = frozenset(
    [
        "apt",
        "apartment",
        "unit",
        "suite",
        "ste",
        "room",
        "rm",
        "floor",
        "fl",
        "int",
        "interior",
        "depto",
        "departamento",
        "dpto",
        "piso",
        "lot",
        "trlr",
        "spc",
        "local",
        "edificio",
        "bldg",
        "building",
        "flat",
    ]
)
_STATES: Final = {
    "alabama": "AL", "alaska": "AK", "arizona": "AZ", "arkansas": "AR", "california": "CA", "colorado": "CO",
    "connecticut": "CT", "delaware": "DE", "florida": "FL", "georgia": "GA", "hawaii": "HI", "idaho": "ID",
    "illinois": "IL", "indiana": "IN", "iowa": "IA", "kansas": "KS", "kentucky": "KY", "louisiana": "LA",
    "maine": "ME", "maryland": "MD", "massachusetts": "MA", "michigan": "MI", "minnesota": "MN",
    "mississippi": "MS", "missouri": "MO", "montana": "MT", "nebraska": "NE", "nevada": "NV",
    "new hampshire": "NH", "new jersey": "NJ", "new mexico": "NM", "new york": "NY", "north carolina": "NC",
    "north dakota": "ND", "ohio": "OH", "oklahoma": "OK", "oregon": "OR", "pennsylvania": "PA",
    "rhode island": "RI", "south carolina": "SC", "south dakota": "SD", "tennessee": "TN", "texas": "TX",
    "utah": "UT", "vermont": "VT", "virginia": "VA", "washington": "WA", "west virginia": "WV",
    "wisconsin": "WI", "wyoming": "WY", "puerto rico": "PR", "district of columbia": "DC",
    "aguascalientes": "AGU", "baja california": "BCN", "baja california sur": "BCS", "campeche": "CAM",
    "chiapas": "CHP", "chihuahua": "CHH", "chih": "CHH", "ciudad de mexico": "CMX", "cdmx": "CMX",
    "coahuila": "COA", "coah": "COA", "colima": "COL", "durango": "DUR", "dgo": "DUR", "guanajuato": "GUA",
    "guerrero": "GRO", "hidalgo": "HID", "jalisco": "JAL", "jal": "JAL", "michoacan": "MIC", "morelos": "MOR",
    "nayarit": "NAY", "nuevo leon": "NLE", "oaxaca": "OAX", "puebla": "PUE", "queretaro": "QUE",
    "quintana roo": "ROO", "san luis potosi": "SLP", "sinaloa": "SIN", "sonora": "SON", "son": "SON",
    "tabasco": "TAB", "tamaulipas": "TAM", "tamps": "TAM", "tlaxcala": "TLA", "veracruz": "VER",
    "yucatan": "YUC", "zacatecas": "ZAC",
}  # fmt: skip
_CODES: Final = frozenset(_STATES.values())
_POSTCODE: Final = re.compile(r"\b(\d{5})(?:-\d{4})?\b")
_WITH_STATES: Final = frozenset({"", "US", "MX"})
_POSTCODE_ALONE: Final = re.compile(r"(?=.*\d)[A-Z0-9]{2,5}[ -]?[A-Z0-9]{2,5}")
_POSTCODE_BESIDE: Final = re.compile(
    r"\b\d{4} ?[A-Z]{2}\b|\b(?:[A-Z]{1,2}-)?\d{4,7}\b|\b\d{3} \d{2,3}\b|\b\d{2,3}-\d{3,4}\b"
    r"|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|\b[A-Z]\d[A-Z] ?\d[A-Z]\d\b"
)
"""Postcodes of other countries: digits with or without a break, British, Dutch, Canadian."""
_SHORT: Final = frozenset({"us", "mx", "uk"})
"""Countries of two letters that end an address; others are states or parts of names."""
_CITIES: Final = frozenset({"SG", "HK", "MO", "MC", "GI", "VA"})
"""Countries that are cities."""
_REGIONS: Final = frozenset(
    ["province", "region", "oblast", "governorate", "district", "county", "prefecture", "rayon", "raion"]
)
_DIGIT: Final = re.compile(r"\d")
_UNIT_MARK: Final = re.compile(r"#\s*(?=\w)")


class Place(NamedTuple):
    """An address in canonical parts; empty where unknown. ``street`` has its house number first."""

    street: str
    unit: str
    city: str
    state: str
    postcode: str
    country: str

    def __str__(self) -> str:
        """Canonical text, the inverse of ``parse``: the parts joined by ``|``."""
        return "|".join(self)

    @property
    def number(self) -> str:
        """The house number, empty where there is none."""
        first = self.street.partition(" ")[0]
        return first if first[:1].isdigit() else ""


@lru_cache(maxsize=16_384)
def parse(canonical: str) -> Place:
    """The place that ``str(place)`` wrote."""
    return Place(*canonical.split("|"))


@lru_cache(maxsize=16_384)
def address(
    line: str | None,
    city: str | None = None,
    state: str | None = None,
    postcode: str | None = None,
    country: str | None = None,
    unit: str | None = None,
) -> Place | None:
    """The canonical place of an address line and what is known besides; None where nothing is legible."""
    street = line or ""
    if street and not (city or postcode):
        street, city, found_state, found_postcode, found_country = _split(street)
        state, country = state or found_state, country or found_country
        postcode = found_postcode
    street, inner = _street(street)
    place = Place(
        street,
        fold(unit or "") or inner,
        _city(city or ""),
        _state(state or ""),
        postal(postcode or ""),
        (country or "").upper(),
    )
    return place if any(place[:5]) else None


def postal(text: str) -> str:
    """A postcode in canonical form: five digits in the US and Mexico, else upper case without blanks."""
    plain = fold(text).upper()
    found = _POSTCODE.search(text)
    if found and len(plain.replace(" ", "")) in {5, 9}:
        return found[1]
    return plain.replace(" ", "")


def geohash(lat: float, lon: float, precision: int = 7) -> str:
    """The geohash cell of a WGS84 point; 7 characters are about 150 m, 5 about 5 km."""
    return str(pygeohash.encode(lat, lon, precision=precision))


def _city(text: str) -> str:
    return " ".join(
        _STREETS.get(w, w) if w in {"ciudad", "saint", "fort", "mount"} else w for w in fold(text).split()
    )


def _state(text: str) -> str:
    code = text.strip().upper().rpartition("-")[2]
    return code if code in _CODES else _STATES.get(fold(text), code if len(code) <= 3 else "")


def _street(text: str) -> tuple[str, str]:
    """Street and unit of one line."""
    words = fold(_UNIT_MARK.sub(" unit ", text)).split()
    unit = ""
    kept: list[str] = []
    skip = False
    for i, word in enumerate(words):
        if skip:
            skip = False
            continue
        following = words[i + 1] if i + 1 < len(words) else ""
        if word in _UNITS and following and i > 0:
            unit, skip = following, True
            if following in _UNITS and i + 2 < len(words):
                unit, skip = "", False
            continue
        short = _STREETS.get(word, word)
        if short:
            kept.append(short)
    numbers = [w for w in kept if w[:1].isdigit()]
    if numbers and kept and not kept[0][:1].isdigit() and kept[-1] == numbers[-1]:
        kept = [kept[-1], *kept[:-1]]
    return " ".join(kept), unit


def _split(line: str) -> tuple[str, str, str, str, str]:
    """Street, city, state, postcode and country of a whole address in one line."""
    parts = [p.strip() for p in line.split(",") if p.strip()]
    parts, named, country = _countried(parts)
    state = postcode = city = ""
    while len(parts) > 1 and parts[-1].split()[-1].lower() in _REGIONS:
        parts.pop()
    if len(parts) > 1 and _POSTCODE_ALONE.fullmatch(parts[-1]) and parts[-1].split()[0] not in _CODES:
        postcode = postal(parts.pop())
    while parts and not city and (len(parts) > 1 or _is_city(parts[0])):
        part = parts.pop()
        found = _POSTCODE.search(part)
        if found and not postcode:
            postcode = found[1]
            part = (part[: found.start()] + part[found.end() :]).strip()
        if country in _WITH_STATES:
            state, part = _stated(part, state)
        if not postcode and not state:
            part, postcode = _postcode_beside(part)
        city = fold(part)
    if not city and country in _CITIES:
        city = named
    return ", ".join(parts), city, state, postcode, country


def _countried(parts: list[str]) -> tuple[list[str], str, str]:
    """The parts of an address without its country, what that is called there, and its code; the large
    before the small where that is the order (``125009, Russia, Moscow``)."""
    for n in (2, 1):
        last = ", ".join(parts[-n:])
        plain = fold(last)
        if len(parts) >= n and plain not in _STATES and (is_country(last) or plain in _SHORT):
            return parts[:-n], plain, country_code(last)
    for i in (0, 1):
        if len(parts) > i + 1 and is_country(parts[i]) and fold(parts[i]) not in _STATES:
            return [*parts[i + 1 :][::-1], *parts[:i]], fold(parts[i]), country_code(parts[i])
    return parts, "", ""


def _stated(part: str, state: str) -> tuple[str, str]:
    """The state at the end of a part, unless one is known, and what stands before it."""
    words = part.split()
    for n in range(min(3, len(words)), 0, -1):
        code = _state(" ".join(words[-n:]))
        if not state and code in _CODES:
            return code, " ".join(words[:-n])
    return state, part


def _is_city(part: str) -> bool:
    """Whether the only part of an address is a city, with a postcode at most."""
    return not _DIGIT.search(_postcode_beside(part)[0]) and not _is_street(part)


def _is_street(text: str) -> bool:
    """Whether a text without a number is a street's name."""
    words = fold(text).split()
    return len(words) > 1 and (
        words[-1] in _STREETS or words[0] in {"calle", "avenida", "rue", "via", "ulitsa"}
    )


def _postcode_beside(part: str) -> tuple[str, str]:
    """A city and the postcode written before or after it, outside of the United States and Mexico."""
    found = _POSTCODE_BESIDE.search(part)
    if found is None:
        return part, ""
    return (part[: found.start()] + " " + part[found.end() :]).strip(), postal(found[0])
