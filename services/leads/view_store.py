"""The one prefetch that rules read: views of many subjects at once, in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from services.leads.access import Sight, Standing
from services.leads.clock import ms
from services.leads.due_store import Due
from services.leads.picture_store import Entity, Picture, members_ever, of_components, picture
from services.leads.report_store import (
    LinkRow,
    MentionRow,
    dashed,
    links_of,
    mentions_of,
    newest_links,
    newest_mentions,
    reports,
)  # fmt: skip
from services.leads.sets import Combination, parts, set_id
from services.leads.sight_store import known_sights, note_combinations
from services.leads.view import EntityView, LinkView, Sighting, View
from shared.contracts.entities import RelationType
from shared.contracts.report import Report

REPORTS: Final = 200
"""Newest reports of a subject that its view holds."""
NEIGHBOURS: Final = 40
"""Entities of a subject's newest reports whose own links are followed to the second hop."""
LINKS: Final = 20
"""Newest links of each profile of such a neighbour that are followed, in each direction."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What to evaluate for one due component.

    ``views`` pairs a set's id with the view of one entity as that set's viewers see it. ``subjects`` are
    all the profiles concerned: a lead about one of them that no view gives any more is to be retired.
    """

    due: Due
    subjects: frozenset[str]
    views: tuple[tuple[int, View], ...]


@dataclass(frozen=True, slots=True)
class _Prefetch:
    """What the views of one batch share; ``beyond`` are the links of neighbours, by profile."""

    picture: Picture
    reports: Mapping[str, Report]
    mentions: Mapping[str, list[MentionRow]]
    links: Mapping[str, list[LinkRow]]
    beyond: Mapping[str, list[LinkRow]]


def view(conn: Connection, subject: str, sight: Sight | None, now: datetime) -> View | None:
    """The view of the entity that holds the profile ``subject``; None where this sight has none."""
    found = picture(conn, [subject], sight, ms(now)).entity_of.get(subject)
    return None if found is None else views(conn, [found], sight, now)[0][0]


def evaluations(conn: Connection, dues: Sequence[Due], now: datetime, *, hops: int = 2) -> list[Evaluation]:
    """What to evaluate for these components: once where all is open, else once for each visible part.

    Every part is computed from what it may see alone. Remembers which audiences took part, so that a
    viewer's sets, and what a new clearance makes due, are known.
    """
    now_ms = ms(now)
    whole = of_components(conn, [d.component_id for d in dues], None, now_ms)
    groups = {m.component_id: g for g, ms_ in whole.members.items() for m in ms_}
    subjects = [e for e in whole.entities() if e.may_be_subject]
    combinations: dict[int, Combination] = dict(whole.audiences)
    found: dict[int, list[tuple[int, View]]] = defaultdict(list)
    first = list(zip(subjects, views(conn, subjects, None, now, hops=hops), strict=True))
    for entity, (_, audiences) in first:
        combinations[whole.groups[entity.entity_id]] |= audiences
    for entity, (seen, _) in first:
        g = whole.groups[entity.entity_id]
        if combinations[g] <= {0}:
            found[g].append((set_id(combinations[g], frozenset({0})), seen))
    closed = {g: c for g, c in combinations.items() if not c <= {0}}
    if closed:
        _by_part(conn, whole, closed, found, (now, hops))
    note_combinations(conn, {c: closed.get(g, frozenset({0})) for c, g in groups.items()})
    everyone: dict[str, set[str]] = defaultdict(set)
    for p, c in members_ever(conn, [d.component_id for d in dues]):
        everyone[c].add(p)
    result = []
    for d in dues:
        group, profiles = groups.get(d.component_id), everyone[d.component_id] | {d.component_id}
        if group is not None:
            profiles.update(m.profile_id for m in whole.members[group])
        seen_by = tuple(found[group]) if group is not None else ()
        result.append(Evaluation(d, frozenset(profiles), seen_by))
    return result


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


