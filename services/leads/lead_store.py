"""Leads in the database: replacing those of a subject, reading one, and pages of many.

A page is one index scan in the order asked for, whatever the number of leads: by score or time without
filters, along one filter's tags with them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, Final

import lz4.block
import orjson
import xxhash
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, or_, select

from services.leads.clock import NO_REPORT
from services.leads.compose import Lead
from services.leads.due_store import mark
from services.leads.lead_tables import lead, lead_tag
from services.leads.tables import due, member
from shared.database import delete_rows, fetch, insert_rows, upsert

Key = tuple[str, int]
"""Lead id (32 hex digits) and set id."""
_THERE: Final = ("lead_id", "set_id", "digest", "reconsider_ms", "score", "updated_ms", "tags")
_MANY: Final = 3_000
"""A filter that leaves more leads than this is not worth counting on."""
_tag_key: Final = itemgetter("tag", "score", "lead_id", "set_id")


@dataclass(frozen=True, slots=True)
class Changed:
    """Ids of the leads that a replacement made, altered and removed; one per lead, over all its sets."""

    fired: frozenset[str]
    updated: frozenset[str]
    retired: frozenset[str]


@dataclass(frozen=True, slots=True)
class Query:
    """What a page of leads is asked for.

    ``by``: score or updated_ms. ``sets``: those that the viewer reads. ``tags``: groups, of each of which
    one must hold. ``scores``: ranges (least, below) of which one must hold. ``only``: these leads, where
    given. ``after``: the place of the last row of the page before; set ids are no part of it, for they tell
    of what the viewer may not see.
    """

    sets: Sequence[int]
    limit: int
    by: str = "score"
    descending: bool = True
    tags: tuple[tuple[str, ...], ...] = ()
    scores: tuple[tuple[int, int], ...] = ()
    since_ms: int | None = None
    subject: str | None = None
    only: frozenset[str] | None = None
    after: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A row of a page: its place in the order (sort value, lead id), and the item as JSON."""

    place: tuple[int, str]
    item: bytes


def replace_leads(conn: Connection, subjects: Iterable[str], leads: Iterable[tuple[int, Lead]]) -> Changed:
    """Make ``leads`` (set id, lead) all there is about ``subjects``; what is equal is left as it is."""
    wanted: dict[Key, dict[str, Any]] = {}
    for set_id, made in leads:
        row = _row(set_id, made)
        wanted[row["lead_id"], set_id] = row
    there: dict[Key, dict[str, Any]] = {
        (row[0], row[1]): dict(zip(_THERE, row, strict=True))
        for row in fetch(conn, lead, _THERE, "subject", subjects)
    }
    gone = [there[k] for k in there.keys() - wanted.keys()]
    changed = [k for k, row in wanted.items() if k not in there or there[k]["digest"] != row["digest"]]
    later = [
        k for k, row in wanted.items() if k in there and there[k]["reconsider_ms"] != row["reconsider_ms"]
    ]
    old = [*gone, *(there[k] for k in changed if k in there)]
    delete_rows(conn, lead_tag, [row for each in old for row in _tag_rows(each)])
    delete_rows(conn, lead, [{"lead_id": row["lead_id"], "set_id": row["set_id"]} for row in gone])
    upsert(conn, lead, [wanted[k] for k in dict.fromkeys((*changed, *later))])
    insert_rows(conn, lead_tag, sorted((row for k in changed for row in _tag_rows(wanted[k])), key=_tag_key))
    return _summary(there.keys(), wanted.keys(), changed)


def _summary(before: Iterable[Key], after: Iterable[Key], changed: Iterable[Key]) -> Changed:
    was, now = {i for i, _ in before}, {i for i, _ in after}
    altered = {i for i, _ in changed}
    return Changed(frozenset(now - was), frozenset(altered & was), frozenset(was - now))


def _row(set_id: int, made: Lead) -> dict[str, Any]:
    item, body = orjson.dumps(made.item), orjson.dumps(made.body)
    return {
        "lead_id": made.lead_id.replace("-", ""),
        "set_id": set_id,
        "subject": made.subject,
        "score": made.score,
        "updated_ms": made.updated_ms,
        "reconsider_ms": made.reconsider_ms,
        "digest": xxhash.xxh3_64_intdigest(body) >> 1,
        "tags": f" {' '.join(sorted(made.tags))} ",
        "item": item,
        "body": lz4.block.compress(body),
    }


