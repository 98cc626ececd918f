"""OFC's reports: target profiles, bank filings, case links, list updates."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from services.simulator.envelope import Slip, envelope, stamp
from services.simulator.mentions import Cast, Draft
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
