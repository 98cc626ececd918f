"""What waits for a person: possible pairs, and strong ones held apart, as one sight may find them.

Everything is filtered by sight in the statement, before any bound, so that what is hidden moves nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from services.leads.access import Sight
from services.leads.entity import POSSIBLE
from services.leads.tables import judgement, member, mention, pair

_CHUNK: Final = 500
_one, _other = member.alias("one"), member.alias("other")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored pair, ``a`` < ``b``, that a person may be asked about; weight in centibits."""

    a: str
    b: str
    weight: int


def candidates(conn: Connection, verdict: str, sight: Sight, now_ms: int) -> Iterator[list[Candidate]]:
    """Pairs of this verdict that are not judged in this sight, strongest first, some at a time.

    Both profiles are of this sight and may be found by a search. Of SAME pairs only those whose component
    is split or judged: no others can be held apart. The order is that of an index, read backwards.
    """
    query = _query(verdict, sight, now_ms)
    after: Candidate | None = None
    while True:
        beyond = query if after is None else query.where(_beyond(after))
        found = [Candidate(a, b, weight) for a, b, weight in conn.execute(beyond)]
        if found:
            yield found
        if len(found) < _CHUNK:
            return
        after = found[-1]


def _query(verdict: str, sight: Sight, now_ms: int) -> Select[Any]:
    said = exists().where(
        judgement.c.a == pair.c.a,
        judgement.c.b == pair.c.b,
        judgement.c.body.is_not(None),
        judgement.c.audience_id.in_(sight),
    )
    query = (
        select(pair.c.a, pair.c.b, pair.c.weight)
        .join_from(pair, _one, _one.c.profile_id == pair.c.a)
        .join(_other, _other.c.profile_id == pair.c.b)
        .where(pair.c.verdict == verdict, ~said)
        .order_by(pair.c.weight.desc(), pair.c.a.desc(), pair.c.b.desc())
        .limit(_CHUNK)
    )
    for side in (_one, _other):
        query = query.where(
            side.c.audience_id.in_(sight),
            side.c.kind != "",
            side.c.search_until_ms > now_ms,
            side.c.mask_until_ms <= now_ms,
            side.c.until_ms > now_ms,
            pair.c.version >= (side.c.told_version if verdict == POSSIBLE else side.c.version),
        )
    if verdict == "SAME":
        query = query.where(or_(_one.c.split, _one.c.judged, _other.c.judged))
    return query


def _beyond(last: Candidate) -> ColumnElement[bool]:
    p = pair.c
    later = or_(p.a < last.a, and_(p.a == last.a, p.b < last.b))
    return and_(p.weight <= last.weight, or_(p.weight < last.weight, later))


def reports_of(conn: Connection, profile_ids: Collection[str], now_ms: int) -> Counter[str]:
    """How many reports mention each of these profiles and may still be seen."""
    found: Counter[str] = Counter()
    t, ordered = mention.c, sorted(profile_ids)
    for start in range(0, len(ordered), _CHUNK):
        query = select(t.profile_id, func.count(t.report_id.distinct())).where(
            t.profile_id.in_(ordered[start : start + _CHUNK]), t.until_ms > now_ms
        )
        found.update({p: n for p, n in conn.execute(query.group_by(t.profile_id))})  # noqa: C416  # rows, not pairs
    return found
