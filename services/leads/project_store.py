"""Writes a batch of the projection: bulk statements, one transaction, the newest state of every key holds.

One projector writes at a time, so that what it reads stays true until it commits.
"""

from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, select, update

from services.leads import tables
from services.leads.access import Standing
from services.leads.changes import Changes, Row, search_rows
from services.leads.clock import NO_REPORT
from services.leads.due_store import mark
from services.leads.report_store import newest_mentions, pack
from shared.database import advisory_lock, delete_rows, fetch, insert_rows, upsert

_LOCK: Final = 0x1D_7E_41_0D
_NEAR: Final = 200
"""Newest reports of a profile whose other entities are evaluated again when its entity changes."""
_CHUNK: Final = 2_000
_ALL: Final = range(8)
_UNTIL: Final = {
    "until_ms": frozenset(_ALL),
    "search_until_ms": frozenset(s for s in _ALL if not s & (Standing.NCII | Standing.JUVENILE)),
    "subject_until_ms": frozenset(s for s in _ALL if not s & (Standing.PROTECTED | Standing.NCII)),
    "mask_until_ms": frozenset(s for s in _ALL if s & Standing.JUVENILE),
}
"""Which standings of a profile's mentions count for each of its times."""


def apply(conn: Connection, changes: Changes) -> None:
    """Write a batch and mark what it touches as due."""
    advisory_lock(conn, _LOCK)
    audiences = [{"audience_id": i, "key": key} for i, key in changes.audiences.items()]
    upsert(conn, tables.audience, audiences, update=[])
    upsert(conn, tables.model, list(changes.models.values()), newer="version")
    fresh = _reports(conn, changes)
    _profiles(conn, changes)
    left = _members(conn, changes)
    _pairs(conn, changes)
    judged = _judgements(conn, changes)
    _times(conn, changes, fresh)
    _mark(conn, changes, left, judged)


def _reports(conn: Connection, changes: Changes) -> dict[str, list[str]]:
    """Replace the reports that are newer than stored; the profiles that a replaced version mentioned."""
    rows = changes.reports
    stored = dict(fetch(conn, tables.report, ("report_id", "version"), "report_id", rows))
    fresh: dict[str, list[str]] = {r: [] for r, row in rows.items() if stored.get(r, -1) < row["version"]}
    replaced = [r for r in fresh if r in stored]
    if replaced:
        for r, p in fetch(conn, tables.mention, ("report_id", "profile_id"), "report_id", replaced):
            fresh[r].append(p)
            changes.touch([p], changes.report_accepted[r])
        for table in (tables.mention, tables.link):
            delete_rows(conn, table, [{"report_id": r} for r in replaced])
    packed = [rows[r] | {"body": pack(rows[r]["body"]) if rows[r]["body"] else None} for r in fresh]
    upsert(conn, tables.report, packed)
    insert_rows(conn, tables.mention, [m for r in sorted(fresh) for m in changes.mentions[r]])
    insert_rows(conn, tables.link, [x for r in sorted(fresh) for x in changes.links[r]])
    return fresh


def _profiles(conn: Connection, changes: Changes) -> None:
    """Write new profiles and empty those that are gone, with their search indexes."""
    columns = ("profile_id", "version", "kind")
    found = fetch(conn, tables.profile, columns, "profile_id", changes.profiles)
    stored = {p: (version, kind) for p, version, kind in found}
    write, renew, came, went = [], [], [], []
    for p, row in changes.profiles.items():
        version, kind = stored.get(p, (-1, ""))
        if row["version"] <= version:
            continue
        if row["kind"] and kind:
            renew.append({"p": p, "v": row["version"]})
            continue
        write.append(row)
        if row["kind"]:
            came.append(row)
        elif kind:
            went.append(p)
    upsert(conn, tables.profile, write)
    if renew:
        t = tables.profile
        conn.execute(update(t).where(t.c.profile_id == bindparam("p")).values(version=bindparam("v")), renew)
    for table in (tables.identifier, tables.name):
        delete_rows(conn, table, [{"profile_id": p} for p in went])
    numbers, names = zip(*map(search_rows, came), strict=True) if came else ((), ())
    upsert(conn, tables.identifier, [x for rows in numbers for x in rows], update=[])
    upsert(conn, tables.name, [x for rows in names for x in rows], update=[])


def _members(conn: Connection, changes: Changes) -> set[str]:
    """Write where profiles stand now; the components that they left."""
    judged = {p for row in changes.judgements.values() if row for p in (row["a"], row["b"])}
    mentioned = {m["profile_id"] for rows in changes.mentions.values() for m in rows}
    alone = sorted((mentioned | judged | changes.profiles.keys()) - changes.members.keys())
    rows = [{"profile_id": p, "component_id": p, "split": False, "version": 0} for p in alone]
    upsert(conn, tables.member, rows, update=[])
    columns = ("profile_id", "component_id", "version")
    left = set()
    for p, c, version in fetch(conn, tables.member, columns, "profile_id", changes.members):
        if c != changes.members[p]["component_id"]:
            left.add(c)
        if version > 0:
            changes.shaken.add(changes.members[p]["component_id"])
    upsert(conn, tables.member, list(changes.members.values()), newer="version")
    return left


