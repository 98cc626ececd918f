"""The one prefetch that rules read: views of many subjects at once, in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from services.leads.access import Sight, Standing
from services.leads.clock import ms
from services.leads.entity import Entity
from services.leads.picture_store import Ground
from services.leads.report_store import (
    LinkRow,
    MentionRow,
    dashed,
    links_of,
    mentions_of,
    newest_links,
    newest_mentions,
    reports,
)
from services.leads.view import LinkView, Sighting, View
from shared.contracts.entities import RelationType
from shared.contracts.report import Report

REPORTS: Final = 200
"""Newest reports of a subject that its view holds."""
NEIGHBOURS: Final = 40
"""Entities of a subject's newest reports whose own links are followed to the second hop."""
LINKS: Final = 20
"""Newest links of each profile of such a neighbour that are followed, in each direction."""
_TYPES: Final = {str(t): t for t in RelationType}


class Told(NamedTuple):
    """What one report says, as one sight sees it; ``groups`` of all that takes part in it, seen or not."""

    report: Report
    sightings: tuple[Sighting, ...]
    links: tuple[tuple[tuple[str, int], LinkView], ...]
    entity_ids: frozenset[str]
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Prefetch:
    """What the views of one batch share; ``beyond`` are the links of neighbours, by profile."""

    ground: Ground
    entity_of: Mapping[str, Entity]
    by_id: Mapping[str, Entity]
    told: Mapping[str, Told]
    mentions: Mapping[str, list[MentionRow]]
    beyond: Mapping[str, list[LinkRow]]


def view(conn: Connection, subject: str, sight: Sight | None, now: datetime) -> View | None:
    """The view of the entity that holds the profile ``subject``; None where this sight has none."""
    ground = Ground(conn, ms(now))
    found = ground.picture(ground.around([subject]), sight).entity_of.get(subject)
    return None if found is None else views(conn, [found], sight, now, ground)[0][0]


def views(
    conn: Connection,
    subjects: Sequence[Entity],
    sight: Sight | None,
    now: datetime,
    ground: Ground,
    *,
    hops: int = 2,
) -> list[tuple[View, frozenset[int]]]:
    """Each subject's view, with the audiences of everything that took part in it, seen or not.

    Bounded: the newest ``REPORTS`` reports, ``NEIGHBOURS`` neighbours with their newest ``LINKS`` links.
    ``ground`` is what the transaction has read so far.
    """
    now_ms = ms(now)
    own = newest_mentions(conn, [p for e in subjects for p in e.profile_ids], REPORTS, now_ms)
    chosen = {e.entity_id: _newest_reports(e, own) for e in subjects}
    wanted = sorted({r for rs in chosen.values() for r in rs})
    mentions, links = mentions_of(conn, wanted), links_of(conn, wanted)
    near = {m.profile_id for rows in mentions.values() for m in rows}
    groups = ground.around(near | {p for e in subjects for p in e.profile_ids})
    entity_of = ground.picture(groups, sight).entity_of
    beyond: dict[str, list[LinkRow]] = defaultdict(list)
    if hops > 1:
        neighbours = {p for e in subjects for p in _neighbours(e, chosen[e.entity_id], mentions, entity_of)}
        for x in newest_links(conn, neighbours, LINKS, now_ms):
            beyond[x.source].append(x)
            beyond[x.target].append(x)
        groups |= ground.around({p for x in beyond.values() for row in x for p in (row.source, row.target)})
        entity_of = ground.picture(groups, sight).entity_of
    told = {
        r: _told(report, mentions[r], links[r], ground, entity_of)
        for r, report in reports(conn, wanted, now_ms).items()
    }
    by_id = {e.entity_id: e for e in entity_of.values()}
    shared = _Prefetch(ground, entity_of, by_id, told, mentions, beyond)
    return [_view(e, chosen[e.entity_id], shared, now) for e in subjects]


