"""EPIC's reports: seizures, crossings, plate reads, lookouts, inquiries, products."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from services.simulator.envelope import Slip, contact_phone, envelope, officer, stamp
from services.simulator.mentions import NONE, Cast, Draft
from services.simulator.noise import misread
from services.simulator.places import FOREIGN, HIGHWAYS, City, cities, ports
from services.simulator.population import World


@dataclass(frozen=True, slots=True)
class Haul:
    """What a drug seizure found: ``drugs`` as (DEA code, quantity, unit, NET or GROSS)."""

    driver: int
    car: int | None = None
    drugs: tuple[tuple[str, str, str, str], ...] = ()
    cash: int = 0
    fdin: str = ""
    city: City | None = None
    assist: tuple[str, ...] = ()
    point: tuple[float, float] | None = None


CODES: Final = ("9041", "9200", "9801", "1105", "7360")
SCHEDULES: Final = {"9041": "II", "9200": "I", "9801": "II", "1105": "II", "7360": "I"}
HIDDEN: Final = (
    ("FUEL_TANK", "AFTERMARKET_TRAP"), ("DASH", "NATURAL_VOID"), ("SEAT", "AFTERMARKET_TRAP"),
    ("DOOR", "NATURAL_VOID"), ("QUARTER_PANEL", "NATURAL_VOID"), ("ROCKER_PANEL", "WELDED"),
    ("SPARE_TYRE", "NONE"), ("TRAILER_WALL", "FALSE_WALL"), ("LUGGAGE", "NONE"), ("BODY", "NONE"),
)  # fmt: skip
"""Where and how goods are hidden in a vehicle."""


def lpr(slip: Slip, world: World, who: int) -> Draft:
    """A plate read: an observation without suspicion. The service makes the vehicle's mention, ``_plate``."""
    rng, car = slip.rng, world.car(who)
    highway, state, lat, lon = HIGHWAYS[int(rng.random() * len(HIGHWAYS))]
    reader = int(rng.random() * 12)
    body = envelope(slip, "EPIC.LPR", predicate=False) | {
        "plate": misread(rng, car.plate) if rng.random() < 0.02 else car.plate,
        "jurisdiction": f"US-{car.state}",
        "reader_id": f"{state}-{highway}-{reader:02d}",
        "lat": round(lat + reader * 0.05, 5),
        "lon": round(lon + reader * 0.05, 5),
        "heading": int(rng.random() * 360),
        "at": stamp(slip.at),
        "confidence": round(0.8 + rng.random() * 0.2, 2),
    }
    return Draft(body, {"_plate": car.key})


def crossing(slip: Slip, world: World, who: int) -> Draft:
    """A border crossing by car or on foot: an observation without suspicion."""
    rng, cast, citizen = slip.rng, Cast(world, slip.rng), world.citizen(who)
    on_foot = rng.random() < 0.25
    person = cast.person(who, "DRIVER" if not on_foot else "SUBJECT", documents=0.0)
    body = envelope(slip, "EPIC.CROSSING", predicate=False) | {
        "port_code": rng.choice(ports()).code,
        "lane": str(int(rng.random() * 12) + 1),
        "direction": "IN" if rng.random() < 0.6 else "OUT",
        "mode": "PED" if on_foot else "POV",
        "document": {"type": "PASSPORT", "number": citizen.passport, "issuer": citizen.country},
        "traveller": person,
    }
    truth = cast.truth | {"_document": f"document:{who}"}
    if not on_foot:
        car = world.car(who)
        body |= {"plate": car.plate, "jurisdiction": f"US-{car.state}"}
        truth["_plate"] = car.key
    if rng.random() < 0.3:
        body |= {"declared_usd": int(rng.random() * 40) * 100, "secondary": "N"}
    return Draft(body | cast.payload(), truth)


