"""Rows of any list as features: what ``resolve`` reads from CSV, JSONL and Parquet."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from stdnum.ru import inn, ogrn

from services.fusion.core.defaults import KINDS
from services.fusion.core.features import Features
from shared.contracts.entities import Kind
from shared.normalise import dates, names, organisations, places
from shared.normalise.countries import country
from shared.normalise.identifiers import canonical, type_name
from shared.normalise.text import fold

FIELDS: Final = (
    "id", "type", "names", "given", "family", "aka", "birth_dates", "birth_places", "sex", "countries",
    "occupations", "identifiers", "addresses", "phones", "emails", "street", "unit", "city", "state",
    "postcode",
)  # fmt: skip
"""What a column can be mapped to. ``street`` to ``postcode`` are the parts of one address."""

_SEX: Final = {"m": "M", "male": "M", "man": "M", "f": "F", "female": "F", "woman": "F", "w": "F"}


def _texts(row: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """The texts of a field that may hold one, several or none."""
    value = row.get(field)
    if value is None:
        return ()
    found = (value,) if isinstance(value, str) else value if isinstance(value, Iterable) else (value,)
    return tuple(t for t in (str(v).strip() for v in found if v is not None) if t)


def _text(row: Mapping[str, Any], field: str) -> str | None:
    return next(iter(_texts(row, field)), None)


def _add(features: Features, name: str, value: object) -> None:
    if value:
        features.setdefault(name, set()).add(str(value))


def read_row(row: Mapping[str, Any], kind: Kind) -> tuple[Features, str]:
    """The features and label of a row whose keys are ``FIELDS``; unknown keys are passed over."""
    features: Features = {}
    label = _names(row, kind, features)
    for text in _texts(row, "birth_dates"):
        for found in dates.span(text):
            _add(features, "dob" if kind is Kind.PERSON else "registered", found)
    for text in _texts(row, "birth_places"):
        _add(features, "birth_place", fold(text))
    if kind is Kind.PERSON:
        _add(features, "sex", _SEX.get(fold(_text(row, "sex") or "")))
    countries = _countries(row)
    for code in countries:
        _add(features, "flag" if kind is Kind.VESSEL else "country", code)
    for text in _texts(row, "occupations"):
        _add(features, "occupation", fold(text))
    _numbers(row, kind, features, next((c for c in countries if len(c) == 2), None))
    _places(row, features)
    return features, label or next((v for vs in features.values() for v in vs), "")


def _countries(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The codes of a row's countries, without those that are none."""
    return tuple(c for c in map(country, _texts(row, "countries")) if c not in _NO_COUNTRY)


_NO_COUNTRY: Final = frozenset(
    {"unknown", "none", "na", "n a", "not known", "stateless", "various", "other", "SU", "soviet union",
     "suhh", "YU", "yucs", "CS", "csxx", "DD", "ZZ", "XX"}
)  # fmt: skip
"""What says nothing of a country: neither none, nor states of many successors."""


def _names(row: Mapping[str, Any], kind: Kind, features: Features) -> str | None:
    """Put the names in; the label."""
    given, family = _text(row, "given"), _text(row, "family")
    written = _texts(row, "names")
    if kind is Kind.PERSON:
        if given and family:
            _add(features, "name", names.person(written[0] if written else None, given, family))
        for text in written[1:] if given and family else written or tuple(t for t in (given, family) if t):
            _add(features, "name", names.person(text))
        for text in _texts(row, "aka"):
            _add(features, "alias", names.person(text))
        return written[0] if written else " ".join(t for t in (given, family) if t)
    read = organisations.vessel if kind is Kind.VESSEL else organisations.organisation
    for text in written:
        _add(features, "name", read(text))
    for text in _texts(row, "aka"):
        _add(features, "alias", read(text))
    return written[0] if written else None


def _numbers(row: Mapping[str, Any], kind: Kind, features: Features, home: str | None) -> None:
    """Put the identifiers, telephones (of the country ``home``) and addresses of e-mail in; a type that is
    not compared as OTHER."""
    for text in _texts(row, "phones"):
        found = canonical("phone", text, country=home)
        _add(features, found.type, found.value)
    for text in _texts(row, "emails"):
        found = canonical("email", text)
        _add(features, found.type, found.value)
    for item in row.get("identifiers") or ():
        if isinstance(item, Mapping) and item.get("value"):
            name, value = type_name(str(item.get("type") or "other")), _bare(str(item["value"]))
            issuer = country(str(item["country"])) if item.get("country") else None
            found = canonical(_taken_as(name, value, kind), value, issuer=issuer)
            _add(features, found.type, found.value)


def _bare(value: str) -> str:
    """A number without the words around it: ``Ration card no. 1729765 (expired)`` is ``1729765``."""
    if " " not in value:
        return value
    plain = _BRACKETED.sub(" ", value).strip() or value
    words = [w for w in plain.split() if not _WORD.fullmatch(w)]
    return " ".join(words) if any(any(c.isdigit() for c in w) for w in words) else plain


_BRACKETED: Final = re.compile(r"\([^)]*\)")
_WORD: Final = re.compile(r"(?:[^\W\d_]{4,}|no|nr|num)[.,:;]?", re.IGNORECASE)


def _taken_as(name: str, value: str, kind: Kind) -> str:
    """The type that a number is compared as in rows of ``kind``."""
    compared = _compared(kind)
    name = name if name in compared else _INSTEAD.get((kind, name), "other")
    if kind is Kind.ORGANIZATION and name in {"other", "registration_no", "tin"}:
        digits = value.replace(" ", "")
        if ogrn.is_valid(digits):
            return "registration_no"
        if len(digits) == 10 and inn.is_valid(digits):
            return "tin"
    return name


_INSTEAD: Final = {
    (Kind.ORGANIZATION, "national_id"): "registration_no",
    (Kind.ORGANIZATION, "official_no"): "registration_no",
    (Kind.VESSEL, "registration_no"): "official_no", (Kind.VESSEL, "national_id"): "official_no",
    (Kind.PERSON, "ein"): "tin",
}  # fmt: skip
"""What a type that a kind lacks is compared as."""


@cache
def _compared(kind: Kind) -> frozenset[str]:
    return frozenset(c.feature for c in KINDS[kind].comparisons)


def _places(row: Mapping[str, Any], features: Features) -> None:
    """Put the addresses in, whole or in parts."""
    parts = [_text(row, field) for field in ("street", "city", "state", "postcode")]
    if any(parts):
        street, city, state, postcode = parts
        _add(features, "address", places.address(street, city, state, postcode, unit=_text(row, "unit")))
    for text in _texts(row, "addresses"):
        _add(features, "address", places.address(text))
