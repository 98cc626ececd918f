"""Reports and what they say, read in bulk: bodies, mentions, links, and each profile's newest of them.

A mention or link has the audience of its report and of its profiles: callers pass only profiles and
reports that their viewer sees.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import lz4.block
from sqlalchemy import Column, Connection, Table, func, select

from services.leads.access import masked
from services.leads.tables import link, member, mention, report
from shared.contracts.report import Report
from shared.database import fetch

_CHUNK: Final = 2_000
_BEGINNING: Final = -(1 << 62)


class MentionRow(NamedTuple):
    """A mention that resolves to a profile."""

    report_id: str
    local_id: str
    profile_id: str
    kind: str
    role: str
    label: str
    standing: int
    event_ms: int


class LinkRow(NamedTuple):
    """A link between two profiles that may be shown; ``confidence`` in thousandths."""

    report_id: str
    ordinal: int
    source: str
    target: str
    type: str
    confidence: int
    event_ms: int


def pack(body: bytes) -> bytes:
    """A report's canonical JSON as it is stored."""
    return bytes(lz4.block.compress(body))


@lru_cache(maxsize=4_096)
def unpack(stored: bytes) -> Report:
    """The stored report, juveniles masked; remembered, for a stored version never changes."""
    return masked(Report.from_json(lz4.block.decompress(stored)))


def reports(conn: Connection, report_ids: Iterable[str], now_ms: int) -> dict[str, Report]:
    """The reports that are live and may still be seen, juveniles masked, by id without dashes."""
    columns = ("report_id", "body", "until_ms")
    rows = fetch(conn, report, columns, "report_id", report_ids)
    return {r: unpack(body) for r, body, until in rows if body is not None and until > now_ms}


def stored_report(conn: Connection, report_id: str) -> tuple[Report, int] | None:
    """One report as its originator sent it, unmasked, and its audience's id; None where there is none."""
    for body, audience_id in fetch(conn, report, ("body", "audience_id"), "report_id", [report_id]):
        if body is not None:
            return Report.from_json(lz4.block.decompress(body)), audience_id
    return None


def mentions_of(conn: Connection, report_ids: Iterable[str]) -> dict[str, list[MentionRow]]:
    """The mentions of each report, by local id."""
    found: dict[str, list[MentionRow]] = defaultdict(list)
    for row in sorted(fetch(conn, mention, MentionRow._fields, "report_id", report_ids)):
        found[row[0]].append(MentionRow._make(row))
    return found


def links_of(conn: Connection, report_ids: Iterable[str]) -> dict[str, list[LinkRow]]:
    """The links of each report that may be shown, in the report's order."""
    columns = ("report_id", "ordinal", "source", "target", "type", "confidence", "event_ms", "shown")
    found: dict[str, list[LinkRow]] = defaultdict(list)
    for row in sorted(fetch(conn, link, columns, "report_id", report_ids)):
        if row[7]:
            found[row[0]].append(LinkRow(*row[:7]))
    return found


def newest_mentions(
    conn: Connection, profile_ids: Iterable[str], count: int, now_ms: int
) -> dict[str, list[tuple[int, str, str]]]:
    """Event time, report and role of each profile's newest mentions, ``count`` and those of equal time."""
    t = mention.c
    found: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for profile_id, *row in _newest(
        conn, (t.profile_id, t.event_ms, t.report_id, t.role), list(profile_ids), (count, now_ms)
    ):
        found[profile_id].append((row[0], row[1], row[2]))
    return found


def newest_links(conn: Connection, profile_ids: Iterable[str], count: int, now_ms: int) -> list[LinkRow]:
    """The newest links from and to each profile that may be shown, ``count`` a profile and direction."""
    t, ids = link.c, list(profile_ids)
    columns = (t.report_id, t.ordinal, t.source, t.target, t.type, t.confidence, t.event_ms)
    found: set[LinkRow] = set()
    for side in (t.source, t.target):
        found.update(LinkRow(*row) for row in _newest(conn, (side, *columns), ids, (count, now_ms), skip=1))
    return sorted(found, key=lambda x: (-x.event_ms, x.report_id, x.ordinal))


def _newest(
    conn: Connection,
    columns: Sequence[Column[Any]],
    profile_ids: Sequence[str],
    bound: tuple[int, int],
    skip: int = 0,
) -> Iterator[tuple[Any, ...]]:
    """The newest rows per profile; the first column names the profile, and the first ``skip`` are left out.

    One index range per profile, cut at the event time of its ``bound[0]``-th row still visible at
    ``bound[1]`` ms: the same statement in both dialects.
    """
    count, now_ms = bound
    table: Table = columns[0].table
    shown = [table.c.shown] if "shown" in table.c else []
    inner = table.alias()
    same = inner.c[columns[0].name] == member.c.profile_id
    cut = select(inner.c.event_ms).where(same, inner.c.until_ms > now_ms, *([inner.c.shown] if shown else []))
    cut = cut.order_by(inner.c.event_ms.desc()).limit(1).offset(count - 1)
    since = func.coalesce(cut.correlate(member).scalar_subquery(), _BEGINNING)
    query = (
        select(*columns[skip:])
        .join_from(member, table, (columns[0] == member.c.profile_id) & (table.c.event_ms >= since))
        .where(table.c.until_ms > now_ms, *shown)
    )
    for start in range(0, len(profile_ids), _CHUNK):
        yield from conn.execute(query.where(member.c.profile_id.in_(profile_ids[start : start + _CHUNK])))


def dashed(report_id: str) -> str:
    """A report's id as people and contracts write it."""
    r = report_id
    return f"{r[:8]}-{r[8:12]}-{r[12:16]}-{r[16:20]}-{r[20:]}"
