"""Who reports, and the common envelope: originator, predicate, grades, handling, retention."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Agency:
    """An invented agency; ``feeds`` are those it submits to."""

    ori: str
    name: str
    prefix: str
    state: str
    area_code: str
    feeds: tuple[str, ...]


AGENCIES: Final = (
    Agency("TXZZZ0001", "Paso del Norte Interdiction Unit", "PDN", "TX", "915", ("BCSC", "EPIC")),
    Agency("TXZZZ0002", "Rio Bravo Narcotics Task Force", "RBN", "TX", "956", ("EPIC", "SOD")),
    Agency("AZZZZ0001", "Sonoran Corridor Task Force", "SCT", "AZ", "520", ("EPIC", "BCSC")),
    Agency("CAZZZ0001", "San Ysidro Border Team", "SYB", "CA", "619", ("EPIC", "BCSC")),
    Agency("NMZZZ0001", "Mesilla Highway Unit", "MHU", "NM", "575", ("EPIC", "SOD")),
    Agency("FLZZZ0001", "Keys Marine Unit", "KMU", "FL", "305", ("EPIC", "OFC")),
    Agency("NYZZZ0001", "Hudson Financial Crimes Unit", "HFC", "NY", "212", ("OFC", "SOD")),
    Agency("ILZZZ0001", "Lakes Organized Crime Section", "LOC", "IL", "312", ("SOD", "OFC", "BCSC")),
    Agency("DCZZZ0001", "Capital Communications Cell", "CCC", "DC", "202", ("SOD", "BCSC")),
    Agency("VAZZZ0001", "Tidewater Analysis Cell", "TAC", "VA", "804", ("OFC", "SOD")),
)
OF_FEED: Final = {
    feed: tuple(a for a in AGENCIES if feed in a.feeds) for feed in ("SOD", "OFC", "EPIC", "BCSC")
}

_RANKS: Final = ("SGT", "DET", "SA", "OFC", "LT", "ANALYST")
_SURNAMES: Final = ("Abara", "Brandt", "Castellan", "Dufresne", "Ellery", "Fontaine", "Grissom", "Imari")
_FACTS: Final = {
    "NARCOTICS": "Surveillance and records tie the subject to deliveries of controlled substances.",
    "ORGANIZED_CRIME": "Records and a reliable source tie the subject to the finances of a smuggling group.",
    "CRIMINAL_GANG": "Meetings with known members and seized messages tie the subject to the sales.",
    "RICO": "Bank records show proceeds moved through nominee companies of the same associates.",
}
_OFFENCES: Final = {
    "NARCOTICS": (
        "DRUG-NARCOTIC-COCAINE_SMUGGLE",
        "DRUG-NARCOTIC-DISTRIBUTING",
        "DRUG-NARCOTIC-HEROIN-SMUGGLE",
    ),
    "ORGANIZED_CRIME": ("MONEY_LAUNDERING", "SMUGGLING-CONTRABAND"),
    "CRIMINAL_GANG": ("DRUG-NARCOTIC-DISTRIBUTING", "WEAPON_LAW-TRAFFICKING"),
    "RICO": ("RACKETEERING", "MONEY_LAUNDERING"),
}
_LEGAL: Final = {
    "SOD": (
        ("ADMIN_SUBPOENA", "21 USC 876"),
        ("PEN_TRAP", "18 USC 3123"),
        ("CONSENT", "written consent on file"),
    ),
    "OFC": (("ADMIN_SUBPOENA", "21 USC 876"), ("SEARCH_WARRANT", "SW return")),
    "EPIC": (("SEARCH_WARRANT", "SW return"), ("CONSENT", "consent search"), ("PLAIN_VIEW", "traffic stop")),
    "BCSC": (
        ("BORDER_SEARCH", "19 USC 1581"),
        ("BORDER_SEARCH", "19 USC 1467"),
        ("CONSENT", "consent search"),
    ),
}


@dataclass(frozen=True, slots=True)
class Slip:
    """What a report's builder is given: who reports, when, under which number, with which dice."""

    rng: Random
    agency: Agency
    feed: str
    at: datetime
    number: str
    case: str
    grade: str = ""
    """Admiralty grade such as A1, where a planted scheme gives one; its reports are shared with everyone."""
    basis: str = ""
    """Predicate basis, where a planted scheme gives one."""
    phone: bool = False
    """The report certainly names the person's telephone."""