def _pairs(conn: Connection, changes: Changes) -> None:
    """Write pairs, and delete those that a newer state of one of their profiles has made void."""
    upsert(conn, tables.pair, list(changes.pairs.values()), newer="version")
    ids = sorted(changes.members.keys() | {p for pair in changes.pairs for p in pair})
    pair, member = tables.pair, tables.member
    for chunk in _chunks(ids):
        for end in (pair.c.a, pair.c.b):
            newest = select(member.c.version).where(member.c.profile_id == end).scalar_subquery()
            conn.execute(delete(pair).where(end.in_(chunk), pair.c.version < newest))


def _judgements(conn: Connection, changes: Changes) -> set[str]:
    """Write judgements; one that was withdrawn stays so. The profiles that they name."""
    table = tables.judgement
    columns = ("judgement_id", "a", "b", "body")
    stored = {r[0]: r[1:] for r in fetch(conn, table, columns, "judgement_id", changes.judgements)}
    judged: set[str] = set()
    write, withdrawn = [], []
    for j, row in changes.judgements.items():
        if row is not None and j not in stored:
            write.append(row)
            judged.update((row["a"], row["b"]))
        elif (row is None or row["body"] is None) and j in stored and stored[j][2] is not None:
            withdrawn.append({"j": j})
            judged.update(stored[j][:2])
    upsert(conn, table, write)
    if withdrawn:
        where = table.c.judgement_id == bindparam("j")
        conn.execute(update(table).where(where).values(body=None), withdrawn)
    _flag(conn, judged)
    return judged


def _flag(conn: Connection, judged: Collection[str]) -> None:
    member = tables.member
    for chunk in _chunks(sorted(judged)):
        conn.execute(update(member).where(member.c.profile_id.in_(chunk)).values(judged=True))


def _times(conn: Connection, changes: Changes, fresh: dict[str, list[str]]) -> None:
    """Keep how long each profile may be seen, searched, be a subject, or is a juvenile's."""
    lost = {p for profiles in fresh.values() for p in profiles}
    gained: dict[str, dict[str, int]] = {}
    for r in fresh:
        for m in changes.mentions[r]:
            times = gained.setdefault(m["profile_id"], dict.fromkeys(_UNTIL, 0))
            for column, standings in _UNTIL.items():
                if m["standing"] in standings:
                    times[column] = max(times[column], m["until_ms"])
    names = tuple(_UNTIL)
    stored = fetch(conn, tables.member, ("profile_id", *names), "profile_id", gained.keys() - lost)
    rows = []
    for p, *old in stored:
        new = {name: max(o, gained[p][name]) for name, o in zip(names, old, strict=True)}
        if list(new.values()) != old:
            rows.append({"p": p, **new})
    rows += _counted(conn, sorted(lost))
    if rows:
        member = tables.member
        conn.execute(
            update(member)
            .where(member.c.profile_id == bindparam("p"))
            .values({name: bindparam(name) for name in names}),
            rows,
        )


def _counted(conn: Connection, profile_ids: list[str]) -> list[Row]:
    """The times of profiles worked out from all their mentions: one index lookup a standing."""
    member, mention = tables.member.c, tables.mention.c
    rows: dict[str, Row] = {p: {"p": p, **dict.fromkeys(_UNTIL, 0)} for p in profile_ids}
    for chunk in _chunks(profile_ids):
        for standing in _ALL:
            longest = (
                select(func.max(mention.until_ms))
                .where(mention.profile_id == member.profile_id, mention.standing == standing)
                .correlate(tables.member)
                .scalar_subquery()
            )
            found = conn.execute(select(member.profile_id, longest).where(member.profile_id.in_(chunk)))
            for p, until in found:
                for column, standings in _UNTIL.items():
                    if standing in standings and until is not None:
                        rows[p][column] = max(rows[p][column], until)
    return list(rows.values())


def _mark(conn: Connection, changes: Changes, left: set[str], judged: set[str]) -> None:
    """Mark what the batch touched, and the neighbours of entities that may look different now."""
    due = dict.fromkeys(left, NO_REPORT)
    changes.touch(judged, NO_REPORT)
    shaken = set(changes.shaken)
    for p, c in fetch(conn, tables.member, ("profile_id", "component_id"), "profile_id", changes.accepted):
        due[c] = min(changes.accepted[p], due.get(c, NO_REPORT))
        if p in judged:
            shaken.add(c)
    for p, row in changes.profiles.items():
        if not row["kind"]:
            due[p] = changes.accepted.get(p, NO_REPORT)
    for c in _around(conn, shaken):
        due.setdefault(c, NO_REPORT)
    mark(conn, due)


def _around(conn: Connection, components: Iterable[str]) -> set[str]:
    """The components mentioned in the newest reports of these components' profiles."""
    table = tables.member
    inside = [p for (p,) in fetch(conn, table, ("profile_id",), "component_id", components)]
    newest = newest_mentions(conn, inside, _NEAR, 0)
    reports = {r for rows in newest.values() for _, r in rows}
    near = {p for (p,) in fetch(conn, tables.mention, ("profile_id",), "report_id", reports)}
    return {c for (c,) in fetch(conn, table, ("component_id",), "profile_id", near)}


def _chunks(ids: list[str]) -> Iterable[list[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
