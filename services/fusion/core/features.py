"""What each kind of mention says, as features: names of the model's table, each with canonical values."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from shared.contracts.entities import (
    Account,
    Aircraft,
    Container,
    Device,
    Document,
    Firearm,
    Identifier,
    Kind,
    Location,
    Online,
    Organization,
    Person,
    Phone,
    Vehicle,
    Vessel,
)  # fmt: skip
from shared.normalise import dates, names, organisations, places
from shared.normalise.identifiers import canonical
from shared.normalise.text import fold

Features = dict[str, set[str]]
_NO_SERIAL: Final = frozenset(
    {"", "obliterated", "unknown", "none", "removed", "na", "n a", "defaced", "altered"}
)


def _put(features: Features, name: str, value: object) -> None:
    if value:
        features.setdefault(name, set()).add(str(value))


def _identify(features: Features, kind: str, value: str | None, issuer: str | None = None) -> None:
    if value:
        found = canonical(kind, value, issuer=issuer)
        if found.value:
            features.setdefault(found.type, set()).add(found.value)


def _identifiers(features: Features, ids: Iterable[Identifier]) -> None:
    for item in ids:
        _identify(features, item.type, item.value, item.issuer)


def _date(text: str | None) -> str | None:
    found = dates.parse(text) if text else None
    return str(found) if found else None


def person(p: Person) -> tuple[Features, str]:
    """Names (also in their own script and by other names), birth, sex, countries, numbers."""
    features: Features = {}
    _put(features, "name", names.person(p.full_name, p.given_names, p.family_names, p.suffix))
    if p.original_script:
        _put(features, "name", names.person(p.original_script))
    for aka in p.aka:
        _put(features, "alias", names.person(aka))
    _put(features, "dob", _date(p.dob))
    if p.sex in {"M", "F"}:
        _put(features, "sex", p.sex)
    for country in p.citizenship:
        _put(features, "country", country)
    _put(features, "birth_place", fold(p.birth_place or ""))
    _put(features, "occupation", fold(p.occupation or ""))
    _identifiers(features, p.ids)
    written = p.full_name or " ".join(n for n in (p.given_names, p.family_names, p.suffix) if n)
    label = written or p.original_script or (p.aka[0] if p.aka else f"{p.ids[0].type} {p.ids[0].value}")
    return features, label


def organization(o: Organization) -> tuple[Features, str]:
    """Names, country, registration and numbers."""
    features: Features = {}
    _put(features, "name", organisations.organisation(o.name))
    for aka in o.aka:
        _put(features, "alias", organisations.organisation(aka))
    _put(features, "country", o.country)
    _put(features, "registered", _date(o.registered))
    _identifiers(features, o.ids)
    return features, o.name


def phone(p: Phone) -> tuple[Features, str]:
    """The number."""
    found = canonical("phone", p.number, country=p.country)
    return {"phone": {found.value}}, found.value


def device(d: Device) -> tuple[Features, str]:
    """The strongest of its numbers: IMEI, MEID, IMSI, ICCID, MAC."""
    for name, value in (
        ("imei", d.imei),
        ("meid", d.meid),
        ("imsi", d.imsi),
        ("iccid", d.iccid),
        ("mac", d.mac),
    ):
        if value:
            found = canonical(name, value)
            return {name: {found.value}}, f"{name.upper()} {found.value}"
    return {}, ""


def online(o: Online) -> tuple[Features, str]:
    """The address, handle, wallet, domain or hash."""
    found = canonical(o.kind, o.value, issuer=o.platform)
    return {found.type: {found.value}}, o.value


def vehicle(v: Vehicle) -> tuple[Features, str]:
    """Plate with jurisdiction, VIN, make, model, year and colour."""
    features: Features = {}
    _identify(features, "plate", v.plate, v.jurisdiction or v.country)
    _identify(features, "vin", v.vin)
    _put(features, "make", fold(v.make or ""))
    _put(features, "model", fold(v.model or ""))
    _put(features, "year", v.year)
    _put(features, "colour", fold(v.colour or ""))
    plate = f"{v.jurisdiction or v.country or ''} {v.plate}".strip() if v.plate else None
    shown = (plate, v.vin if not plate else None, v.colour, str(v.year) if v.year else None, v.make, v.model)
    return features, " ".join(s for s in shown if s)


def vessel(v: Vessel) -> tuple[Features, str]:
    """Name, IMO, MMSI, hull and official numbers, call sign, flag."""
    features: Features = {}
    if v.name:
        _put(features, "name", organisations.vessel(v.name))
    _identify(features, "imo", v.imo)
    _identify(features, "mmsi", v.mmsi)
    _identify(features, "hull_id", v.hull_id)
    _identify(features, "official_no", v.official_no, v.flag)
    _identify(features, "call_sign", v.call_sign, "-")
    _put(features, "flag", v.flag)
    return (
        features,
        v.name or f"IMO {v.imo}" if v.name or v.imo else v.mmsi or v.hull_id or v.official_no or "",
    )


def aircraft(a: Aircraft) -> tuple[Features, str]:
    """Tail number, 24-bit address and type."""
    features: Features = {}
    _identify(features, "tail", a.tail)
    _identify(features, "icao", a.icao_hex)
    _put(features, "type", fold(a.type or ""))
    return features, a.tail or a.icao_hex or ""


def container(c: Container) -> tuple[Features, str]:
    """The container's number."""
    found = canonical("container", c.number)
    return {"container": {found.value}}, found.value