def stamp(moment: datetime) -> str:
    """RFC 3339 with offset, whole seconds."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def officer(rng: Random) -> str:
    """An invented officer's name."""
    return f"{rng.choice(_RANKS)} {rng.choice(_SURNAMES)}"


def contact_phone(agency: Agency, rng: Random) -> str:
    """One of the agency's ten lines in the range reserved for fiction."""
    return f"+1{agency.area_code}55501{int(rng.random() * 10) + 90}"


def envelope(slip: Slip, schema: str, *, predicate: bool = True) -> dict[str, Any]:
    """The common fields; ``predicate`` False for an observation that rests on no suspicion."""
    rng, day = slip.rng, slip.at.date()
    kind, reference = rng.choice(_LEGAL[slip.feed])
    body: dict[str, Any] = {
        "schema": f"{schema}/1",
        "source_report_no": slip.number,
        "action": "INSERT",
        "version": 1,
        "event_start": stamp(slip.at),
        "originator": {
            "agency_id": slip.agency.ori,
            "unit": slip.agency.name,
            "contact_name": officer(rng),
            "phone": contact_phone(slip.agency, rng),
        },
        "case_no": slip.case,
        "legal_basis": {"kind": kind, "reference": reference},
        "evaluation": {
            "reliability": slip.grade[:1] or _pick(rng, "AAABBBBCCD"),
            "credibility": slip.grade[1:] or _pick(rng, "1122222334"),
        },
        "handling": handling(rng, slip.agency, open_=bool(slip.grade)),
        "retention": {
            "class": "CI",
            "review_by": (day + timedelta(days=365)).isoformat(),
            "retain_until": (day + timedelta(days=5 * 365)).isoformat(),
        },
    }
    if predicate:
        body["predicate"] = _predicate(slip, day.isoformat())
    return body


def handling(rng: Random, agency: Agency, *, open_: bool) -> dict[str, Any]:
    """Mostly for everyone; a few are pointers, the owner's own, or for the agency's usual partners."""
    terms: dict[str, Any] = {"cui": "CUI//LEI", "tlp": "GREEN", "share": "GREEN", "orcon": False}
    draw = 0.0 if open_ else rng.random()
    if draw < 0.86:
        return terms
    at = AGENCIES.index(agency)
    partners = sorted(AGENCIES[(at + step) % len(AGENCIES)].ori for step in (1, 2, 3))
    limits: tuple[tuple[float, dict[str, Any]], ...] = (
        (0.90, {"share": "YELLOW", "tlp": "AMBER"}),
        (0.92, {"share": "RED", "tlp": "RED"}),
        (0.95, {"release_to": partners, "tlp": "AMBER"}),
        (0.97, {"release_to": sorted({*agency.feeds, "EPIC"}), "tlp": "AMBER"}),
        (0.985, {"orcon": True, "tlp": "AMBER+STRICT"}),
        (1.0, {"caveats": ["INFORMANT"], "tlp": "AMBER+STRICT"}),
    )
    return terms | next(more for least, more in limits if draw < least)


def _predicate(slip: Slip, day: str) -> dict[str, Any]:
    rng = slip.rng
    activity = rng.choice(tuple(_FACTS))
    return {
        "basis": slip.basis or ("REASONABLE_SUSPICION" if rng.random() < 0.6 else "PROBABLE_CAUSE"),
        "activity": activity,
        "offence": rng.choice(_OFFENCES[activity]),
        "facts": _FACTS[activity],
        "determined_by": officer(rng),
        "determined_at": day,
    }


def _pick(rng: Random, codes: str) -> str:
    return codes[int(rng.random() * len(codes))]
