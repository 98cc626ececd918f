"""Which subjects are worth a look: what must hold at least before any rule can fire. Pure.

Most of the stream is observations and things seen once. Working out a view for each would cost more than
all the rest, so every profile carries **clues**: what the reports that ever mentioned it may give to rules.
Clues are only ever added, so they may promise too much, never too little; they decide what is looked at, and
nothing that anybody gets to see. Each rule states here, in one line, what it cannot do without; a rule
without a line looks at every subject.

Clues are words: ``suspect``, ``ride`` and ``rides`` (one, or more, seizures or lookouts), ``feed:EPIC``,
``agency:TXZZZ0001``, and amounts by their number of digits: ``usd:5``, ``9041:4`` (grams by DEA code).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from services.leads.rules import RULES
from services.leads.rules.admissible import BYSTANDING_ROLES, PROTECTED_ROLES
from services.leads.rules.subjects import CONVEYANCES
from services.leads.thresholds import DRUGS, THRESHOLDS
from shared.contracts.entities import Kind
from shared.contracts.report import quantity_in_grams

Clues = frozenset[str]
ACTORS: Final = CONVEYANCES | {Kind.PERSON, Kind.ORGANIZATION}
"""Kinds of subject that take part in events."""
UNKNOWN: Final = "*"
"""The clues of a profile from before clues were kept."""
_NONE: Final[Clues] = frozenset()
_ENOUGH: Final = 2
"""So many agencies of a profile are told apart: no rule asks for more."""
_USD: Final = "usd"
_LEAST: Final = {_USD: min(t.amount for t in THRESHOLDS if t.name == "cash.border")} | {
    code: min(t.amount for t in THRESHOLDS if t.name.startswith(f"quantity.{code}.")) for code in DRUGS
}
"""The lowest threshold of each amount, whatever its place and dates."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the reports about a subject may give to rules at most.

    ``suspected``: a predicated report mentions it in a role that is more than a bystander's. ``cash`` and
    ``drugs``: a report may tell of an amount above a threshold. ``rides``: seizures and lookouts, 2 = more
    than one.
    """

    kind: Kind
    feeds: frozenset[str]
    agencies: frozenset[str]
    suspected: bool
    cash: bool
    drugs: bool
    rides: int


NEEDS: Final[Mapping[str, Callable[[Summary], bool]]] = {
    "L01": lambda s: len(s.feeds) > 1 and len(s.agencies) > 1,
    "L11": lambda s: s.kind in ACTORS and s.cash,
    "L15": lambda s: s.kind in CONVEYANCES and s.rides > 1,
    "L21": lambda s: s.kind in ACTORS and s.drugs,
}
"""What each rule needs at least, by its number."""


def clues_of_report(content: Mapping[str, Any]) -> Clues:
    """What a report (its canonical JSON) gives to whoever it mentions; nothing where no rule reads it."""
    basis = (content.get("predicate") or {}).get("basis")
    if basis == "TIP_UNVETTED":
        return _NONE
    facts = content["facts"]
    found = {f"{name}:{_digits(amount)}" for name, amount in _amounts(content).items()}
    if facts.get("status") != "COMMON":
        found |= {f"feed:{content['feed']}", f"agency:{content['originator']['agency_id']}"}
    if basis is not None:
        found.add("suspect")
    if facts["kind"] in ("SEIZURE", "LOOKOUT"):
        found.add("ride")
    return frozenset(found)


def _amounts(content: Mapping[str, Any]) -> dict[str, Decimal]:
    """Cash seized or moved without a form 105, and the net weight of each drug, exhibits added up."""
    facts, found = content["facts"], {}
    moved = facts.get("moved_usd") if facts.get("cmir_filed") is False else None
    cash = [Decimal(amount) for amount in (facts.get("seized_usd"), moved) if amount is not None]
    if cash:
        found[_USD] = max(cash)
    for drug in content.get("drugs", ()):
        code, grams = drug["code"][:4], drug.get("grams")
        weighed = quantity_in_grams(Decimal(drug["quantity"]), drug["unit"]) if grams is None else grams
        if code in DRUGS and drug.get("weight", "NET") == "NET" and weighed is not None:
            found[code] = found.get(code, Decimal(0)) + Decimal(weighed)
    return found


def _digits(amount: Decimal) -> int:
    return len(str(int(amount)))


def clues_of_mention(clues: Clues, role: str, *, nowhere: bool = False) -> Clues:
    """What of a report's clues a mention in this role gets; ``nowhere``: a place without street address."""
    if role in PROTECTED_ROLES or nowhere:
        return _NONE
    return clues - {"suspect"} if role in BYSTANDING_ROLES else clues


@lru_cache(maxsize=16_384)
def joined(known: str, more: Clues) -> str:
    """A profile's clues as they are stored, with those of another mention."""
    if known == UNKNOWN or not more:
        return known
    before = known.split()
    found = {*before, *more}
    if "ride" in before and "ride" in more:
        found.add("rides")
    agencies = sorted(c for c in found if c.startswith("agency:"))
    return " ".join(sorted(found.difference(agencies[_ENOUGH:])))


def suggests(kind: str, stored: Collection[str]) -> bool:
    """Whether some rule may fire for a subject of this kind whose profiles have these clues."""
    return _suggests(kind, frozenset(stored), sum("ride" in clues for clues in stored) > 1)


@lru_cache(maxsize=16_384)
def _suggests(kind: str, stored: frozenset[str], several_ride: bool) -> bool:
    if UNKNOWN in stored:
        return True
    return worth_a_look(summary(Kind(kind), stored, several_ride=several_ride))


def summary(kind: Kind, stored: Iterable[str], *, several_ride: bool = False) -> Summary:
    """The clues of a subject's profiles summed up."""
    found = {clue for clues in stored for clue in clues.split()}
    by_name: dict[str, set[str]] = {}
    for clue in found:
        name, _, value = clue.partition(":")
        by_name.setdefault(name, set()).add(value)
    reached = {
        name
        for name, least in _LEAST.items()
        if any(10 ** int(digits) > least for digits in by_name.get(name, ()))
    }
    return Summary(
        kind,
        frozenset(by_name.get("feed", ())),
        frozenset(by_name.get("agency", ())),
        "suspect" in found,
        _USD in reached,
        not reached.isdisjoint(DRUGS),
        2 if several_ride or "rides" in found else int("ride" in found),
    )


def worth_a_look(summary: Summary) -> bool:
    """Whether some rule may fire for this subject."""
    return summary.suspected and any(NEEDS.get(rule.number, _always)(summary) for rule in RULES)


def _always(_: Summary) -> bool:
    return True
