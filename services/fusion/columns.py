"""Which column of a list is which field, and a row's values as those fields. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any, Final

from services.fusion.core.records import FIELDS
from shared.contracts.entities import Kind
from shared.errors import Misconfigured
from shared.normalise.identifiers import type_name

_SEVERAL: Final = frozenset({
    "names", "aka", "birth_dates", "birth_places", "countries", "occupations", "addresses", "phones",
    "emails",
})  # fmt: skip
"""Fields that may have several values: in a cell they are parted by semicolons."""
_ALSO: Final[Mapping[str, str]] = {
    "id": "rec_id record_id unique_id uid row_id entity_id",
    "type": "schema entity_type kind",
    "names": "name full_name fullname caption company company_name organisation organization vessel_name",
    "given": "given_name given_names first_name firstname first forename forenames fname middle_name "
    "middle_names second_name father_name patronymic",
    "family": "family_name family_names last_name lastname last surname surnames lname",
    "aka": "alias aliases also_known_as alt_names alternative_names other_names weak_aliases "
    "weak_alias previous_name previous_names former_name former_names",
    "birth_dates": "dob date_of_birth birth_date birthdate birthday born registered incorporation_date",
    "birth_places": "birth_place place_of_birth birthplace pob",
    "sex": "gender",
    "countries": "country country_code nationality nationalities citizenship flag "
    "jurisdiction main_country flag_state",
    "occupations": "occupation profession job job_title",
    "addresses": "address full_address",
    "phones": "phone phone_number telephone tel mobile",
    "emails": "email e_mail mail email_address",
    "street": "street_number house_number street_name street_address address_1 address1 address_line_1",
    "unit": "apartment apt suite address_2 address2 address_line_2",
    "city": "town suburb locality",
    "state": "province",
    "postcode": "postal_code zip zip_code zipcode",
    "identifiers": "ids",
    "identifiers:SSN": "ssn social_security_number",
    "identifiers:NATIONAL_ID": "national_id national_id_number soc_sec_id",
    "identifiers:PASSPORT": "passport passport_no passport_number",
    "identifiers:DL": "dl drivers_license driver_license driving_licence",
    "identifiers:TIN": "tin tax_id tax_number itin inn inn_code vat_code",
    "identifiers:EIN": "ein fein", "identifiers:LEI": "lei", "identifiers:CURP": "curp",
    "identifiers:RFC": "rfc", "identifiers:A_NUMBER": "a_number alien_number",
    "identifiers:REGISTRATION_NO": "registration_no registration_number reg_number "
    "company_number ogrn_code ogrn",
    "identifiers:OTHER": "id_number",
    "identifiers:IMO": "imo imo_number", "identifiers:MMSI": "mmsi",
    "identifiers:HULL_ID": "hull_id hin", "identifiers:OFFICIAL_NO": "official_no official_number",
    "identifiers:CALL_SIGN": "call_sign callsign", "identifiers:VIN": "vin",
    "identifiers:PLATE": "plate license_plate", "identifiers:TAIL": "tail tail_number",
    "identifiers:IBAN": "iban", "identifiers:BIC": "bic swift", "identifiers:IMEI": "imei",
    "identifiers:IMSI": "imsi",
}  # fmt: skip
_KNOWN: Final = {f: f for f in FIELDS} | {n: f for f, names in _ALSO.items() for n in names.split()}
"""Field by a column's usual name."""
_KINDS: Final = {
    "INDIVIDUAL": Kind.PERSON, "COMPANY": Kind.ORGANIZATION, "ORGANISATION": Kind.ORGANIZATION,
    "LEGALENTITY": Kind.ORGANIZATION, "PUBLICBODY": Kind.ORGANIZATION, "BUSINESS": Kind.ORGANIZATION,
    "SHIP": Kind.VESSEL, "BOAT": Kind.VESSEL, "AIRPLANE": Kind.AIRCRAFT, "CAR": Kind.VEHICLE,
}  # fmt: skip
RESOLVED: Final = tuple(k for k in Kind if k not in (Kind.DRUG, Kind.CURRENCY))
"""The kinds whose rows can be brought together."""


class BadRow(Exception):
    """The row cannot be used; the message says which field, and why."""


