"""Writes a batch of the projection: bulk statements, one transaction, the newest state of every key holds.

One projector writes at a time, so that what it reads stays true until it commits.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import orjson
from sqlalchemy import Connection, bindparam, delete, func, select, update

from services.leads import tables
from services.leads.access import Standing
from services.leads.changes import Changes, Row, search_rows
from services.leads.entity import POSSIBLE, Member, most_written
from services.leads.report_store import pack
from services.leads.screen import joined
from services.leads.touch_store import Touched, touch
from shared.database import advisory_lock, delete_rows, fetch, insert_rows, upsert

_LOCK: Final = 0x1D_7E_41_0D
_CHUNK: Final = 2_000
_ALL: Final = range(8)
_UNTIL: Final = {
    "until_ms": frozenset(_ALL),
    "search_until_ms": frozenset(s for s in _ALL if not s & (Standing.NCII | Standing.JUVENILE)),
    "subject_until_ms": frozenset(s for s in _ALL if not s & (Standing.PROTECTED | Standing.NCII)),
    "mask_until_ms": frozenset(s for s in _ALL if s & Standing.JUVENILE),
}
"""Which standings of a profile's mentions count for each of its times."""
_COLUMNS: Final = tuple(tuple(c for c, standings in _UNTIL.items() if s in standings) for s in _ALL)
"""The times that a mention of each standing counts for."""
_MEMBER: Final = Member._fields


Fresh = dict[str, list[tuple[str, str]]]
"""The reports of a batch that are newer than stored, with the profiles and labels they mentioned before."""


def apply(conn: Connection, changes: Changes, now_ms: int) -> None:
    """Write a batch and mark what it touches as due; ``now_ms``: who has expired by now is not seen."""
    advisory_lock(conn, _LOCK)
    audiences = [{"audience_id": i, "key": key} for i, key in changes.audiences.items()]
    upsert(conn, tables.audience, audiences, update=[])
    upsert(conn, tables.model, list(changes.models.values()), newer="version")
    fresh = _reports(conn, changes)
    judged = _judgements(conn, changes)
    touched = changes.members.keys() | changes.profiles.keys() | judged | changes.accepted.keys()
    touched |= {m["profile_id"] for r in fresh for m in changes.mentions[r]} | changes.told.keys()
    rows = fetch(conn, tables.member, _MEMBER, "profile_id", touched)
    standing: dict[str, Row] = {r[0]: dict(zip(_MEMBER, r, strict=True)) for r in rows}
    before = {p: Member(*row.values()) for p, row in standing.items()}
    left = _place(changes, touched, standing)
    _describe(conn, changes, standing)
    _keep_times(changes, fresh, standing)
    _count_labels(changes, fresh, standing)
    for p, times in _counted(conn, sorted({p for lost in fresh.values() for p, _ in lost})).items():
        standing[p] |= times
    for p in judged:
        standing[p]["judged"] = True
    for p, version in changes.told.items():
        standing[p]["told_version"] = max(version, standing[p]["told_version"])
    changed = [row for p, row in standing.items() if before.get(p) != tuple(row.values())]
    upsert(conn, tables.member, changed)
    _pairs(conn, changes, before)
    touch(conn, changes, Touched(before, standing, left, judged), now_ms)


def _reports(conn: Connection, changes: Changes) -> Fresh:
    """Replace the reports that are newer than stored."""
    rows = changes.reports
    stored: dict[str, int] = dict(fetch(conn, tables.report, ("report_id", "version"), "report_id", rows))
    fresh: Fresh = {r: [] for r, row in rows.items() if stored.get(r, -1) < row["version"]}
    replaced = [r for r in fresh if r in stored]
    if replaced:
        for r, p, label in fetch(
            conn, tables.mention, ("report_id", "profile_id", "label"), "report_id", replaced
        ):
            fresh[r].append((p, label))
            changes.touch([p], changes.report_accepted[r])
        for table in (tables.mention, tables.link):
            delete_rows(conn, table, [{"report_id": r} for r in replaced])
    packed = [rows[r] | {"body": pack(rows[r]["body"]) if rows[r]["body"] else None} for r in fresh]
    upsert(conn, tables.report, packed)
    insert_rows(conn, tables.mention, [m for r in sorted(fresh) for m in changes.mentions[r]])
    insert_rows(conn, tables.link, [x for r in sorted(fresh) for x in changes.links[r]])
    return fresh