def _tag_rows(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of ``lead_tag`` that belong to a row of ``lead``."""
    shared = {name: row[name] for name in ("score", "lead_id", "set_id", "updated_ms")}
    return [{"tag": tag} | shared for tag in row["tags"].split()]


def body_of(conn: Connection, lead_id: str, sets: Iterable[int]) -> bytes | None:
    """The whole lead as JSON, as a viewer of these sets sees it; None where there is none for him."""
    found = version_of(conn, lead_id, sets)
    return None if found is None else found[1]


def version_of(conn: Connection, lead_id: str, sets: Iterable[int]) -> tuple[int, bytes] | None:
    """As ``body_of``, with the id of the set whose viewers see this version."""
    readable = frozenset(sets)
    rows = fetch(conn, lead, ("set_id", "body"), "lead_id", [lead_id])
    found = next(((s, b) for s, b in sorted(rows, key=itemgetter(0)) if s in readable), None)
    return None if found is None else (found[0], lz4.block.decompress(found[1]))


def page(conn: Connection, query: Query) -> list[Found]:
    """Up to ``limit`` + 1 rows: one more tells that there is a next page."""
    tags, by_hand = _driver(conn, query)
    rest = [group for group in query.tags if group is not tags]
    ways = [replace(query, scores=(one,)) for one in query.scores] if query.by == "score" else []
    sources = [_scan(q, rest, tag, by_hand=by_hand) for q in ways or [query] for tag in tags or (None,)]
    rows = (conn.execute(s.limit(query.limit + 1)).all() for s in sources)
    found: dict[tuple[int, str], bytes] = {}
    for value, lead_id, item in merge(*rows, key=itemgetter(0, 1), reverse=query.descending):
        found.setdefault((value, lead_id), item)
    return [Found(place, item) for place, item in islice(found.items(), query.limit + 1)]


def _driver(conn: Connection, query: Query) -> tuple[tuple[str, ...] | None, bool]:
    """Along which group of tags to scan (None: over all leads), and whether to sort what is found by hand.

    The filter that leaves fewest rows leads, as far as counting a few thousand tells; if that is the
    time, its rows are read in order of time and sorted.
    """
    if query.subject is not None:
        return None, False
    counted = [(sum(_count(conn, lead_tag, lead_tag.c.tag == tag) for tag in g), g) for g in query.tags]
    fewest, tags = min(counted, key=itemgetter(0), default=(_MANY, None))
    if query.since_ms is None or query.by != "score":
        return tags, False
    recent = _count(conn, lead, lead.c.updated_ms >= query.since_ms)
    return (None, True) if recent < min(fewest, _MANY) else (tags, False)


def _count(conn: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    """How many rows fit, counting no further than ``_MANY``."""
    some = select(table.c.set_id).where(condition).limit(_MANY).subquery()
    return int(conn.execute(select(func.count()).select_from(some)).scalar_one())


def _scan(query: Query, groups: Iterable[tuple[str, ...]], tag: str | None, *, by_hand: bool) -> Select[Any]:
    """One index scan: along a tag or over all leads, in the order of the page unless sorted ``by_hand``."""
    table = lead if tag is None else lead_tag
    value = table.c[query.by] + 0 if by_hand else table.c[query.by]
    order = (value, table.c.lead_id)
    chosen = select(*order, lead.c.item)
    if tag is not None:
        same = and_(lead.c.lead_id == table.c.lead_id, lead.c.set_id == table.c.set_id)
        chosen = chosen.join_from(table, lead, same).where(table.c.tag == tag)
    chosen = chosen.where(table.c.set_id.in_(query.sets), *_limits(query, table, order))
    chosen = chosen.where(*(_has_tag(group) for group in groups))
    ends = [column.desc() for column in order] if query.descending else list(order)
    return chosen.order_by(*ends)


def _limits(query: Query, table: Table, order: tuple[Any, ...]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.scores:
        score = order[0] if query.by == "score" else table.c.score
        found.append(or_(*(and_(score >= least, score < below) for least, below in query.scores)))
    if query.since_ms is not None:
        found.append(table.c.updated_ms >= query.since_ms)
    if query.subject is not None:
        found.append(lead.c.subject == query.subject)
    if query.only is not None:
        found.append(table.c.lead_id.in_(sorted(query.only)))
    if query.after is not None:
        found.append(_beyond(query, order))
    return found


def _beyond(query: Query, order: tuple[Any, ...]) -> ColumnElement[bool]:
    """Rows past the last one of the page before; the first condition alone bounds the index scan."""
    assert query.after is not None
    (value, lead_id), (v, i) = order, query.after
    if query.descending:
        return and_(value <= v, or_(value < v, lead_id < i))
    return and_(value >= v, or_(value > v, lead_id > i))


def _has_tag(group: tuple[str, ...]) -> ColumnElement[bool]:
    return or_(*(lead.c.tags.contains(f" {tag} ", autoescape=True) for tag in group))


def reconsider(conn: Connection, now_ms: int, limit: int) -> int:
    """Mark due whose lead time alone has changed; how many components that are."""
    overdue = select(lead.c.subject).where(lead.c.reconsider_ms <= now_ms).order_by(lead.c.reconsider_ms)
    subjects = {subject for (subject,) in conn.execute(overdue.limit(limit))}
    found: dict[str, str] = dict(fetch(conn, member, ("profile_id", "component_id"), "profile_id", subjects))
    waiting = {found.get(s, s): NO_REPORT for s in subjects}
    if waiting:
        mark(conn, waiting)
    return len(waiting)


def is_due(conn: Connection) -> bool:
    """Whether anything waits to be evaluated."""
    return conn.execute(select(due.c.component_id).limit(1)).first() is not None
