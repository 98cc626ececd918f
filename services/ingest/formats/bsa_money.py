"""The accounts, amounts and suspicions of one activity of a BSA batch."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final
from xml.etree.ElementTree import Element  # the type only; parsing is defusedxml's

from services.ingest.formats.bsa_party import Mentions, PartyRead, institution_of, read_address
from services.ingest.formats.bsa_text import amount, child, children, code, descendants, text

CONDUCTORS: Final = frozenset({"16", "17", "50", "58"})
"""Party types that bring or take the cash."""
KEEPERS: Final = frozenset({"41", "46"})
"""Party types that keep others' accounts."""
SIDES: Final = (
    ("CASH_IN", "IndividualEntityCashInAmountText", "TotalCashInReceiveAmountText", "8"),
    ("CASH_OUT", "IndividualEntityCashOutAmountText", "TotalCashOutAmountText", "9"),
)
"""Kind of transaction, its amount for one party, its total, and the type code of its accounts."""


def read_accounts(
    activity: Element, parties: Sequence[PartyRead], mentions: Mentions
) -> dict[str, dict[str, str]]:
    """Add every account and who holds it; give, by party, its account for cash in (8) and out (9)."""
    branch = _branch(parties)
    used: dict[str, dict[str, str]] = {}
    for party in parties:
        if party.local_id is None or party.type in KEEPERS:
            continue
        for account, association in _below(party.element):
            held_at = institution_of(account) or institution_of(association) or branch.get("institution")
            local_id = _account(account, mentions, held_at, branch)
            if local_id is not None:
                _hold(party, local_id, mentions)
                for side in {text(a, "PartyAccountAssociationTypeCode") for a in _associations(account)}:
                    used.setdefault(party.local_id, {}).setdefault(side or "", local_id)
    filer = next((p for p in parties if p.type == "15"), None)
    for account in children(activity, "Account"):  # an FBAR lists accounts beside its filer
        local_id = _account(account, mentions, institution_of(account), {})
        if local_id is not None and filer is not None:
            _hold(filer, local_id, mentions)
    return used


def _below(party: Element) -> Iterator[tuple[Element, Element]]:
    """Every account below a party, with what ties it to the party."""
    for account in children(party, "Account"):
        yield account, account
    for association in children(party, "PartyAccountAssociation"):
        for account in descendants(association, "Account"):
            yield account, association


def _associations(account: Element) -> list[Element]:
    return children(account, "PartyAccountAssociation")


def _account(
    account: Element, mentions: Mentions, institution: str | None, branch: dict[str, str]
) -> str | None:
    number = text(account, "AccountNumberText")
    if number is None:
        return None
    where = {name: branch.get(name) for name in ("branch_state", "branch_zip")}
    return mentions.add("accounts", "a", role="TARGET", number=number, institution=institution, **where)


def _hold(party: PartyRead, account: str, mentions: Mentions) -> None:
    held = party.entry.setdefault("accounts", [])
    if account not in held and party.local_id is not None:
        held.append(account)
        mentions.relate(party.local_id, "HOLDS", account)


def _branch(parties: Sequence[PartyRead]) -> dict[str, str]:
    """The place of the transaction: name, state and ZIP of the one location, else of the filer."""
    places = [p for p in parties if p.type == "34"] or [p for p in parties if p.type == "30"]
    if not places:
        return {}
    found = {"institution": str(places[0].entry["name"])}
    if len(places) == 1:
        address = read_address(child(places[0].element, "Address"))
        state = code(address.get("state"), r"[A-Z]{2}")
        if state is not None and address.get("country", "US") == "US":
            found["branch_state"] = state
            if "postcode" in address:
                found["branch_zip"] = address["postcode"]
    return found


def read_money(
    activity: Element, parties: Sequence[PartyRead], accounts: dict[str, dict[str, str]], on: date
) -> dict[str, Any]:
    """``txns`` and the totals: one transaction for each party and side that the form gives an amount for.

    Where no single party has an amount, the total is one transaction, by the only conductor if there is one.
    """
    branch = {name: value for name, value in _branch(parties).items() if name != "institution"}
    doers = [p for p in parties if p.type in CONDUCTORS] or [p for p in parties if p.type == "23"]
    txns: list[dict[str, Any]] = []
    totals: dict[str, str] = {}
    for kind, of_party, of_all, account in SIDES:
        common = {"at": f"{on}T00:00:00Z", "currency": "USD", "kind": kind, **branch}
        single = [(p, value) for p in doers if (value := amount(text(p.element, of_party))) is not None]
        total = _total(activity, of_all)
        if total is not None:
            totals["total_in_usd" if kind == "CASH_IN" else "total_out_usd"] = str(total)
            if not single:
                txns.append({**common, "amount": str(total), **_by(doers[0], accounts, account, only=doers)})
        txns += [
            {**common, "amount": str(value), **_by(p, accounts, account, only=[p])} for p, value in single
        ]
    suspicious = _total(activity, "TotalSuspiciousAmountText")
    if suspicious is not None:
        totals["total_suspicious_usd"] = str(suspicious)
    return {"txns": txns, **totals}


def _by(
    party: PartyRead, accounts: dict[str, dict[str, str]], account: str, *, only: Sequence[PartyRead]
) -> dict[str, str]:
    """Who made a transaction and by which account, where that is certain."""
    if len(only) != 1 or party.local_id is None:
        return {}
    used = accounts.get(party.local_id, {}).get(account)
    return {"party": party.local_id, **({"account": used} if used else {})}


def _total(activity: Element, name: str) -> Decimal | None:
    for element in descendants(activity, name):
        found = amount(element.text)
        if found is not None:
            return found
    return None


def read_suspicion(activity: Element) -> dict[str, Any]:
    """The types of suspicious activity, the narrative, and the number of the report it amends."""
    kinds = []
    for classified in descendants(activity, "SuspiciousActivityClassification"):
        made = {
            "type": text(classified, "SuspiciousActivityTypeID"),
            "subtype": text(classified, "SuspiciousActivitySubtypeID"),
            "text": text(classified, "OtherSuspiciousActivityTypeText"),
        }
        if made["type"] is not None:
            kinds.append({name: value for name, value in made.items() if value is not None})
    told = [(e.text or "").strip() for e in descendants(activity, "ActivityNarrativeText")]
    narrative = "\n".join(part for part in told if part)[:20_000].strip()
    prior = code(text(activity, "EFilingPriorDocumentNumber"), r"[0-9]{14}")
    return {
        "activities": kinds[:100],
        **({"narrative": narrative} if narrative else {}),
        **({"prior_bsa_id": prior} if prior is not None and int(prior) else {}),
    }
