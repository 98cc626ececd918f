"""SOD's reports: target identifiers, toll records, intercept summaries, tips, nexus statements."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from services.simulator.envelope import Slip, envelope, stamp
from services.simulator.mentions import Cast, Draft
from services.simulator.places import HIGHWAYS
from services.simulator.population import World

PROVIDERS: Final = ("Mesa Wireless", "Lonestar Mobile", "Bluewave", "Coastal Cellular")
Contacts = Sequence[tuple[datetime, str, bool, int]]
"""Calls as (when, other number, outgoing, seconds)."""


def toll(
    slip: Slip, world: World, who: int, calls: Contacts = (), which: int = 0, *, subscriber: bool = False
) -> Draft:
    """The calls of a person's number; invented ones with acquaintances where none are given."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    target = world.phone(who, which) or world.phone(who % 10_000) or ""
    start, end = slip.at - timedelta(days=14), slip.at
    chosen = sorted(calls) or acquaintances(slip, world, who, start)
    cast.number(target, "TARGET")
    records = []
    for at, other, outgoing, seconds in chosen:
        records.append(
            {
                "at": stamp(at),
                "dir": "OUT" if outgoing else "IN",
                "other": other,
                "seconds": seconds,
                "kind": "SMS" if seconds == 0 else "VOICE",
            }
        )
    for other in dict.fromkeys(other for _, other, _, _ in chosen):
        cast.number(other)
    if calls:
        start, end = min(start, chosen[0][0]), max(end, chosen[-1][0])
    body = envelope(slip, "SOD.TOLL") | {
        "target_number": target,
        "provider": rng.choice(PROVIDERS),
        "period": {"start": stamp(start), "end": stamp(end)},
        "records": records,
        "record_count": len(records),
        "file_sha256": sha256(slip.number.encode()).hexdigest(),
    }
    if subscriber or rng.random() < 0.5:
        body["subscriber"] = cast.person(who, "ASSOCIATE", documents=0.1)
    return Draft(body | cast.payload(), cast.truth)


def acquaintances(
    slip: Slip, world: World, who: int, start: datetime
) -> list[tuple[datetime, str, bool, int]]:
    """Some calls with the few numbers that a person talks to."""
    rng = slip.rng
    near = [world.near(who, step) for step in (1, 2, 5, 7, 30, 55, 144)]
    numbers = [n for i in near[: 2 + int(rng.random() * 4)] if (n := world.phone(i))]
    if not numbers:
        numbers = [world.phone(0) or ""]
    calls = []
    for _ in range(2 + int(rng.random() * 8)):
        at = start + timedelta(seconds=int(rng.random() * 1_200_000))
        seconds = 0 if rng.random() < 0.3 else int(rng.random() ** 2 * 1_200) + 1
        calls.append((at, rng.choice(numbers), rng.random() < 0.55, seconds))
    return sorted(calls)


def target(slip: Slip, world: World, who: int) -> Draft:
    """An identifier of a target: mostly a telephone, otherwise an e-mail address, a handset or a plate."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    kind = rng.choice(("PHONE", "PHONE", "PHONE", "EMAIL", "IMEI", "PLATE"))
    phone = world.phone(who)
    if kind == "PHONE" and phone is None:
        kind = "EMAIL"
    user = cast.person(who, "SUBJECT", documents=0.4)
    status = "TARGET" if rng.random() < 0.7 else "ASSOCIATE"
    body = envelope(slip, "SOD.TARGET_ID") | {
        "id_type": kind,
        "status": status,
        "active_from": stamp(slip.at - timedelta(days=int(rng.random() * 60))),
        "user": user,
    }
    role = "TARGET" if status == "TARGET" else "CONTACT"
    if kind == "PHONE" and phone:
        cast.number(phone, role)
        body["value"] = phone
    elif kind == "PLATE":
        cast.vehicle(who)
        car = cast.lists["vehicles"][0]
        body |= {"value": car["plate"], "issuer": car["jurisdiction"]}
    elif kind == "IMEI":
        body["value"] = world.imei(who)
        cast.add("d", f"device:{who}", {"role": role, "imei": body["value"]})
    else:
        body["value"] = world.email(who)
        cast.add("w", f"online:{who}", {"role": role, "kind": "EMAIL", "value": body["value"]})
    return Draft(body | cast.payload(), cast.truth)


def intercept(slip: Slip, world: World, who: int) -> Draft:
    """A session of a wiretap, summarised; for holders of the authority alone."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    line = world.phone(who) or world.phone(who % 8_000) or ""
    first, second = cast.person(who, "SUBJECT"), cast.person(world.near(who, 1), "ASSOCIATE")
    number = cast.number(line, "TARGET")
    body = envelope(slip, "SOD.INTERCEPT_SUMMARY") | {
        "order_ref": f"MC-26-{who % 9_000:04d}",
        "line": line,
        "session": f"{int(rng.random() * 9_000):05d}",
        "start": stamp(slip.at),
        "seconds": int(rng.random() * 600) + 10,
        "participants": [first, second, number],
        "pertinent": rng.random() < 0.6,
        "minimized": False,
        "summary": "Speakers agree on a time and a place and speak of papers and of the white truck.",
        "language": rng.choice(("es", "en", "ru", "zh")),
    }
    body["legal_basis"] = {"kind": "TITLE_III", "reference": "18 USC 2518"}
    body["handling"] = body["handling"] | {"cui": "CUI//LCOMM/LEI", "tlp": "AMBER+STRICT"}
    return Draft(body | cast.payload(), cast.truth)


def tip(slip: Slip, world: World, who: int) -> Draft:
    """A tip to another centre, resting on reports that it names; some are unvetted."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    person, vehicle = cast.person(who, "SUBJECT"), cast.vehicle(who)
    cast.relate(person, vehicle, "DRIVES", 0.6)
    if not slip.basis and rng.random() < 0.3:
        slip = replace(slip, basis="TIP_UNVETTED")
    highway, state, _, _ = rng.choice(HIGHWAYS)
    body = envelope(slip, "SOD.TIP") | {
        "addressee": rng.choice(("EPIC", "BCSC", "OFC")),
        "what": "A load is said to move north in this vehicle.",
        "where": f"{highway}, {state}",
        "when": stamp(slip.at + timedelta(hours=int(rng.random() * 48))),
        "urgency": rng.choice(("ROUTINE", "PRIORITY", "IMMEDIATE")),
        "source_reports": [f"{slip.agency.prefix}-26-{int(rng.random() * 1e6):07d}"],
    }
    return Draft(body | cast.payload(), cast.truth)


def nexus(slip: Slip, world: World, who: int) -> Draft:
    """A tie between a person and a designated organisation."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    organisation, person = cast.firm(who // 400, "LISTED"), cast.person(who, "SUBJECT", documents=0.5)
    body = envelope(slip, "SOD.CNTOC_NEXUS") | {
        "organization": organisation,
        "list": rng.choice(("FTO", "SDGT", "SDNTK", "TCO")),
        "list_ref": f"INVENTED-{who // 400:04d}",
        "link_type": rng.choice(("FUNDS", "LOGISTICS", "TRAINING", "TRAVEL")),
        "linked": [person],
    }
    return Draft(body | cast.payload(), cast.truth)
