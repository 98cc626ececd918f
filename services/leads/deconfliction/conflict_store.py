"""The statements of conflicts and notices."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, func, or_, select, update

from services.leads.deconfliction.moments import milliseconds, moment
from services.leads.deconfliction.states import FINAL, Conflict, Outcome, State, Urgency
from services.leads.deconfliction.tables import conflict, notice
from shared.database import advisory_lock, fetch, insert_rows, upsert

_NOTICE_LOCK: Final = 0x0DEC_0003_0000
QUEUED: Final = "QUEUED"
"""Waiting for a watch officer, who confirms or dismisses."""
DISMISSED: Final = "DISMISSED"
OWN: Final = "OWN"
"""Both sides are one agency: a supervisor's view, no conflict."""


@dataclass(frozen=True, slots=True)
class Row:
    """A conflict as stored; ``a`` and ``b`` are submission numbers, ``silent`` those who learn nothing."""

    conflict_id: str
    a: str
    b: str
    agency_a: str
    agency_b: str
    kind: str
    cls: int
    state: str
    urgency: str
    outcome: str | None
    silent: str
    evidence: bytes
    acknowledged_a_ms: int | None
    acknowledged_b_ms: int | None
    escalates_ms: int | None
    opened_ms: int
    closed_ms: int | None
    note: bytes | None = None

    def agency(self, number: str) -> str:
        """The agency of one side."""
        return self.agency_a if number == self.a else self.agency_b

    def side_of(self, agency: str) -> str | None:
        """The number of this agency's side; None where it has none, or may not know of the conflict."""
        side = self.a if agency == self.agency_a else self.b if agency == self.agency_b else None
        return None if side is None or side in self.silent.split() else side

    def other(self, number: str) -> str:
        """The number of the other side."""
        return self.b if number == self.a else self.a

    def told(self) -> tuple[str, ...]:
        """The sides that learn of the conflict."""
        return tuple(n for n in (self.a, self.b) if n not in self.silent.split())

    def as_conflict(self) -> Conflict:
        """The value that ``states`` works on; a silent side counts as having acknowledged."""
        read = {self.a: self.acknowledged_a_ms, self.b: self.acknowledged_b_ms}
        done = frozenset(n for n in (self.a, self.b) if read[n] is not None or n in self.silent.split())
        escalates = None if self.escalates_ms is None else moment(self.escalates_ms)
        outcome = Outcome(self.outcome) if self.outcome else None
        return Conflict(State(self.state), Urgency(self.urgency), (self.a, self.b), done, escalates, outcome)


_NEWEST: Final = select(func.max(notice.c.created_ms))
_RUNG: Final = (
    select(notice.c.agency, func.max(notice.c.created_ms))
    .where(notice.c.created_ms > bindparam("after"))
    .group_by(notice.c.agency)
)
_INBOX: Final = (
    select(notice)
    .where(
        notice.c.agency == bindparam("agency"),
        or_(
            notice.c.created_ms > bindparam("at"),
            and_(notice.c.created_ms == bindparam("at"), notice.c.notice_id > bindparam("id")),
        ),
        or_(notice.c.basis_id.is_(None), notice.c.basis_id.in_(bindparam("bases", expanding=True))),
    )
    .order_by(notice.c.created_ms, notice.c.notice_id)
    .limit(bindparam("most"))
)
_SIDES_INBOX: Final = _INBOX.where(notice.c.level.in_(bindparam("levels", expanding=True)))
_COLUMNS: Final = [conflict.c[name] for name in Row.__slots__]


def read(conn: Connection, conflict_id: str, *, lock: bool = False) -> Row | None:
    """One conflict; ``lock``: nobody else changes it until the transaction ends."""
    statement = select(*_COLUMNS).where(conflict.c.conflict_id == conflict_id)
    found = conn.execute(statement.with_for_update() if lock else statement).first()
    return None if found is None else Row(*found)


def read_all(conn: Connection, conflict_ids: Iterable[str]) -> dict[str, Row]:
    """Those of these conflicts that are known; nobody else changes them until the transaction ends."""
    lock = conn.dialect.name == "postgresql"
    rows = fetch(conn, conflict, Row.__slots__, "conflict_id", conflict_ids, lock=lock)
    return {r[0]: Row(*r) for r in rows}


def insert(conn: Connection, rows: Sequence[Row]) -> None:
    """Enter new conflicts."""
    insert_rows(conn, conflict, [{n: getattr(row, n) for n in Row.__slots__} for row in rows])


def change(conn: Connection, conflict_id: str, values: Mapping[str, Any]) -> None:
    """Change some columns of a conflict."""
    conn.execute(update(conflict).where(conflict.c.conflict_id == conflict_id).values(dict(values)))