@dataclass(frozen=True, slots=True)
class Columns:
    """``used``: field by column, such as ``names`` or ``identifiers:IMO``; ``ignored``: all other columns."""

    used: Mapping[str, str]
    ignored: tuple[str, ...]


def columns_of(names: Iterable[str], given: Mapping[str, str]) -> Columns:
    """Map columns by ``given``, the others by their names; an empty field leaves a column out.

    Raises ``Misconfigured`` for a column or a field that there is not, and where nothing is left to compare.
    """
    there = tuple(names)
    missing = [c for c in given if c not in there]
    if missing:
        raise Misconfigured(f"--map: no column {', '.join(missing)}; there are {', '.join(there)}")
    for column, field in given.items():
        if field and field.partition(":")[0] not in FIELDS:
            raise Misconfigured(
                f"--map {column}={field}: the fields are {', '.join(FIELDS)}, identifiers:TYPE"
            )
        if ":" in field and not field.startswith("identifiers:"):
            raise Misconfigured(f"--map {column}={field}: only identifiers have a type")
    used = {c: found for c in there if (found := given.get(c, _KNOWN.get(_plain(c), "")))}
    for field in ("id", "type"):
        chosen = [c for c, f in used.items() if f == field]
        for extra in _all_but_best(chosen, given, field):
            del used[extra]
    if not set(used.values()) - {"id", "type"}:
        raise Misconfigured(
            f"none of the columns {', '.join(there)} is known: say which is which with --map column=field,…"
        )
    return Columns(used, tuple(c for c in there if c not in used))


def _all_but_best(chosen: list[str], given: Mapping[str, str], field: str) -> list[str]:
    """Of columns for a field that has one, those that do not have it: mapped by hand goes before by name."""
    best = sorted(chosen, key=lambda c: (c not in given, _plain(c) != field))
    return best[1:]


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).lower()).strip("_")


def kind_named(name: str) -> Kind:
    """The kind of that name; raises ``ValueError`` with the names there are."""
    plain = name.strip().upper()
    found = _KINDS.get(plain) or next((k for k in RESOLVED if k.value == plain), None)
    if found is None:
        raise ValueError(f"{name!r} is none of {', '.join(k.value.lower() for k in RESOLVED)}")
    return found


def fields_of(values: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    """A row's values by field, as ``core.records.read_row`` takes them; raises ``BadRow``."""
    found: dict[str, Any] = {}
    for column, target in columns.used.items():
        value = values.get(column)
        if value is None or value == "":
            continue
        field, _, of_type = target.partition(":")
        try:
            if field == "identifiers":
                found.setdefault(field, []).extend(_identifiers(value, of_type))
            elif field in _SEVERAL:
                found.setdefault(field, []).extend(_texts(value, parted=True))
            elif text := " ".join(_texts(value, parted=False)):
                found[field] = f"{found[field]} {text}" if field in found else text
        except BadRow as error:
            raise BadRow(f"{column}: {error}") from None
    return found


def _texts(value: Any, *, parted: bool) -> Iterator[str]:
    """The texts of a cell or a JSON value."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item, parted=False)
        return
    if isinstance(value, dict | bool):
        raise BadRow("text is expected" + (", or a list of texts" if parted else ""))
    if value is None or (isinstance(value, float) and isnan(value)):
        return
    for part in str(value).split(";") if parted else (str(value),):
        if text := part.strip():
            yield text


def _identifiers(value: Any, of_type: str) -> Iterator[dict[str, str]]:
    """Identifiers as ``{type, value, country}``: from objects, or texts such as ``PASSPORT:X123``."""
    for item in value if isinstance(value, list | tuple) else [value]:
        if isinstance(item, dict):
            number = " ".join(_texts(item.get("value"), parted=False))
            if not number:
                raise BadRow("an identifier is {type, value, country}")
            kind = " ".join(_texts(item.get("type"), parted=False)) or of_type or "OTHER"
            yield {
                "type": type_name(kind),
                "value": number,
                "country": " ".join(_texts(item.get("country"), parted=False)),
            }
            continue
        for text in _texts(item, parted=True):
            before, colon, after = text.partition(":")
            named = bool(colon and after.strip()) and not of_type
            yield {
                "type": type_name(before if named else of_type or "OTHER"),
                "value": after.strip() if named else text,
                "country": "",
            }