def account(a: Account) -> tuple[Features, str]:
    """IBAN, else the number within its bank (routing number, BIC, else the institution's name)."""
    if a.iban:
        found = canonical("iban", a.iban)
    elif a.number and (a.kind or "").upper() == "WALLET":
        found = canonical("wallet", a.number)
    else:
        found = canonical("account", a.number or "", issuer=a.aba or a.bic or a.institution)
    return {found.type: {found.value}}, " ".join(s for s in (a.institution, a.number or a.iban) if s)


def document(d: Document) -> tuple[Features, str]:
    """The document's number within its issuer."""
    found = canonical(d.type, d.number, issuer=d.issuer)
    return {found.type: {found.value}}, " ".join(s for s in (d.type, d.issuer, d.number) if s)


def location(place: Location) -> tuple[Features, str]:
    """The address, the point, the port, the highway mile; else the smallest area that is named."""
    features: Features = {}
    found = places.address(place.address, place.city, place.state, place.postcode, place.country)
    if found and found.street:
        _put(features, "address", found)
    if place.lat is not None and place.lon is not None:
        _put(features, "point", f"{place.lat:.5f},{place.lon:.5f}")
    _put(features, "port", place.port_code)
    if place.highway:
        _put(
            features,
            "mile",
            f"{fold(place.highway).replace(' ', '-')}:{round(place.mile, 1) if place.mile else ''}",
        )
    if not features:
        _put(features, "county", place.county_fips)
        if found:
            _put(features, "area", found)
        elif place.country and not place.county_fips:
            _put(features, "area", places.Place("", "", "", "", "", place.country))
    shown = (place.address, place.city, place.state, place.postcode, place.country)
    label = ", ".join(s for s in shown if s) or (f"port {place.port_code}" if place.port_code else "")
    if not label:
        point = f"{place.lat:.5f}, {place.lon:.5f}" if place.lat is not None and place.lon is not None else ""
        label = (
            point
            or " ".join(str(s) for s in (place.highway, place.mile) if s)
            or f"county {place.county_fips}"
        )
    return features, label


def firearm(f: Firearm) -> tuple[Features, str]:
    """The serial number within its make; nothing where it was removed."""
    if fold(f.serial or "") in _NO_SERIAL:
        return {}, ""
    found = canonical("firearm", f.serial or "", issuer=f.make)
    return {"firearm": {found.value}}, " ".join(s for s in (f.make, f.model, f.serial) if s)


READERS: Final[dict[Kind, Callable[[Any], tuple[Features, str]]]] = {
    Kind.PERSON: person,
    Kind.ORGANIZATION: organization,
    Kind.PHONE: phone,
    Kind.DEVICE: device,
    Kind.ONLINE: online,
    Kind.VEHICLE: vehicle,
    Kind.VESSEL: vessel,
    Kind.AIRCRAFT: aircraft,
    Kind.CONTAINER: container,
    Kind.ACCOUNT: account,
    Kind.DOCUMENT: document,
    Kind.LOCATION: location,
    Kind.FIREARM: firearm,
}
"""How each kind is read: mention → (features, label); empty features are never resolved."""