def _describe(conn: Connection, changes: Changes, standing: dict[str, Row]) -> None:
    """What new profiles say, and nothing of those that are gone, in ``standing``; with the search indexes."""
    came, went = [], []
    for p, new in changes.profiles.items():
        row = standing[p]
        if new["content_version"] <= row["content_version"]:
            continue
        if new["kind"] and not row["kind"]:
            came.append(new)
        elif row["kind"] and not new["kind"]:
            went.append(p)
        row |= new
    for table in (tables.identifier, tables.name):
        delete_rows(conn, table, [{"profile_id": p} for p in went])
    numbers, names = zip(*map(search_rows, came), strict=True) if came else ((), ())
    insert_rows(conn, tables.identifier, [x for rows in numbers for x in rows])
    insert_rows(conn, tables.name, [x for rows in names for x in rows])


def _place(changes: Changes, touched: Iterable[str], standing: dict[str, Row]) -> set[str]:
    """Where profiles stand now, in ``standing``; the components that they left.

    A profile of which no component is known yet stands alone.
    """
    left = set()
    alone: Row = {
        "split": False, "version": 0, **dict.fromkeys(_UNTIL, 0), "judged": False, "kind": "",
        "audience_id": 0, "width": 0, "label": "", "labels": b"{}", "features": b"", "content_version": -1,
        "clues": "", "told_version": 0,
    }  # fmt: skip
    for p in touched:
        row = standing.setdefault(p, {"profile_id": p, "component_id": p, **alone})
        new = changes.members.get(p)
        if new is None or new["version"] <= row["version"]:
            continue
        if new["component_id"] != row["component_id"]:
            left.add(row["component_id"])
        if row["version"] > 0:
            changes.shaken.add(new["component_id"])
        row |= new
    return left


def _pairs(conn: Connection, changes: Changes, before: Mapping[str, Member]) -> None:
    """Write pairs, and delete those that something newer said of one of their profiles has made void."""
    upsert(conn, tables.pair, list(changes.pairs.values()), newer="version")
    deciding = {p for p, row in changes.members.items() if row["component_id"] in changes.shaken}
    possible = before.keys() & changes.told.keys()
    for ends, row in changes.pairs.items():
        (possible if row["verdict"] == POSSIBLE else deciding).update(ends)
    pair, member = tables.pair, tables.member
    for ids, latest, of_these in (
        (deciding, member.c.version, pair.c.verdict != POSSIBLE),
        (possible, member.c.told_version, pair.c.verdict == POSSIBLE),
    ):
        for chunk in _chunks(sorted(ids)):
            for end in (pair.c.a, pair.c.b):
                newest = select(latest).where(member.c.profile_id == end).scalar_subquery()
                conn.execute(delete(pair).where(end.in_(chunk), of_these, pair.c.version < newest))


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
    return judged


def _keep_times(changes: Changes, fresh: Fresh, standing: dict[str, Row]) -> None:
    """How long each profile may be seen, searched, be a subject, or is a juvenile's, in ``standing``.

    With them the clues that its new mentions give to rules.
    """
    for r in fresh:
        for m in changes.mentions[r]:
            row, until = standing[m["profile_id"]], m["until_ms"]
            for column in _COLUMNS[m["standing"]]:
                row[column] = max(row[column], until)
        for p, clues in changes.clues[r]:
            standing[p]["clues"] = joined(standing[p]["clues"], clues)


def _count_labels(changes: Changes, fresh: Fresh, standing: dict[str, Row]) -> None:
    """How profiles are shown, in ``standing``: as most of their mentions write it, of equals the longest."""
    differences: dict[str, Counter[str]] = defaultdict(Counter)
    for r, lost in fresh.items():
        for p, label in lost:
            differences[p][label] -= 1
        for m in changes.mentions[r]:
            differences[m["profile_id"]][m["label"]] += 1
    for p, difference in differences.items():
        row = standing[p]
        counts: dict[str, int] = orjson.loads(row["labels"])
        for label, n in difference.items():
            counts[label] = counts.get(label, 0) + n
        kept = {label: counts[label] for label in sorted(counts) if counts[label] > 0}
        row["labels"] = orjson.dumps(kept)
        best = most_written(kept)
        if best != row["label"]:
            row["label"] = best
            changes.shaken.add(row["component_id"])


def _counted(conn: Connection, profile_ids: list[str]) -> dict[str, Row]:
    """The times of profiles that lost a mention, from those left: one index lookup a standing."""
    mention, member = tables.mention.c, tables.member.c
    found: dict[str, Row] = {p: dict.fromkeys(_UNTIL, 0) for p in profile_ids}
    for chunk in _chunks(profile_ids):
        for standing in _ALL:
            longest = (
                select(func.max(mention.until_ms))
                .where(mention.profile_id == member.profile_id, mention.standing == standing)
                .correlate(tables.member)
                .scalar_subquery()
            )
            rows = conn.execute(select(member.profile_id, longest).where(member.profile_id.in_(chunk)))
            for p, until in rows:
                for column in _COLUMNS[standing]:
                    found[p][column] = max(found[p][column], until or 0)
    return found


def _chunks(ids: list[str]) -> Iterable[list[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
