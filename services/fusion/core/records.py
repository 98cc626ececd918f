"""Rows of any list as features: what ``resolve`` reads from CSV, JSONL and Parquet."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from services.fusion.core.defaults import KINDS
from services.fusion.core.features import Features
from shared.contracts.entities import Kind
from shared.normalise import dates, names, organisations, places
from shared.normalise.countries import country
from shared.normalise.identifiers import canonical
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
        found = dates.parse(text)
        _add(features, "dob" if kind is Kind.PERSON else "registered", found)
    for text in _texts(row, "birth_places"):
        _add(features, "birth_place", fold(text))
    if kind is Kind.PERSON:
        _add(features, "sex", _SEX.get(fold(_text(row, "sex") or "")))
    for text in _texts(row, "countries"):
        _add(
            features,
            "flag" if kind is Kind.VESSEL else "country",
            country(text),
        )
    for text in _texts(row, "occupations"):
        _add(features, "occupation", fold(text))
    _numbers(row, kind, features)
    _places(row, features)
    return features, label or next((v for vs in features.values() for v in vs), "")


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


def _numbers(row: Mapping[str, Any], kind: Kind, features: Features) -> None:
    """Put the identifiers, telephones and addresses of e-mail in; a type that is not compared as OTHER."""
    for name, field in (("phone", "phones"), ("email", "emails")):
        for text in _texts(row, field):
            found = canonical(name, text)
            _add(features, found.type, found.value)
    for item in row.get("identifiers") or ():
        if isinstance(item, Mapping) and item.get("value"):
            of_type, value = str(item.get("type") or "other"), str(item["value"])
            issuer = country(str(item["country"])) if item.get("country") else None
            found = canonical(of_type, value, issuer=issuer)
            if found.type not in _compared(kind):
                found = canonical("other", value, issuer=issuer)
            _add(features, found.type, found.value)


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
