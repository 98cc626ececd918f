"""One party of a BSA filing: its names, numbers, addresses, phones and accounts as mentions of a report."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from xml.etree.ElementTree import Element  # the type only; parsing is defusedxml's

import orjson

from services.ingest.feeds import rules
from services.ingest.feeds.ofc_financial import ROLES, UNNAMED
from services.ingest.formats.bsa_text import (
    child,
    children,
    code,
    descendants,
    flag,
    local_name,
    partial_day,
    phone,
    text,
)  # fmt: skip

ORGANIZATIONS: Final = frozenset({"4", "8", "18", "30", "34", "35", "41", "46"})
"""Party types that are always organisations."""
STAFF: Final = frozenset({"3", "19", "37", "57"})
"""Party types that are somebody's contact person: not involved, so neither searchable nor a subject."""
PARTS: Final = {
    "3": "CONTACT",  # authorised official (8300)
    "4": "PAYEE",  # business that received the cash (8300)
    "8": "CONTACT",  # contact office
    "15": "ACCOUNT_HOLDER",  # filer of an FBAR
    "16": "CONDUCTOR",  # from whom the cash was received (8300)
    "17": "CONDUCTOR",  # conducted for another (CTR)
    "18": "OTHER",  # law enforcement agency that was contacted (SAR)
    "19": "CONTACT",  # its officer (SAR)
    "23": "ON_BEHALF_OF",
    "30": "FILER",
    "33": "SUBJECT",
    "34": "BRANCH",  # where the transaction or activity took place
    "35": "TRANSMITTER",
    "37": "CONTACT",  # contact of the transmitter
    "41": "INSTITUTION",  # where an account is held
    "42": "OWNER", "43": "OWNER", "44": "OWNER",  # joint, other and consolidated owners (FBAR)
    "46": "BRANCH",
    "50": "CONDUCTOR",  # conducted on own behalf (CTR)
    "56": "OTHER", "57": "CONTACT",  # preparer's firm and preparer (FBAR)
    "58": "CARRIER",
}  # fmt: skip
"""ActivityPartyTypeCode → part in the report; FinCEN's electronic filing requirements of each form."""
ID_TYPES: Final = {
    "1": "SSN", "2": "EIN", "4": "TIN", "5": "DL", "6": "PASSPORT", "7": "A_NUMBER", "9": "FOREIGN_TIN",
    "10": "CRD", "11": "IARD", "12": "NFA", "13": "SEC", "14": "RSSD", "28": "TCC", "29": "INTERNAL_CONTROL",
    "999": "OTHER",
}  # fmt: skip
"""PartyIdentificationTypeCode → type of identifier."""


class Mentions:
    """The mentions and relations of one activity, by entity list, as a payload carries them."""

    def __init__(self) -> None:
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self._known: dict[tuple[str, bytes], str] = {}
        self._relations: dict[tuple[str, str, str], None] = {}

    def add(self, kind: str, prefix: str, /, **values: Any) -> str:
        """Add a mention unless an equal one is there; give its local id."""
        content = {k: v for k, v in values.items() if v not in (None, [], "")}
        key = (kind, orjson.dumps(content))
        if key not in self._known:
            there = self.lists.setdefault(kind, [])
            self._known[key] = f"{prefix}{len(there) + 1}"
            there.append({"local_id": self._known[key], **content})
        return self._known[key]

    def relate(self, source: str, relation: str, target: str) -> None:
        """Assert a relation once."""
        if source != target:
            self._relations[source, relation, target] = None

    @property
    def relations(self) -> list[dict[str, str]]:
        """Every relation, in the order of its first assertion."""
        return [{"from": source, "to": target, "type": kind} for source, kind, target in self._relations]


@dataclass(frozen=True, slots=True)
class PartyRead:
    """A party as it was read: its FinCEN type, its entry in ``parties``, and its mention, if it is named."""

    type: str
    entry: dict[str, Any]
    local_id: str | None
    element: Element


def read_party(element: Element, mentions: Mentions, event: date) -> PartyRead | None:
    """Put a party among the mentions; None for an empty shell."""
    kind = text(element, "ActivityPartyTypeCode", 10) or ""
    part = PARTS.get(kind, "OTHER")
    names, ids = _names(element), _ids(element)
    organization = _is_organization(element, kind)
    if not names and not ids and not _has_content(element):
        return None
    name = names[0][0] if names else UNNAMED
    entry: dict[str, Any] = {"role": part, "name": name, "kind": "ORGANIZATION" if organization else "PERSON"}
    local_id = None
    if organization and names:
        local_id = mentions.add(
            "organizations", "o", role=ROLES[part].value, name=name, aka=[n for n, _ in names[1:51]], ids=ids
        )
    elif not organization and (names or ids):
        local_id = mentions.add("persons", "p", **_person(element, part, names, ids, event, kind))
    if local_id is not None:
        entry["entity"] = local_id
        _company(element, mentions, local_id)
    return PartyRead(kind, entry, local_id, element)