def seizure(slip: Slip, world: World, haul: Haul) -> Draft:
    """A drug seizure with its driver, vehicle, exhibits, and who took part."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    on_road = haul.car is not None
    driver = cast.person(haul.driver, "DRIVER" if on_road else "COURIER", documents=0.6)
    city = haul.city or cities()[int(rng.random() * 20)]
    place = cast.spot(city, haul.point)
    vehicle = NONE if haul.car is None else cast.vehicle(haul.car, full=True)
    location, mechanism = rng.choice(HIDDEN) if on_road else ("OTHER", "NONE")
    if slip.phone or rng.random() < 0.5:
        phone = cast.phone(haul.driver, "CONTACT")
        if phone:
            cast.relate(driver, phone, "USES", 0.9)
    if rng.random() < 0.35:
        cast.relate(driver, cast.home(haul.driver), "LOCATED_AT")
    body = envelope(slip, "EPIC.SEIZURE") | {
        "seizure_no": f"{slip.agency.prefix}-S-{slip.number[-7:]}",
        "place": place,
        "setting": "HIGHWAY" if on_road else "PREMISES",
        "agencies": [{"agency_id": slip.agency.ori, "part": "LEAD"}]
        + [{"agency_id": ori, "part": "ASSIST"} for ori in haul.assist],
        "items": _exhibits(cast, haul),
        "conveyance": vehicle,
        "concealment": {"location": location, "mechanism": mechanism},
        "origin": ", ".join(rng.choice(FOREIGN)[::2]),
        "destination": f"{city.name}, {city.state}",
    }
    if haul.fdin:
        body["fdin"] = haul.fdin
    return Draft(body | cast.payload(), cast.truth)


def _exhibits(cast: Cast, haul: Haul) -> list[str]:
    items = []
    for code, quantity, unit, weight in haul.drugs:
        exhibit = {
            "role": "ITEM", "code": code, "schedule": SCHEDULES[code], "quantity": quantity, "unit": unit,
            "weight": weight, "purity": round(20 + cast.rng.random() * 70, 1), "test": "LAB",
        }  # fmt: skip
        items.append(cast.add("x", "", exhibit))
    if haul.cash:
        cash = {"role": "ITEM", "code": "USD", "amount": str(haul.cash), "usd_equivalent": str(haul.cash)}
        items.append(cast.add("m", "", cash))
    return items


def small_haul(slip: Slip, who: int) -> Haul:
    """An everyday seizure: quantities well below any threshold."""
    rng = slip.rng
    code = rng.choice(CODES)
    quantity = (
        str(Decimal(int(rng.random() * 300) + 1) / 10)
        if code != "7360"
        else str(int(rng.random() * 9_000) + 20)
    )
    if code == "9801":
        quantity = str(Decimal(int(rng.random() * 250) + 5) / 10)
    car = who if rng.random() < 0.7 else None
    return Haul(who, car, ((code, quantity, "G", "NET"),), cash=int(rng.random() * 40) * 100)


def lookout(slip: Slip, world: World, who: int) -> Draft:
    """A lookout for a person and the vehicle he drives, at most 90 days."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    cast.person(who, "SUBJECT")
    cast.vehicle(who)
    body = envelope(slip, "EPIC.LOOKOUT") | {
        "subject_kind": "PERSON",
        "identifiers": [_plate(cast)],
        "reason": "Said to drive loads in this vehicle.",
        "lookout_action": rng.choice(("NOTIFY_ONLY", "STOP", "INSPECT")),
        "active_from": stamp(slip.at),
        "active_to": stamp(slip.at + timedelta(days=30 + int(rng.random() * 60))),
        "notify": {
            "name": officer(rng),
            "phone": contact_phone(slip.agency, rng),
            "agency_id": slip.agency.ori,
        },
    }
    return Draft(body | cast.payload(), cast.truth)


def _plate(cast: Cast) -> dict[str, str]:
    """The identifier of the first vehicle mentioned."""
    car = cast.lists["vehicles"][0]
    return {"type": "PLATE", "value": car["plate"], "issuer": car["jurisdiction"]}


def inquiry(slip: Slip, world: World, who: int) -> Draft:
    """An officer's query at the roadside, and how long the answer took."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    cast.person(who, "DRIVER", documents=0.7)
    cast.vehicle(who)
    highway, state, _, _ = rng.choice(HIGHWAYS)
    body = envelope(slip, "EPIC.INQUIRY") | {
        "requester": {
            "agency_id": slip.agency.ori,
            "officer": officer(rng),
            "call_back": contact_phone(slip.agency, rng),
        },
        "reason": "Traffic stop with indicators of smuggling.",
        "identifiers": [_plate(cast)],
        "place": f"{highway}, mile {int(rng.random() * 300)}, {state}",
        "response": "NEG" if rng.random() < 0.7 else "POS",
        "latency_s": int(rng.random() * 120) + 5,
    }
    return Draft(body | cast.payload(), cast.truth)


def product(slip: Slip, world: World, who: int) -> Draft:
    """An analytical product about an organisation and its corridor."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    firm, gatekeeper = cast.firm(who // 40), cast.person(who, "SUBJECT", documents=0.1)
    corridor = f"{rng.choice(FOREIGN)[0]} to {rng.choice(cities()).name}"
    body = envelope(slip, "EPIC.BIFS_PRODUCT") | {
        "title": f"Loads and proceeds on the corridor {corridor}",
        "span": {"start": stamp(slip.at - timedelta(days=90)), "end": stamp(slip.at)},
        "organisations": [firm],
        "corridor": corridor,
        "source_reports": [f"{slip.agency.prefix}-26-{int(rng.random() * 1e6):07d}"],
        "key_judgements": [
            {"text": "The organisation moves proceeds through freight firms.", "likelihood": "LIKELY"}
        ],
        "gatekeeper": gatekeeper,
    }
    return Draft(body | cast.payload(), cast.truth)
