"""Which components are worth a look: what must hold at least before any rule can fire. Pure.

Most of the stream is observations and things seen once. Working out a view for each would cost more than
all the rest, so every profile carries **clues**: what the reports that ever mentioned it may give to rules.
Clues are only ever added, so they may promise too much, never too little; they decide what is looked at, and
nothing that anybody gets to see. Each rule states here, in one line, what it cannot do without; a rule
without a line looks at every subject.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from services.leads.rules import RULES
from services.leads.rules.admissible import BYSTANDING_ROLES, PROTECTED_ROLES
from services.leads.rules.subjects import CONVEYANCES
from shared.contracts.entities import Kind

ACTORS: Final = CONVEYANCES | {Kind.PERSON, Kind.ORGANIZATION}
"""Kinds of subject that take part in events."""
UNKNOWN: Final = "*"
"""The clues of a profile from before clues were kept."""
Clues = frozenset[str]
_NONE: Final[Clues] = frozenset()
_ENOUGH: Final = 2
"""So many agencies of a profile are told apart: no rule asks for more."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the reports about a component may give to rules at most.

    ``suspected``: a predicated report mentions it in a role that is more than a bystander's. ``cash`` and
    ``drugs``: a report tells amounts of them. ``rides``: seizures and lookouts, counted no further than
    two a profile.
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
    found = set()
    if facts.get("status") != "COMMON":
        found |= {f"f:{content['feed']}", f"a:{content['originator']['agency_id']}"}
    if basis is not None:
        found.add("suspect")
    if facts.get("seized_usd") is not None or facts.get("moved_usd") is not None:
        found.add("cash")
    if content.get("drugs"):
        found.add("drugs")
    if facts["kind"] in ("SEIZURE", "LOOKOUT"):
        found.add("ride")
    return frozenset(found)


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
    agencies = sorted(c for c in found if c.startswith("a:"))
    return " ".join(sorted(found.difference(agencies[_ENOUGH:])))


def suggests(kind: str, stored: Collection[str]) -> bool:
    """Whether some rule may fire for a component of this kind whose profiles have these clues."""
    return _suggests(kind, frozenset(stored), sum("ride" in clues for clues in stored) > 1)


@lru_cache(maxsize=16_384)
def _suggests(kind: str, stored: frozenset[str], several_ride: bool) -> bool:
    if UNKNOWN in stored:
        return True
    return worth_a_look(summary(Kind(kind), stored, several_ride=several_ride))


def summary(kind: Kind, stored: Iterable[str], *, several_ride: bool = False) -> Summary:
    """The clues of a component's profiles summed up."""
    found = {clue for clues in stored for clue in clues.split()}
    return Summary(
        kind,
        frozenset(c for c in found if c.startswith("f:")),
        frozenset(c for c in found if c.startswith("a:")),
        "suspect" in found,
        "cash" in found,
        "drugs" in found,
        2 if several_ride or "rides" in found else int("ride" in found),
    )


def worth_a_look(summary: Summary) -> bool:
    """Whether some rule may fire for this subject."""
    return summary.suspected and any(NEEDS.get(rule.number, _always)(summary) for rule in RULES)


def _always(_: Summary) -> bool:
    return True
