"""BCSC's reports: cash seizures, inquiries, form 105 declarations, armoured-car movements."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from services.simulator.envelope import Slip, contact_phone, envelope, officer, stamp
from services.simulator.epic import HIDDEN
from services.simulator.mentions import NONE, Cast, Draft
from services.simulator.noise import written_date, written_name
from services.simulator.places import FOREIGN, City, cities, ports
from services.simulator.population import World

PACKAGING: Final = ("RUBBER_BAND", "VACUUM_SEAL", "TAPE", "PLASTIC", "ENVELOPE", "LOOSE")


@dataclass(frozen=True, slots=True)
class Cash:
    """A cash seizure in US dollars; ``declared`` None = the courier was not asked."""

    courier: int
    total: int
    declared: int | None
    prong: str = "INTERSTATE"
    car: int | None = None
    city: City | None = None
    point: tuple[float, float] | None = None
    receipt: str = ""
    cmir: str = ""


def seizure(slip: Slip, world: World, cash: Cash) -> Draft:
    """Cash taken from a courier, counted note by note."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    courier = cast.person(cash.courier, "COURIER", documents=0.6)
    place = cast.spot(cash.city or cities()[int(rng.random() * 14)], cash.point)
    vehicle = NONE if cash.car is None else cast.vehicle(cash.car, full=True)
    location, mechanism = rng.choice(HIDDEN) if cash.car is not None else ("LUGGAGE", "NONE")
    if slip.phone or rng.random() < 0.5:
        phone = cast.phone(cash.courier, "CONTACT")
        if phone:
            cast.relate(courier, phone, "USES", 0.9)
    total = str(cash.total)
    body = envelope(slip, "BCSC.SEIZURE") | {
        "total": total,
        "currency": "USD",
        "usd_equivalent": total,
        "prong": cash.prong,
        "declared_usd": None if cash.declared is None else str(cash.declared),
        "ownership": "CLAIMED" if cash.declared else rng.choice(("DISCLAIMED", "THIRD_PARTY")),
        "statute": ["31 USC 5332"] if cash.prong.startswith("BORDER") else ["18 USC 1956"],
        "denominations": notes(cash.total),
        "packaging": [rng.choice(PACKAGING)],
        "concealment": {"location": location, "mechanism": mechanism},
        "courier": courier,
        "conveyance": vehicle,
        "place": place,
    }
    if cash.receipt:
        body["custody_receipt_no"] = cash.receipt
    if cash.cmir:
        body["cmir_ref"] = cash.cmir
    return Draft(body | cast.payload(), cast.truth)


def notes(total: int) -> list[dict[str, int]]:
    """Street cash: mostly twenties, some hundreds, small change for the rest."""
    hundreds = total // 400
    rest = total - hundreds * 100
    found = [(100, hundreds), (20, rest // 20), (10, rest % 20 // 10), (5, rest % 10 // 5), (1, rest % 5)]
    return [{"face": face, "count": count} for face, count in found if count]


def small_cash(slip: Slip, who: int) -> Cash:
    """An everyday seizure of undisputed or small sums: no border, or fully declared."""
    rng = slip.rng
    if rng.random() < 0.3:
        total = int(rng.random() * 300 + 20) * 100
        return Cash(
            who, total, total, rng.choice(("BORDER_OUT", "BORDER_IN")), who, cmir=f"CMIR-{slip.number}"
        )
    return Cash(who, int(rng.random() * 90 + 5) * 100, None, car=who if rng.random() < 0.5 else None)


def inquiry(slip: Slip, world: World, who: int) -> Draft:
    """A question about a person, and the last crossings found."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    subject = cast.person(who, "SUBJECT", documents=0.6)
    seen = [
        {
            "at": stamp(slip.at - timedelta(days=1 + int(rng.random() * 30))),
            "port_code": rng.choice(ports()).code,
            "direction": rng.choice(("IN", "OUT")),
        }
        for _ in range(int(rng.random() * 3))
    ]
    answer: dict[str, Any] = {"crossings": seen, "interest": "N"}
    if rng.random() < 0.2:
        holder = {
            "name": officer(rng),
            "phone": contact_phone(slip.agency, rng),
            "agency_id": slip.agency.ori,
        }
        answer |= {"interest": "Y", "holder": holder}
    body = envelope(slip, "BCSC.INQUIRY") | {"subject": subject, "response": answer}
    return Draft(body | cast.payload(), cast.truth)


def cmir(slip: Slip, world: World, who: int) -> Draft:
    """A declaration of money on form 105: an observation without suspicion."""
    rng, citizen = slip.rng, world.citizen(who)
    written = written_name(rng, citizen.name, citizen.suffix)
    name = written.get("full_name") or f"{written['given_names']} {written['family_names']}"
    total = str(int(rng.random() * 400 + 105) * 100)
    abroad = ", ".join(rng.choice(FOREIGN)[::2])
    inward = rng.random() < 0.5
    born = written_date(rng, citizen.born)
    body = envelope(slip, "BCSC.CMIR", predicate=False) | {
        "filer": {
            "name": name,
            "citizenship": [citizen.country],
            "passport": {"number": citizen.passport, "country": citizen.country},
        }
        | ({"dob": born} if born else {}),
        "movement": {
            "direction": "IMPORT" if inward else "EXPORT",
            "departed": abroad if inward else rng.choice(ports()).name,
            "arrived": rng.choice(ports()).name if inward else abroad,
            "on": slip.at.date().isoformat(),
        },
        "amounts": {"paper": total},
        "currency": "USD",
        "usd_equivalent": total,
    }
    return Draft(body, {"_filer": citizen.key, "_passport": f"document:{who}"})


def movement(slip: Slip, world: World, who: int) -> Draft:
    """An armoured car's trip for a customer."""
    rng = slip.rng
    firm = world.firm(who // 40)
    amount = str(int(rng.random() * 900 + 100) * 1_000)
    start, end = rng.choice(cities()), rng.choice(cities())
    body = envelope(slip, "BCSC.ACS_MOVEMENT") | {
        "firm": rng.choice(("Ironclad Transit Inc", "Silver Shield Armored LLC")),
        "customer": f"{firm.name} {firm.form[0]}",
        "from": {"city": start.name, "state": start.state, "country": "US"},
        "to": {"city": end.name, "state": end.state, "country": "US"},
        "amount": amount,
        "currency": "USD",
        "usd_equivalent": amount,
        "manifest": f"M{slip.number[-7:]}",
    }
    return Draft(body, {"_customer": firm.key})
