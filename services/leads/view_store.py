"""What to evaluate: the views of each due component's subjects, once for all or for every visible part."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.leads.access import Sight
from services.leads.clock import ms
from services.leads.due_store import Due
from services.leads.picture_store import Entity, Picture, members_ever, of_components
from services.leads.prefetch_store import newest_of, view, views
from services.leads.report_store import origins
from services.leads.screen import Summary, is_suspect, worth_a_look
from services.leads.sets import NOBODY, OPEN_SET, Combination, parts, set_id
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


def evaluations(conn: Connection, dues: Sequence[Due], now: datetime, *, hops: int = 2) -> list[Evaluation]:
    """What to evaluate for these components: once where all is open, else once for each visible part.

    Every part is computed from what it may see alone. Remembers which audiences took part, so that a
    viewer's sets, and what a new clearance makes due, are known.
    """
    now_ms = ms(now)
    whole = of_components(conn, [d.component_id for d in dues], None, now_ms)
    groups = {m.component_id: g for g, ms_ in whole.members.items() for m in ms_}
    subjects = _worth_a_look(conn, whole, now_ms)
    combinations: dict[int, Combination] = dict(whole.audiences)
    found: dict[int, list[tuple[int, View]]] = defaultdict(list)
    first = list(zip(subjects, views(conn, subjects, None, now, hops=hops), strict=True))
    for entity, (_, audiences) in first:
        combinations[whole.groups[entity.entity_id]] |= audiences
    for entity, (seen, _) in first:
        g = whole.groups[entity.entity_id]
        if combinations[g] <= NOBODY:
            found[g].append((OPEN_SET, seen))
    closed = {g: c for g, c in combinations.items() if not c <= NOBODY}
    if closed:
        _by_part(conn, whole, closed, found, (now, hops))
    note_combinations(conn, {c: closed.get(g, NOBODY) for c, g in groups.items()})
    profiles = _profiles(conn, dues, whole)
    return [
        Evaluation(
            d,
            profiles[d.component_id],
            tuple(found[groups[d.component_id]]) if d.component_id in groups else (),
        )
        for d in dues
    ]


def _worth_a_look(conn: Connection, whole: Picture, now_ms: int) -> list[Entity]:
    """The entities that may be subjects; of groups that are open throughout, those for which a rule may fire.

    Others see other reports than the whole has, so nothing follows for them from summing these up.
    """
    subjects = [e for e in whole.entities() if e.may_be_subject]
    seen_by_all = [e for e in subjects if whole.audiences[whole.groups[e.entity_id]] <= NOBODY]
    own = newest_of(conn, seen_by_all, now_ms)
    told = origins(conn, {r for rows in own.values() for _, r, _ in rows})
    dull = set()
    for e in seen_by_all:
        mentions = [(role, told[r]) for p in e.profile_ids for _, r, role in own.get(p, ())]
        summary = Summary(
            e.kind,
            frozenset(origin[0] for _, origin in mentions),
            frozenset(origin[1] for _, origin in mentions),
            frozenset(origin[2] for _, origin in mentions),
            any(is_suspect(role, predicated=origin[3]) for role, origin in mentions),
        )
        if not worth_a_look(summary):
            dull.add(e.entity_id)
    return [e for e in subjects if e.entity_id not in dull]


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


def _by_part(
    conn: Connection,
    whole: Picture,
    closed: dict[int, Combination],
    found: dict[int, list[tuple[int, View]]],
    when: tuple[datetime, int],
) -> None:
    """Add the views of groups that are not open throughout, one for each distinct visible part.

    A part may reach beyond what the whole reached (older reports, within the bounds); then the group's
    combination grows, and its parts are worked out again.
    """
    sights = known_sights(conn)
    waiting = dict(closed)
    while waiting:
        wanted: dict[Sight, set[int]] = defaultdict(set)
        for g, combination in waiting.items():
            for part in parts(combination, sights).values():
                wanted[part].add(g)
        grown: dict[int, Combination] = {}
        results: dict[int, list[tuple[Sight, View]]] = defaultdict(list)
        for part, gs in wanted.items():
            for g, seen, audiences in _part_views(conn, whole, gs, part, when):
                results[g].append((part, seen))
                if not audiences <= waiting[g]:
                    grown[g] = grown.get(g, waiting[g]) | audiences
        for g in waiting.keys() - grown.keys():
            closed[g] = waiting[g]
            found[g] = [(set_id(waiting[g], part), seen) for part, seen in results[g]]
        waiting = grown


def _part_views(
    conn: Connection, whole: Picture, groups: Iterable[int], part: Sight, when: tuple[datetime, int]
) -> list[tuple[int, View, frozenset[int]]]:
    """The views of every possible subject of these groups, as ``part`` sees them."""
    components = {m.component_id for g in groups for m in whole.members[g]}
    seen = of_components(conn, components, part, ms(when[0]))
    subjects = [e for e in seen.entities() if e.may_be_subject]
    return [
        (whole.groups[e.entity_id], v, audiences)
        for e, (v, audiences) in zip(
            subjects, views(conn, subjects, part, when[0], hops=when[1]), strict=True
        )
    ]
