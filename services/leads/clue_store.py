"""Which components are worth a look, by the clues of their profiles: one narrow read of many."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from services.leads.screen import suggests
from services.leads.tables import member
from shared.database import fetch


@dataclass(frozen=True, slots=True)
class Standing:
    """The profiles that each component has, live or not, and the components worth a look."""

    profiles: Mapping[str, set[str]]
    promising: frozenset[str]


def standing(conn: Connection, component_ids: Iterable[str]) -> Standing:
    """How components stand: a judged one is always worth a look, for others may be joined to it."""
    profiles: dict[str, set[str]] = {c: set() for c in component_ids}
    clues: dict[str, list[str]] = {c: [] for c in profiles}
    kinds: dict[str, str] = {}
    judged: set[str] = set()
    columns = ("profile_id", "component_id", "kind", "judged", "clues")
    for p, c, kind, is_judged, given in fetch(conn, member, columns, "component_id", profiles):
        profiles[c].add(p)
        clues[c].append(given)
        if kind:
            kinds[c] = kind
        if is_judged:
            judged.add(c)
    found = (c for c, kind in kinds.items() if c in judged or suggests(kind, clues[c]))
    return Standing(profiles, frozenset(found))
