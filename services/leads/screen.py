"""Which subjects are worth a look: what must hold at least before any rule can fire. Pure.

Most of the stream is observations and things seen once. Working out a view for each would cost more than
all the rest, so a subject is first summed up from columns of the newest reports that mention it. Each rule
states here, in one line, what it cannot do without; a rule without a line looks at every subject.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from services.leads.rules import RULES
from services.leads.rules.admissible import BYSTANDING_ROLES
from services.leads.rules.subjects import CONVEYANCES
from shared.contracts.entities import Kind

ACTORS: Final = CONVEYANCES | {Kind.PERSON, Kind.ORGANIZATION}
"""Kinds of subject that take part in events."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A subject summed up: where its reports come from and the kinds of events they tell of.

    ``suspected``: a predicated report mentions it in a role that is more than a bystander's.
    """

    kind: Kind
    feeds: frozenset[str]
    agencies: frozenset[str]
    events: frozenset[str]
    suspected: bool


NEEDS: Final[Mapping[str, Callable[[Summary], bool]]] = {
    "L01": lambda s: len(s.feeds) > 1 and len(s.agencies) > 1,
    "L11": lambda s: s.kind in ACTORS and bool(s.events & {"SEIZURE", "CROSSING", "DECLARATION", "MOVEMENT"}),
    "L15": lambda s: s.kind in CONVEYANCES and bool(s.events & {"SEIZURE", "LOOKOUT"}),
    "L21": lambda s: s.kind in ACTORS and "SEIZURE" in s.events,
}
"""What each rule needs at least, by its number."""


def is_suspect(role: str, *, predicated: bool) -> bool:
    """Whether a mention in this role makes somebody more than a bystander."""
    return predicated and role not in BYSTANDING_ROLES


def worth_a_look(summary: Summary) -> bool:
    """Whether some rule may fire for this subject."""
    return summary.suspected and any(NEEDS.get(rule.number, _always)(summary) for rule in RULES)


def _always(_: Summary) -> bool:
    return True
