"""What a batch of the projection makes due: components whose leads may now be others."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from services.leads.changes import Changes
from services.leads.clock import NO_REPORT
from services.leads.clue_store import standing
from services.leads.due_store import mark, waiting
from services.leads.entity import Member, most_written
from services.leads.lead_tables import lead
from services.leads.report_store import newest_mentions
from services.leads.tables import member, mention
from shared.database import fetch

_NEAR: Final = 200
"""Newest reports of a profile whose other entities are evaluated again when its entity changes."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What a batch did: its profiles' rows before (those that there were) and after, the components that
    some profile left, and the profiles judged.
    """

    before: Mapping[str, Member]
    after: Mapping[str, Mapping[str, Any]]
    left: Collection[str]
    judged: Collection[str]


def touch(conn: Connection, changes: Changes, batch: Touched, now_ms: int) -> None:
    """Mark what the batch touched, and the neighbours of entities that look different now."""
    found = dict.fromkeys(batch.left, NO_REPORT)
    changes.touch(batch.judged, NO_REPORT)
    for p, accepted in changes.accepted.items():
        c = batch.after[p]["component_id"]
        found[c] = min(accepted, found.get(c, NO_REPORT))
    for p, row in changes.profiles.items():
        if not row["kind"]:
            found[p] = min(changes.accepted.get(p, NO_REPORT), found.get(p, NO_REPORT))
    shaken = changes.shaken | {batch.after[p]["component_id"] for p in batch.judged}
    for c in _around(conn, shaken, batch, now_ms):
        found.setdefault(c, NO_REPORT)
    mark(conn, _that_matter(conn, found))


def _that_matter(conn: Connection, found: Mapping[str, int]) -> dict[str, int]:
    """Without those of which no rule can make a lead, and about which there is none.

    One that waits already is kept: whoever evaluates it now may be about to make a lead of what it was.
    """
    there = waiting(conn, found)
    known = standing(conn, found)
    dull = {c: {c, *known.profiles[c]} for c in found.keys() - known.promising - there.keys()}
    subjects = {p for profiles in dull.values() for p in profiles}
    told = {s for (s,) in fetch(conn, lead, ("subject",), "subject", subjects)}
    return {c: at for c, at in found.items() if c not in dull or not told.isdisjoint(dull[c])}


def _around(conn: Connection, components: Iterable[str], batch: Touched, now_ms: int) -> set[str]:
    """The components mentioned in the newest reports of the profiles of those that look different."""
    inside: dict[str, list[Member]] = defaultdict(list)
    for m in map(Member._make, fetch(conn, member, Member._fields, "component_id", components)):
        inside[m.component_id].append(m)
    profiles = [
        m.profile_id for members in inside.values() if _differs(members, batch, now_ms) for m in members
    ]
    newest = newest_mentions(conn, profiles, _NEAR, 0)
    reports = {r for rows in newest.values() for _, r, _ in rows}
    near = {p for (p,) in fetch(conn, mention, ("profile_id",), "report_id", reports)}
    return {c for (c,) in fetch(conn, member, ("component_id",), "profile_id", near)}


def _differs(members: list[Member], batch: Touched, now_ms: int) -> bool:
    """Whether others may see a component as something else than before the batch.

    Not if it was and is one entity for whoever sees any of it, by the same id and label, which new profiles
    alone have joined; their own reports' mentions are touched anyway.
    """
    component = members[0].component_id
    if component in batch.left or not all(_is_plain(m, now_ms) for m in members):
        return True
    before = []
    for m in members:
        if m.profile_id not in batch.after:
            before.append(m)
        elif (was := batch.before.get(m.profile_id)) is not None and was.kind:
            if was.component_id != component or not _is_plain(was, now_ms):
                return True
            before.append(was)
    return not before or len({m.audience_id for m in members}) > 1 or _look(before) != _look(members)


def _is_plain(m: Member, now_ms: int) -> bool:
    """Whether nothing but its component decides how a profile is seen."""
    return bool(m.kind) and m.until_ms > now_ms and not (m.split or m.judged or m.mask_until_ms)


def _look(members: list[Member]) -> tuple[str, str, str]:
    """Id, kind and label of the entity that plain members of one audience are."""
    counts: Counter[str] = Counter()
    for m in members:
        counts.update(orjson.loads(m.labels))
    first = min(members, key=lambda m: m.profile_id)
    return first.profile_id, first.kind, most_written(counts)