def _is_organization(element: Element, kind: str) -> bool:
    if kind in ORGANIZATIONS or kind == "56":
        return True
    marks = ("PartyAsEntityOrganization", "FilerTypeCorporation", "FilerTypePartnership")
    return any(flag(element, f"{mark}Indicator") for mark in marks) or text(element, "PartyTypeCode") == "O"


def _has_content(element: Element) -> bool:
    """Whether anything but type codes and flags is said of the party itself."""
    own = (d for d in element.iter() if d is not element and not len(d))
    return any(
        d.text and d.text.strip() and not local_name(d).endswith(("Indicator", "TypeCode")) for d in own
    )


def _names(element: Element) -> list[tuple[str, dict[str, str]]]:
    """(full name, its parts) of every name: the legal one first."""
    found = []
    for name in children(element, "PartyName"):
        family = text(name, "RawEntityIndividualLastName", 150)
        given = " ".join(
            filter(None, (text(name, "RawIndividualFirstName"), text(name, "RawIndividualMiddleName")))
        )
        suffix = text(name, "RawIndividualNameSuffixText", 35)
        full = text(name, "RawPartyFullName", 250) or " ".join(filter(None, (given, family, suffix)))
        if full:
            parts = {"given_names": given, "family_names": family, "suffix": suffix}
            legal = text(name, "PartyNameTypeCode") in {None, "L"}
            split = {k: v for k, v in parts.items() if v} if given else {}
            found.append((not legal, full[:250], split))
    return [(full, split) for _, full, split in sorted(found, key=lambda f: f[0])]


def _ids(element: Element) -> list[dict[str, str]]:
    found = []
    for identification in children(element, "PartyIdentification"):
        value = text(identification, "PartyIdentificationNumberText")
        if value is None:
            continue
        kind = code(text(identification, "PartyIdentificationTypeCode"), r"[0-9]{1,4}") or "999"
        made = {"type": ID_TYPES.get(kind, f"FINCEN_{kind}"), "value": value}
        country = code(text(identification, "OtherIssuerCountryText"), r"[A-Z]{2}")
        state = code(text(identification, "OtherIssuerStateText"), r"[A-Z]{2,3}")
        issuer = "-".join(filter(None, (country, state)))
        found.append({**made, "issuer": issuer} if issuer else made)
    return found[:50]


def _person(
    element: Element,
    part: str,
    names: list[tuple[str, dict[str, str]]],
    ids: list[dict[str, str]],
    event: date,
    kind: str,
) -> dict[str, Any]:
    dob = partial_day(text(element, "IndividualBirthDateText"))
    born = None if dob is None else rules.birth_range(dob)
    if born is not None and born[0] >= event:
        dob = born = None  # nobody is party to a filing on the day of his birth: the date is wrong
    child_party = born is not None and rules.age(born[1], event) < rules.SUBJECT_FROM_AGE
    role = ROLES[part].value
    business = child(element, "PartyOccupationBusiness")
    return {
        "role": "THIRD_PARTY" if child_party and role == "SUBJECT" else role,
        "full_name": names[0][0] if names else None,
        **(names[0][1] if names else {}),
        "aka": [name for name, _ in names[1:51]],
        "dob": dob,
        "sex": "F"
        if flag(element, "FemaleGenderIndicator")
        else "M"
        if flag(element, "MaleGenderIndicator")
        else None,
        "occupation": text(business, "OccupationBusinessText", 500),
        "ids": ids,
        "ncii": True if kind in STAFF else None,
    }


def _company(element: Element, mentions: Mentions, holder: str) -> None:
    """Addresses, phones and online identities of a party."""
    for address in children(element, "Address"):
        place = read_address(address)
        if place:
            mentions.relate(holder, "LOCATED_AT", mentions.add("locations", "l", role="PLACE", **place))
    for numbered in children(element, "PhoneNumber"):
        number = phone(text(numbered, "PhoneNumberText", 40))
        if number is not None:
            mentions.relate(holder, "USES", mentions.add("phones", "ph", role="CONTACT", number=number))
    for electronic in children(element, "ElectronicAddress"):
        value = text(electronic, "ElectronicAddressText", 500)
        if value is not None:
            kind = "EMAIL" if "@" in value else "URL"
            online = mentions.add("online", "on", role="CONTACT", kind=kind, value=value)
            mentions.relate(holder, "USES", online)


def read_address(address: Element | None) -> dict[str, str]:
    """The known parts of an address; empty where nothing is known."""
    if address is None:
        return {}
    parts = {
        "address": text(address, "RawStreetAddress1Text", 500),
        "city": text(address, "RawCityText"),
        "state": code(text(address, "RawStateCodeText"), r"[A-Z0-9]{1,3}"),
        "postcode": text(address, "RawZIPCode"),
        "country": code(text(address, "RawCountryCodeText"), r"[A-Z]{2}"),
    }
    known = {name: value for name, value in parts.items() if value}
    return known if known.keys() - {"country"} else {}


def institution_of(element: Element) -> str | None:
    """The name of the institution (party type 41) that an account or an association with one tells."""
    for party in descendants(element, "Party"):
        names = _names(party)
        if text(party, "ActivityPartyTypeCode") == "41" and names:
            return names[0][0]
    return None
