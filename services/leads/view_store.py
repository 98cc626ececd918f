"""What to evaluate: the views of each due component's subjects, once for all or for every visible part."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.leads.access import Sight
from services.leads.clock import ms
from services.leads.due_store import Due
from services.leads.picture_store import Entity, Picture, members_ever, of_components
from services.leads.prefetch_store import Newest, newest_of, view, views
from services.leads.report_store import origins
from services.leads.screen import Summary, is_suspect, worth_a_look
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
    """A batch in progress: the whole's groups; by group its combination so far and what each sight saw."""

    now: datetime
    hops: int
    whole: Picture
    combinations: dict[int, Combination]
    seen: dict[int, dict[Sight, list[View]]]


def evaluations(conn: Connection, dues: Sequence[Due], now: datetime, *, hops: int = 2) -> list[Evaluation]:
    """What to evaluate for these components: once where all is open, else once for each visible part.

    Every part is computed from what it may see alone. Remembers which audiences took part, so that a
    viewer's sets, and what a new clearance makes due, are known.
    """
    whole = of_components(conn, [d.component_id for d in dues], None, ms(now))
    work = _Work(now, hops, whole, dict(whole.audiences), {g: {} for g in whole.audiences})
    sights = [NOBODY, *known_sights(conn)]
    waiting = set(work.combinations)
    while waiting:
        before = {g: work.combinations[g] for g in waiting}
        for sight, groups in _parts_to_see(work, before, sights):
            _look(conn, work, sight, groups)
        waiting = {g for g in waiting if work.combinations[g] != before[g]}
    group_of = {m.component_id: g for g, members in whole.members.items() for m in members}
    note_combinations(conn, {c: work.combinations[g] for c, g in group_of.items()})
    profiles = _profiles(conn, dues, whole)
    return [
        Evaluation(d, profiles[d.component_id], _by_set(work, group_of.get(d.component_id))) for d in dues
    ]


def _by_set(work: _Work, group: int | None) -> tuple[tuple[int, View], ...]:
    if group is None:
        return ()
    combination = work.combinations[group]
    return tuple(
        (set_id(combination, sight), view_) for sight, found in work.seen[group].items() for view_ in found
    )


def _parts_to_see(
    work: _Work, combinations: Mapping[int, Combination], sights: Sequence[Sight]
) -> list[tuple[Sight, set[int]]]:
    """For each sight the groups to look at with it, so that every distinct visible part is seen once."""
    found: dict[Sight, set[int]] = defaultdict(set)
    for g, combination in combinations.items():
        for sight in representatives(combination, sights):
            if sight not in work.seen[g]:
                found[sight].add(g)
    return list(found.items())


def _look(conn: Connection, work: _Work, sight: Sight, groups: set[int]) -> None:
    """Add the views that a sight has of these groups' subjects.

    A group's combination grows by the audiences of everything that takes part, seen or not: where it does,
    the group may have further parts.
    """
    now_ms = ms(work.now)
    for g in groups:
        work.seen[g][sight] = []
    components = {m.component_id for g in groups for m in work.whole.members[g]}
    seen = of_components(conn, components, sight, now_ms)
    subjects = [e for e in seen.entities() if e.may_be_subject]
    own = newest_of(conn, subjects, now_ms)
    subjects = _worth_a_look(conn, subjects, own)
    for e, (view_, audiences) in zip(
        subjects, views(conn, subjects, sight, work.now, hops=work.hops, own=own), strict=True
    ):
        g = work.whole.groups[e.entity_id]
        work.seen[g][sight].append(view_)
        work.combinations[g] |= audiences


def _worth_a_look(conn: Connection, subjects: Sequence[Entity], own: Newest) -> list[Entity]:
    """The subjects for which some rule may fire."""
    told = origins(conn, {r for rows in own.values() for _, r, _ in rows})
    found = []
    for e in subjects:
        mentions = [(role, told[r]) for p in e.profile_ids for _, r, role in own.get(p, ())]
        summary = Summary(
            e.kind,
            frozenset(origin[0] for _, origin in mentions),
            frozenset(origin[1] for _, origin in mentions),
            frozenset(origin[2] for _, origin in mentions),
            any(is_suspect(role, predicated=origin[3]) for role, origin in mentions),
        )
        if worth_a_look(summary):
            found.append(e)
    return found


def _profiles(conn: Connection, dues: Sequence[Due], whole: Picture) -> dict[str, frozenset[str]]:
    """For each due component the profiles that a lead to be retired may be about."""
    ids = [d.component_id for d in dues]
    found: dict[str, set[str]] = {i: set() for i in ids}
    for p, c in members_ever(conn, ids):
        found[c].add(p)
    # A component is called after a profile, which may have left for another: leads about it are theirs now.
    stays = {p: p == c for p, c in fetch(conn, member, ("profile_id", "component_id"), "profile_id", ids)}
    for i, profiles in found.items():
        if stays.get(i, True):
            profiles.add(i)
    for members in whole.members.values():
        everyone = {m.profile_id for m in members}
        for c in {m.component_id for m in members} & found.keys():
            found[c] |= everyone
    return {i: frozenset(profiles) for i, profiles in found.items()}