def views(
    conn: Connection, subjects: Sequence[Entity], sight: Sight | None, now: datetime, *, hops: int = 2
) -> list[tuple[View, frozenset[int]]]:
    """Each subject's view, with the audiences of everything that took part in it, seen or not.

    Bounded: the newest ``REPORTS`` reports, ``NEIGHBOURS`` neighbours with their newest ``LINKS`` links.
    """
    now_ms = ms(now)
    own = newest_mentions(conn, [p for e in subjects for p in e.profile_ids], REPORTS, now_ms)
    chosen = {e.entity_id: _newest_reports(e, own) for e in subjects}
    wanted = sorted({r for rs in chosen.values() for r in rs})
    mentions, links = mentions_of(conn, wanted), links_of(conn, wanted)
    near = {m.profile_id for rows in mentions.values() for m in rows}
    known = picture(conn, near | {p for e in subjects for p in e.profile_ids}, sight, now_ms)
    beyond: dict[str, list[LinkRow]] = defaultdict(list)
    if hops > 1:
        neighbours = {p for e in subjects for p in _neighbours(e, chosen[e.entity_id], mentions, known)}
        for x in newest_links(conn, neighbours, LINKS, now_ms):
            beyond[x.source].append(x)
            beyond[x.target].append(x)
        far = {p for x in beyond.values() for row in x for p in (row.source, row.target)}
        if far - known.groups.keys():
            known = picture(conn, known.groups.keys() | far, sight, now_ms)
    shared = _Prefetch(known, reports(conn, wanted, now_ms), mentions, links, beyond)
    return [_view(e, chosen[e.entity_id], shared, now) for e in subjects]


def _newest_reports(entity: Entity, own: Mapping[str, list[tuple[int, str]]]) -> list[str]:
    """The entity's newest reports, newest first."""
    at = {r: t for p in entity.profile_ids for t, r in own.get(p, ())}
    return sorted(at, key=lambda r: (-at[r], r))[:REPORTS]


def _neighbours(
    subject: Entity, chosen: Iterable[str], mentions: Mapping[str, list[MentionRow]], known: Picture
) -> list[str]:
    """The profiles of the entities that the subject's newest reports mention, bounded."""
    near: dict[str, Entity] = {}
    for r in chosen:
        for m in mentions[r]:
            entity = known.entity_of.get(m.profile_id)
            if entity is not None and not m.standing & Standing.PROTECTED:
                near.setdefault(entity.entity_id, entity)
    near.pop(subject.entity_id, None)
    return [p for e in list(near.values())[:NEIGHBOURS] for p in e.profile_ids]


def _view(
    subject: Entity, chosen: list[str], shared: _Prefetch, now: datetime
) -> tuple[View, frozenset[int]]:
    """One subject's view out of what the batch fetched, and the audiences that took part in it."""
    entity_of = shared.picture.entity_of
    chosen = [r for r in chosen if r in shared.reports]
    mentions = [m for r in chosen for m in shared.mentions[r] if not m.standing & Standing.PROTECTED]
    sightings = tuple(
        Sighting(dashed(m.report_id), m.local_id, entity_of[m.profile_id].entity_id, m.role)
        for m in mentions
        if m.profile_id in entity_of
    )
    rows = [x for r in chosen for x in shared.links[r]]
    if shared.beyond:
        around = _neighbours(subject, chosen, shared.mentions, shared.picture)
        rows += [x for p in around for x in shared.beyond.get(p, ())]
    links = tuple(
        LinkView(
            entity_of[x.source].entity_id,
            entity_of[x.target].entity_id,
            RelationType(x.type),
            x.confidence / 1000,
            dashed(x.report_id),
        )
        for x in sorted(set(rows), key=lambda x: (x.report_id, x.ordinal))
        if x.source in entity_of and x.target in entity_of
    )
    ids = {s.entity_id for s in sightings} | {i for x in links for i in (x.source, x.target)}
    entities = {i: _entity_view(entity_of[i]) for i in sorted(ids | {subject.entity_id})}
    took_part = {m.profile_id for m in mentions} | {p for x in rows for p in (x.source, x.target)}
    groups = {shared.picture.groups.get(p) for p in took_part | set(subject.profile_ids)}
    audiences = frozenset(a for g in groups if g is not None for a in shared.picture.audiences[g])
    told = tuple(shared.reports[r] for r in reversed(chosen))
    return View(entities[subject.entity_id], told, sightings, entities, links, now), audiences


def _entity_view(entity: Entity) -> EntityView:
    return EntityView(entity.entity_id, entity.kind, entity.label, entity.features)
