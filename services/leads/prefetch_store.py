"""The one prefetch that rules read: views of many subjects at once, in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from services.leads.access import Sight, Standing
from services.leads.clock import ms
from services.leads.picture_store import Entity, Picture, picture
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


Newest = Mapping[str, Sequence[tuple[int, str, str]]]
"""Event time, report and role of each profile's newest mentions."""


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


def views(
    conn: Connection,
    subjects: Sequence[Entity],
    sight: Sight | None,
    now: datetime,
    *,
    hops: int = 2,
    own: Newest | None = None,
) -> list[tuple[View, frozenset[int]]]:
    """Each subject's view, with the audiences of everything that took part in it, seen or not.

    ``own`` are the subjects' newest mentions, where the caller has them. Bounded: the newest ``REPORTS``
    reports, ``NEIGHBOURS`` neighbours with their newest ``LINKS`` links.
    """
    now_ms = ms(now)
    own = newest_of(conn, subjects, now_ms) if own is None else own
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


def newest_of(conn: Connection, subjects: Iterable[Entity], now_ms: int) -> Newest:
    """The newest mentions of these subjects, as many as a view holds."""
    return newest_mentions(conn, [p for e in subjects for p in e.profile_ids], REPORTS, now_ms)


def _newest_reports(entity: Entity, own: Newest) -> list[str]:
    """The entity's newest reports, newest first."""
    at = {r: t for p in entity.profile_ids for t, r, _ in own.get(p, ())}
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
    entities = {i: entity_of[i].view for i in sorted(ids | {subject.entity_id})}
    took_part = {m.profile_id for m in mentions} | {p for x in rows for p in (x.source, x.target)}
    groups = {shared.picture.groups.get(p) for p in took_part | set(subject.profile_ids)}
    audiences = frozenset(a for g in groups if g is not None for a in shared.picture.audiences[g])
    told = tuple(shared.reports[r] for r in reversed(chosen))
    return View(entities[subject.entity_id], told, sightings, entities, links, now), audiences