def _newest_reports(entity: Entity, own: Mapping[str, Sequence[tuple[int, str, str]]]) -> list[str]:
    """The entity's newest reports, newest first."""
    at = {r: t for p in entity.profile_ids for t, r, _ in own.get(p, ())}
    return sorted(at, key=lambda r: (-at[r], r))[:REPORTS]


def _neighbours(
    subject: Entity,
    chosen: Iterable[str],
    mentions: Mapping[str, list[MentionRow]],
    entity_of: Mapping[str, Entity],
) -> list[str]:
    """The profiles of the entities that the subject's newest reports mention, bounded."""
    near: dict[str, Entity] = {}
    for r in chosen:
        for m in mentions[r]:
            entity = entity_of.get(m.profile_id)
            if entity is not None and not m.standing & Standing.PROTECTED:
                near.setdefault(entity.entity_id, entity)
    near.pop(subject.entity_id, None)
    return [p for e in list(near.values())[:NEIGHBOURS] for p in e.profile_ids]


def _told(
    report: Report,
    mentions: Iterable[MentionRow],
    links: Iterable[LinkRow],
    ground: Ground,
    entity_of: Mapping[str, Entity],
) -> Told:
    """What a report says, of mentions of victims and witnesses nothing."""
    shown = [m for m in mentions if not m.standing & Standing.PROTECTED]
    sightings = tuple(
        Sighting(report.report_id, m.local_id, entity_of[m.profile_id].entity_id, m.role)
        for m in shown
        if m.profile_id in entity_of
    )
    linked, took_part = _links(links, entity_of), {m.profile_id for m in shown}
    for x in links:
        took_part.update((x.source, x.target))
    ids = {s.entity_id for s in sightings}
    for _, link in linked:
        ids.update((link.source, link.target))
    groups = {g for p in took_part if (g := ground.group_of(p)) is not None}
    return Told(report, sightings, linked, frozenset(ids), frozenset(groups))


def _links(
    rows: Iterable[LinkRow], entity_of: Mapping[str, Entity]
) -> tuple[tuple[tuple[str, int], LinkView], ...]:
    """Links between entities that are seen, each with its place in the order of a view's links."""
    return tuple(
        (
            (x.report_id, x.ordinal),
            LinkView(
                entity_of[x.source].entity_id,
                entity_of[x.target].entity_id,
                _TYPES[x.type],
                x.confidence / 1000,
                dashed(x.report_id),
            ),
        )
        for x in rows
        if x.source in entity_of and x.target in entity_of
    )


def _view(
    subject: Entity, chosen: list[str], shared: _Prefetch, now: datetime
) -> tuple[View, frozenset[int]]:
    """One subject's view out of what the batch fetched, and the audiences that took part in it."""
    told = [t for r in chosen if (t := shared.told.get(r)) is not None]
    links = dict(link for t in told for link in t.links)
    ids = {subject.entity_id}.union(*(t.entity_ids for t in told))
    groups = {g for p in subject.profile_ids if (g := shared.ground.group_of(p))}.union(
        *(t.groups for t in told)
    )
    if shared.beyond:
        around = _neighbours(subject, chosen, shared.mentions, shared.entity_of)
        rows = [x for p in around for x in shared.beyond.get(p, ())]
        further = _links(rows, shared.entity_of)
        links.update(further)
        ids.update(i for _, x in further for i in (x.source, x.target))
        ends = {p for x in rows for p in (x.source, x.target)}
        groups.update(g for p in ends if (g := shared.ground.group_of(p)) is not None)
    entities = {i: shared.by_id[i].view for i in sorted(ids)}
    audiences = frozenset(a for g in groups for a in shared.ground.groups[g].audiences)
    seen = View(
        entities[subject.entity_id],
        tuple(t.report for t in reversed(told)),
        tuple(s for t in told for s in t.sightings),
        entities,
        tuple(links[place] for place in sorted(links)),
        now,
    )
    return seen, audiences