def save(conn: Connection, row: Row, now: Conflict, at_ms: int) -> None:
    """Store what ``states`` made of a conflict."""
    escalates = None if now.escalates_at is None else milliseconds(now.escalates_at)
    values: dict[str, Any] = {"state": str(now.state), "escalates_ms": escalates}
    if now.outcome is not None:
        values["outcome"] = str(now.outcome)
    if now.state in FINAL and row.closed_ms is None:
        values["closed_ms"] = at_ms
    for number, column in ((row.a, "acknowledged_a_ms"), (row.b, "acknowledged_b_ms")):
        if number in now.acknowledged and number not in row.silent.split() and getattr(row, column) is None:
            values[column] = at_ms
    change(conn, row.conflict_id, values)


def of_submission(conn: Connection, number: str) -> list[Row]:
    """Every conflict of one submission, by id."""
    statement = select(*_COLUMNS).where(or_(conflict.c.a == number, conflict.c.b == number))
    return [Row(*r) for r in conn.execute(statement.order_by(conflict.c.conflict_id))]


def due(conn: Connection, now_ms: int, limit: int) -> list[Row]:
    """Conflicts whose silence has lasted too long, locked; other workers pass over them."""
    statement = select(*_COLUMNS).where(conflict.c.escalates_ms <= now_ms)
    statement = statement.order_by(conflict.c.escalates_ms).limit(limit).with_for_update(skip_locked=True)
    return [Row(*r) for r in conn.execute(statement)]


def in_state(
    conn: Connection, state: str, agency: str | None, after: tuple[int, str], limit: int
) -> list[Row]:
    """Conflicts in one state, oldest first, past ``after`` (opened, id); of one agency where given."""
    later = or_(
        conflict.c.opened_ms > after[0],
        and_(conflict.c.opened_ms == after[0], conflict.c.conflict_id > after[1]),
    )
    statement = select(*_COLUMNS).where(conflict.c.state == state, later)
    if agency is not None:
        statement = statement.where(or_(conflict.c.agency_a == agency, conflict.c.agency_b == agency))
    statement = statement.order_by(conflict.c.opened_ms, conflict.c.conflict_id).limit(limit)
    return [Row(*r) for r in conn.execute(statement)]


def add_notices(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter notices; one that is there already stays as it is.

    Their times grow in the order in which they become visible, so that whoever reads on after the newest he
    has seen misses none.
    """
    if not rows:
        return
    advisory_lock(conn, _NOTICE_LOCK)
    newest = conn.execute(_NEWEST).scalar() or 0
    stamped = [{**row, "created_ms": max(row["created_ms"], newest + n)} for n, row in enumerate(rows, 1)]
    upsert(conn, notice, stamped, update=())


def rung(conn: Connection, after: int | None) -> dict[str, int]:
    """The agencies with notices past this time, each with its newest one's; None: the newest of all."""
    if after is None:
        return {"": conn.execute(_NEWEST).scalar() or 0}
    return {row[0]: row[1] for row in conn.execute(_RUNG, {"after": after})}


def notices(
    conn: Connection,
    agency: str,
    after: tuple[int, str],
    limit: int,
    only: tuple[Sequence[str] | None, Sequence[int]],
) -> list[Any]:
    """An agency's notices, oldest first, past ``after`` (created, id).

    ``only``: these levels where given, and of notices about leads those on these bases.
    """
    levels, bases = only
    given = {"agency": agency, "at": after[0], "id": after[1], "bases": list(bases), "most": limit}
    if levels is None:
        return list(conn.execute(_INBOX, given))
    return list(conn.execute(_SIDES_INBOX, given | {"levels": list(levels)}))


def one_notice(conn: Connection, notice_id: str, agency: str) -> Any | None:
    """One notice of an agency."""
    statement = select(notice).where(notice.c.notice_id == notice_id, notice.c.agency == agency)
    return conn.execute(statement).first()


def acknowledged(conn: Connection, notice_id: str, at_ms: int, by: bytes) -> None:
    """Somebody has read the notice; the first time counts."""
    statement = update(notice).where(notice.c.notice_id == notice_id, notice.c.acknowledged_ms.is_(None))
    conn.execute(statement.values(acknowledged_ms=at_ms, acknowledged_by=by))


def tally(conn: Connection, since_ms: int) -> list[tuple[Any, ...]]:
    """(week number since 1970, state, outcome, conflicts, acknowledged, mean ms until a side acknowledged).

    Silent ones are not counted: whoever asks and then finds one more would know.
    """
    week = conflict.c.opened_ms // (7 * 86_400_000)
    spent = (conflict.c.acknowledged_a_ms + conflict.c.acknowledged_b_ms) / 2 - conflict.c.opened_ms
    statement = (
        select(week, conflict.c.state, conflict.c.outcome, func.count(), func.count(spent), func.avg(spent))
        .where(conflict.c.opened_ms >= since_ms, conflict.c.silent == "")
        .group_by(week, conflict.c.state, conflict.c.outcome)
    )
    return [tuple(r) for r in conn.execute(statement)]
