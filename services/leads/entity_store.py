"""Pages about one entity, and search: statements whose cost does not grow with what they leave out.

Callers pass profiles that their viewer sees; search filters by sight in the index, before any bound.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import lz4.block
from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from services.leads.access import Sight
from services.leads.heads import Head, head
from services.leads.report_store import LinkRow, MentionRow
from services.leads.tables import identifier, link, member, mention, model, name, pair, report
from shared.database import fetch

FOUND: Final = 500
"""Profiles that one search key gives at most."""
COUNTED: Final = 10_000
"""Reports of an entity are counted up to here."""


def heads(conn: Connection, report_ids: Iterable[str], now_ms: int) -> dict[str, Head]:
    """The heads of reports that may still be seen, by id without dashes."""
    columns = ("report_id", "body", "until_ms")
    rows = fetch(conn, report, columns, "report_id", report_ids)
    return {r: head(body) for r, body, until in rows if body is not None and until > now_ms}


def mention_page(
    conn: Connection, profile_ids: Sequence[str], after: Sequence[Any] | None, limit: int, now_ms: int
) -> list[MentionRow]:
    """An entity's mentions, newest first, after (event time, report, local id)."""
    t = mention.c
    order = (t.event_ms, t.report_id, t.local_id)
    query = select(
        t.report_id, t.local_id, t.profile_id, t.kind, t.role, t.label, t.standing, t.event_ms
    ).where(t.profile_id.in_(profile_ids), t.until_ms > now_ms)
    return [MentionRow(*row) for row in conn.execute(_newest_first(query, order, after).limit(limit))]


def report_page(
    conn: Connection, profile_ids: Sequence[str], after: Sequence[Any] | None, limit: int, now_ms: int
) -> list[tuple[int, str]]:
    """Event time and id of the reports that mention an entity, newest first, after such a pair."""
    t = mention.c
    query = (
        select(t.event_ms, t.report_id).where(t.profile_id.in_(profile_ids), t.until_ms > now_ms).distinct()
    )
    rows = conn.execute(_newest_first(query, (t.event_ms, t.report_id), after).limit(limit))
    return [(at, r) for at, r in rows]


def link_page(
    conn: Connection, profile_ids: Sequence[str], after: Sequence[Any] | None, limit: int, now_ms: int
) -> list[LinkRow]:
    """An entity's links that may be shown, newest first, after (event time, report, ordinal)."""
    t = link.c
    found: set[LinkRow] = set()
    for side in (t.source, t.target):
        query = select(t.report_id, t.ordinal, t.source, t.target, t.type, t.confidence, t.event_ms).where(
            side.in_(profile_ids), t.until_ms > now_ms, t.shown
        )
        page = _newest_first(query, (t.event_ms, t.report_id, t.ordinal), after).limit(limit)
        found.update(LinkRow(*row) for row in conn.execute(page))
    return sorted(found, key=lambda x: (-x.event_ms, x.report_id, x.ordinal))[:limit]


def _newest_first(
    query: Select[Any], order: Sequence[ColumnElement[Any]], after: Sequence[Any] | None
) -> Select[Any]:
    """Order by the first column downwards, then the others upwards, beginning after a place."""
    at, *rest = order
    if after is not None:
        query = query.where(at <= after[0], or_(at < after[0], _beyond(rest, after[1:])))
    return query.order_by(at.desc(), *rest)


def _beyond(columns: Sequence[ColumnElement[Any]], values: Sequence[Any]) -> ColumnElement[bool]:
    first, *rest = columns
    return (
        first > values[0]
        if not rest
        else or_(first > values[0], and_(first == values[0], _beyond(rest, values[1:])))
    )


def count_reports(conn: Connection, profile_ids: Sequence[str], now_ms: int) -> int:
    """How many reports mention an entity, at most ``COUNTED``."""
    t = mention.c
    some = select(t.report_id).where(t.profile_id.in_(profile_ids), t.until_ms > now_ms).distinct()
    return int(conn.execute(select(func.count()).select_from(some.limit(COUNTED).subquery())).scalar_one())


def by_identifier(conn: Connection, value: str, sight: Sight, now_ms: int) -> list[str]:
    """The profiles of this sight that hold an identifier and may be found by it."""
    query = (
        select(identifier.c.profile_id)
        .join_from(identifier, member, member.c.profile_id == identifier.c.profile_id)
        .where(identifier.c.value == value, member.c.audience_id.in_(sight), *_findable(now_ms))
        .order_by(identifier.c.profile_id)
        .limit(FOUND)
    )
    return [p for (p,) in conn.execute(query)]


def by_name(conn: Connection, keys: Iterable[int], sight: Sight, now_ms: int) -> dict[str, bytes]:
    """The profiles of this sight that have one of these name keys and may be found by it; their features."""
    found: dict[str, bytes] = {}
    for key in keys:
        query = (
            select(name.c.profile_id, member.c.features)
            .join_from(name, member, member.c.profile_id == name.c.profile_id)
            .where(name.c.key == key, name.c.audience_id.in_(sight), *_findable(now_ms))
            .order_by(name.c.profile_id)
            .limit(FOUND)
        )
        found.update((p, features) for p, features in conn.execute(query))
    return found


def _findable(now_ms: int) -> tuple[ColumnElement[bool], ...]:
    return (member.c.search_until_ms > now_ms, member.c.mask_until_ms <= now_ms)


def evidence_of(conn: Connection, a: str, b: str) -> bytes | None:
    """The evidence rows of a stored pair, ``a`` < ``b``, as JSON."""
    found = conn.execute(select(pair.c.evidence).where(pair.c.a == a, pair.c.b == b)).scalar_one_or_none()
    return None if found is None else bytes(lz4.block.decompress(found))


def listings(conn: Connection, sight: Sight, now_ms: int, limit: int) -> list[str]:
    """The newest reports of this sight that are entries of priority lists."""
    t = report.c
    query = select(t.report_id).where(
        t.kind == "LISTING", t.audience_id.in_(sight), t.until_ms > now_ms, t.live
    )
    return [r for (r,) in conn.execute(query.order_by(t.event_ms.desc(), t.report_id).limit(limit))]


def profiles_of_report(conn: Connection, report_id: str) -> list[str]:
    """The profiles that a report mentions."""
    return [p for (p,) in fetch(conn, mention, ("profile_id",), "report_id", [report_id])]


def held_identifiers(conn: Connection, profile_ids: Sequence[str], agency: str, now_ms: int) -> list[str]:
    """The identifiers of these profiles that a live report of ``agency`` itself mentions too, sorted."""
    other = identifier.alias()
    query = (
        select(identifier.c.value)
        .join_from(identifier, other, other.c.value == identifier.c.value)
        .join(mention, mention.c.profile_id == other.c.profile_id)
        .join(report, report.c.report_id == mention.c.report_id)
        .where(
            identifier.c.profile_id.in_(profile_ids),
            report.c.agency == agency,
            report.c.live,
            mention.c.until_ms > now_ms,
        )
        .distinct()
        .order_by(identifier.c.value)
    )
    return [v for (v,) in conn.execute(query)]


def threshold(conn: Connection) -> int | None:
    """What a pair needs to be the same, in centibits, by the newest message; None before any says so."""
    return conn.execute(
        select(model.c.threshold).order_by(model.c.version.desc()).limit(1)
    ).scalar_one_or_none()
