"""What to evaluate: the views of each due component's subjects, once for all or for every visible part."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.leads.access import Sight
from services.leads.clock import ms
from services.leads.clue_store import standing
from services.leads.due_store import Due
from services.leads.picture_store import Ground
from services.leads.prefetch_store import view, views
from services.leads.screen import suggests
from services.leads.sets import NOBODY, Combination, representatives, set_id
from services.leads.sight_store import known_sights, note_combinations
from services.leads.tables import member
from services.leads.view import View
from shared.database import fetch

__all__ = ["Evaluation", "evaluations", "view"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What to evaluate for one due component.

    ``views`` pairs a set's id with the view of one entity as that set's viewers see it. ``subjects`` are
    all the profiles concerned: a lead about one of them that no view gives any more is to be retired.
    """

    due: Due
    subjects: frozenset[str]
    views: tuple[tuple[int, View], ...]


@dataclass(slots=True)
class _Work:
    """A batch in progress: by group its combination so far and what each sight saw."""

    now: datetime
    hops: int
    ground: Ground
    combinations: dict[str, Combination]
    seen: dict[str, dict[Sight, list[View]]]


def evaluations(conn: Connection, dues: Sequence[Due], now: datetime, *, hops: int = 2) -> list[Evaluation]:
    """What to evaluate for these components: once where all is open, else once for each visible part.

    Every part is computed from what it may see alone. Remembers which audiences took part, so that a
    viewer's sets, and what a new clearance makes due, are known. Components about which no rule may fire
    have no view.
    """
    stands = standing(conn, [d.component_id for d in dues])
    profiles = _concerned(conn, stands.profiles)
    work = _Work(now, hops, Ground(conn, ms(now)), {}, {})
    groups = work.ground.load(stands.promising)
    work.combinations = {g: work.ground.groups[g].audiences for g in groups}
    work.seen = {g: {} for g in groups}
    if groups:
        _look_all(conn, work)
    group_of: dict[str, str] = {}
    for g in groups:
        everyone = {m.profile_id for m in work.ground.groups[g].members}
        for c in {m.component_id for m in work.ground.groups[g].members}:
            group_of[c] = g
            if c in profiles:
                profiles[c] |= everyone
    note_combinations(conn, {c: work.combinations[g] for c, g in group_of.items()})
    return [
        Evaluation(d, frozenset(profiles[d.component_id]), _by_set(work, group_of.get(d.component_id)))
        for d in dues
    ]


def _concerned(conn: Connection, profiles: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """For each component the profiles that a lead to be retired may be about."""
    found = {c: set(inside) for c, inside in profiles.items()}
    # A component is called after a profile, which may have left for another: leads about it are theirs now.
    absent = [c for c, inside in found.items() if c not in inside]
    left = {p for (p,) in fetch(conn, member, ("profile_id",), "profile_id", absent)}
    for c in absent:
        if c not in left:
            found[c].add(c)
    return found


def _by_set(work: _Work, group: str | None) -> tuple[tuple[int, View], ...]:
    if group is None:
        return ()
    combination = work.combinations[group]
    return tuple(
        (set_id(combination, sight), view_) for sight, found in work.seen[group].items() for view_ in found
    )


def _look_all(conn: Connection, work: _Work) -> None:
    """Look at every group with a sight for each of its visible parts, until no group grows any more."""
    sights = [NOBODY, *known_sights(conn)]
    waiting = set(work.combinations)
    while waiting:
        before = {g: work.combinations[g] for g in waiting}
        for sight, groups in _parts_to_see(work, before, sights):
            _look(conn, work, sight, groups)
        waiting = {g for g in waiting if work.combinations[g] != before[g]}


def _parts_to_see(
    work: _Work, combinations: Mapping[str, Combination], sights: Sequence[Sight]
) -> list[tuple[Sight, set[str]]]:
    """For each sight the groups to look at with it, so that every distinct visible part is seen once."""
    found: dict[Sight, set[str]] = defaultdict(set)
    for g, combination in combinations.items():
        for sight in representatives(combination, sights):
            if sight not in work.seen[g]:
                found[sight].add(g)
    return list(found.items())


def _look(conn: Connection, work: _Work, sight: Sight, groups: Iterable[str]) -> None:
    """Add the views that a sight has of these groups' subjects.

    A group's combination grows by the audiences of everything that takes part, seen or not: where it does,
    the group may have further parts.
    """
    for g in groups:
        work.seen[g][sight] = []
    everyone = work.ground.picture(groups, sight).entities()
    subjects = [e for e in everyone if e.may_be_subject and suggests(e.kind, [m.clues for m in e.members])]
    for e, (view_, audiences) in zip(
        subjects, views(conn, subjects, sight, work.now, work.ground, hops=work.hops), strict=True
    ):
        group = work.ground.group_of(e.entity_id)
        assert group is not None, "the entity comes from a group"
        work.seen[group][sight].append(view_)
        work.combinations[group] |= audiences
