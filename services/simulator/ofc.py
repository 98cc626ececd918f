"""OFC's reports: target profiles, bank filings, case links, list updates."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from services.simulator.envelope import AGENCIES, Slip, envelope, stamp
from services.simulator.mentions import Cast, Draft
from services.simulator.noise import written_name
from services.simulator.population import World

Payments = Sequence[tuple[datetime, str, str, str]]
"""Transactions as (when, amount, kind, branch state)."""


def financial(slip: Slip, world: World, who: int, payments: Payments = (), form: str = "") -> Draft:
    """A bank's or casino's filing about a person and an account; controlled by its originator."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    person, account = cast.person(who, "SUBJECT", documents=0.7), cast.account(who)
    bank = world.bank(who)
    firm = who // 40
    chosen = sorted(payments) or [
        (
            slip.at - timedelta(days=int(rng.random() * 20), seconds=int(rng.random() * 40_000)),
            str(Decimal(int(rng.random() * 290_000) + 10_000) / 100),
            rng.choice(("CASH_IN", "CASH_OUT", "WIRE_IN", "WIRE_OUT", "CHECK")),
            bank.state,
        )
        for _ in range(1 + int(rng.random() * 5))
    ]
    parties: list[dict[str, Any]] = [
        {"role": "CONDUCTOR", "name": "as listed", "entity": person, "accounts": [account]}
    ]
    if rng.random() < 0.3:
        company = cast.firm(firm, "BENEFICIAL_OWNER")
        parties.append(
            {"role": "ON_BEHALF_OF", "name": "as listed", "kind": "ORGANIZATION", "entity": company}
        )
        cast.relate(person, company, "ACTS_FOR")
    parties.append({"role": "FILER", "name": bank.institution, "kind": "ORGANIZATION"})
    if rng.random() < 0.5:
        cast.relate(person, cast.home(who), "LOCATED_AT")
    body = envelope(slip, "OFC.FINANCIAL") | {
        "form": form or rng.choice(("CTR112", "SAR111", "F8300")),
        "bsa_id": f"31{int(slip.number[-7:]):012d}",
        "filed": slip.at.date().isoformat(),
        "parties": parties,
        "txns": [
            {
                "at": stamp(at),
                "amount": amount,
                "kind": kind,
                "account": account,
                "party": person,
                "branch_state": state,
            }
            for at, amount, kind, state in chosen
        ],
    }
    body["legal_basis"] = {"kind": "BSA_ACCESS", "reference": "31 USC 310 agreement"}
    body["handling"] = {"cui": "CUI//SP-FSEC", "tlp": "AMBER+STRICT", "share": "GREEN", "orcon": True}
    return Draft(body | cast.payload(), cast.truth)


def profile(slip: Slip, world: World, who: int) -> Draft:
    """All that is known of a target: associates, telephones, property, cases."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    subject = cast.person(who, "SUBJECT", documents=1.0)
    associates = [
        {"party": cast.person(world.near(who, step), "ASSOCIATE"), "relation": relation}
        for step, relation in ((1, "FAMILY_OF"), (4, "ASSOCIATE_OF"))[: 1 + int(rng.random() * 2)]
    ]
    phone = cast.phone(who)
    body = envelope(slip, "OFC.TARGET_PROFILE") | {
        "subject": subject,
        "requester": rng.choice(("EPIC", "SOD", "BCSC")),
        "request_no": f"RQ-26-{int(rng.random() * 9_000):04d}",
        "roles": [rng.choice(("TRANSPORTER", "LAUNDERER", "DISTRIBUTOR", "CELL_HEAD", "BROKER"))],
        "associates": associates,
        "communications": [phone] if phone else [],
        "assets": [cast.vehicle(who), cast.account(who), cast.home(who)][: 1 + int(rng.random() * 3)],
        "travel": [],
        "cases": [{"agency_id": slip.agency.ori, "case_no": slip.case}],
        "flags": [{"flag": rng.choice("BES"), "evidence": slip.number}],
        "intelligence_gaps": ["Who receives the proceeds?"],
        "recommendations": ["Interview the registered owner of the vehicle."],
    }
    return Draft(body | cast.payload(), cast.truth)


def case_link(slip: Slip, world: World, who: int) -> Draft:
    """Two agencies' cases that share an identifier."""
    rng, car = slip.rng, world.car(who)
    phone = world.phone(who)
    others = [a for a in AGENCIES if a is not slip.agency]
    other = others[int(rng.random() * len(others))]
    body = envelope(slip, "OFC.CASE_LINK") | {
        "case_a": {"agency_id": slip.agency.ori, "case_no": slip.case},
        "case_b": {
            "agency_id": other.ori,
            "case_no": f"{other.prefix}{slip.case[len(slip.agency.prefix) :]}",
        },
    }
    cast = Cast(world, rng)
    if phone and rng.random() < 0.6:
        cast.number(phone, "TARGET")
        body |= {"shared": {"type": "PHONE", "value": phone}, "link_reason": "SAME_PHONE"}
    else:
        cast.vehicle(who)
        there = cast.lists["vehicles"][0]
        shared = {"type": "PLATE", "value": there["plate"], "issuer": f"US-{car.state}"}
        body |= {"shared": shared, "link_reason": "SAME_CONVEYANCE"}
    return Draft(body | cast.payload(), cast.truth)


def list_update(slip: Slip, world: World, who: int) -> Draft:
    """Entries of a priority list: companies and people, all invented."""
    rng = slip.rng
    truth = {}
    entries: list[dict[str, Any]] = []
    for at in range(1 + int(rng.random() * 3)):
        number = (who + at * 7) % world.people
        citizen = world.citizen(number)
        written = written_name(rng, citizen.name, "")
        name = written.get("full_name") or f"{written['given_names']} {written['family_names']}"
        passport = {"type": "PASSPORT", "value": citizen.passport, "issuer": citizen.country}
        entry = {"id": f"INVENTED-{number:05d}", "name": name, "identifiers": [passport], "status": "ACTIVE"}
        if entry["id"] not in {e["id"] for e in entries}:
            entries.append(entry)
            truth[f"_entry-INVENTED-{number:05d}"] = citizen.key
    body = envelope(slip, "OFC.LIST_UPDATE") | {
        "list": rng.choice(("CPOT", "RPOT", "TICOT")),
        "list_version": f"FY26-{int(rng.random() * 4) + 1}",
        "effective": slip.at.date().isoformat(),
        "entries": entries,
    }
    return Draft(body, truth)
