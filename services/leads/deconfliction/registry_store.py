"""The registry's statements: submissions, their hashed tokens, and who else holds them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, delete, exists, func, select, update

from services.leads.deconfliction.tables import check, conflict, query_count, submission, token
from shared.database import (
    advisory_lock,
    advisory_locks,
    delete_values,
    fetch,
    fetch_first,
    insert_missing,
    upsert,
)

LOCKS: Final = 1024
"""So few that a server has room for several transactions that take all of them."""
_LOCK_BASE: Final = 0x0DEC_0000_0000
_PAIR_BASE: Final = 0x0DEC_0001_0000
_KEYS_LOCK: Final = 0x0DEC_0004_0000
CELL: Final = 0
"""The class of a token that is a cell of place and time."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A submission as it stands in the registry; ``sealed`` opens with its agency's key."""

    number: str
    kind: str
    agency: str
    share: str
    state: str
    content: bytes
    sealed: bytes
    submitted_ms: int
    checked_ms: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A hashed token of one submission; ``cls`` is a match class, or ``CELL``."""

    hash: bytes
    key_number: int
    cls: int
    qualified: bool


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody else's hold on a token."""

    hash: bytes
    number: str
    cls: int
    qualified: bool


_ASKED: Final = (
    select(check.c.number)
    .where(check.c.due_ms <= bindparam("now"))
    .order_by(check.c.due_ms, check.c.number)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_CHECKED: Final = (
    update(submission)
    .where(submission.c.number.in_(bindparam("numbers", expanding=True)))
    .values(checked_ms=bindparam("now"))
)
_DUE: Final = select(
    exists().where(check.c.due_ms <= bindparam("now")),
    exists().where(conflict.c.escalates_ms <= bindparam("now")),
    exists().where(submission.c.state == "OPEN", submission.c.expires_ms <= bindparam("now")),
    exists().where(submission.c.state == "OPEN", submission.c.checked_ms < bindparam("before")),
)
_SPEND: Final = (
    update(query_count)
    .where(
        query_count.c.day == bindparam("at"),
        query_count.c.agency == bindparam("of"),
        query_count.c.person == bindparam("who"),
    )
    .values(identifiers=query_count.c.identifiers + bindparam("more"))
    .returning(query_count.c.identifiers)
)


def lock(conn: Connection, hashes: Iterable[bytes]) -> None:
    """Let nobody else submit or look up these tokens until the transaction ends.

    The locks are few and taken in order, so any two transactions with a token in common take turns and
    none waits in a circle.
    """
    advisory_locks(conn, (_LOCK_BASE + int.from_bytes(h[:2]) % LOCKS for h in hashes))


def lock_pairs(conn: Connection, conflict_ids: Iterable[str]) -> None:
    """Let nobody else enter these conflicts until the transaction ends; taken once, in order."""
    advisory_locks(conn, (_PAIR_BASE + int(i[:4], 16) % LOCKS for i in conflict_ids))


def lock_keys(conn: Connection, *, alone: bool) -> None:
    """Let nobody change the keys until the transaction ends; ``alone``: nobody write under them either."""
    advisory_lock(conn, _KEYS_LOCK, shared=not alone)


def by_reference(conn: Connection, references: Collection[bytes]) -> dict[bytes, Stored]:
    """The submissions with these hashes of agency and reference, by hash."""
    names = ("reference", *Stored.__slots__)
    return {bytes(r[0]): Stored(*r[1:]) for r in fetch(conn, submission, names, "reference", references)}


def read(conn: Connection, numbers: Iterable[str], *, lock: bool = False) -> dict[str, Stored]:
    """The submissions of these numbers; ``lock``: nobody changes them until the transaction ends."""
    lock = lock and conn.dialect.name == "postgresql"
    rows = fetch(conn, submission, Stored.__slots__, "number", numbers, lock=lock)
    return {row[0]: Stored(*row) for row in rows}


def write(
    conn: Connection,
    rows: Sequence[Mapping[str, Any]],
    tokens: Mapping[str, Sequence[StoredToken]],
    replaced: Iterable[str],
) -> None:
    """Store submissions with their tokens by number, and ask for their checks.

    Those of ``replaced`` get a newer content in the older one's place.
    """
    if not rows:
        return
    changed = [n for n in rows[0] if n not in {"number", "agency", "submitted_ms"}]
    delete_values(conn, token, ("number",), [(n,) for n in replaced])
    upsert(conn, submission, rows, update=changed)
    add_tokens(conn, tokens)
    upsert(conn, check, [{"number": r["number"], "due_ms": r["checked_ms"]} for r in rows], update=())


def add_tokens(conn: Connection, tokens: Mapping[str, Sequence[StoredToken]]) -> None:
    """Add tokens to submissions, by number; those that are there stay."""
    rows = [(t.hash, n, t.key_number, t.cls, t.qualified) for n, each in tokens.items() for t in each]
    insert_missing(conn, token, ("hash", "number", "key_number", "cls", "qualified"), rows)


def ask(conn: Connection, numbers: Sequence[str], due_ms: int) -> None:
    """Have the matches of these submissions worked out."""
    upsert(conn, check, [{"number": n, "due_ms": due_ms} for n in sorted(numbers)], update=())


def asked(conn: Connection, now_ms: int, limit: int) -> list[str]:
    """Submissions whose check is due, locked for this transaction; other workers pass over them."""
    return [row[0] for row in conn.execute(_ASKED, {"now": now_ms, "most": limit})]


def answered(conn: Connection, numbers: Sequence[str], now_ms: int) -> None:
    """These checks are done."""
    delete_values(conn, check, ("number",), [(n,) for n in numbers])
    conn.execute(_CHECKED, {"now": now_ms, "numbers": list(numbers)})


def due(conn: Connection, now_ms: int, unchecked_ms: int) -> dict[str, bool]:
    """What there is to do: checks, escalations, ends, and submissions last checked before then."""
    row = conn.execute(_DUE, {"now": now_ms, "before": unchecked_ms}).one()
    return dict(zip(("check", "escalate", "expire", "refresh"), map(bool, row), strict=True))


def unchecked(conn: Connection, before_ms: int, limit: int) -> list[str]:
    """Open submissions that were last checked before then and do not wait for a check, oldest first."""
    statement = (
        select(submission.c.number)
        .where(submission.c.state == "OPEN", submission.c.checked_ms < before_ms)
        .where(submission.c.number.not_in(select(check.c.number)))
    )
    return [row[0] for row in conn.execute(statement.order_by(submission.c.checked_ms).limit(limit))]


def holders(conn: Connection, hashes: Collection[bytes], *, each: int | None = None) -> list[Holder]:
    """Who holds one of these tokens; with ``each``: of every token at most so many, by number."""
    names = Holder.__slots__
    if each is None:
        rows = fetch(conn, token, names, "hash", hashes)
    else:
        rows = fetch_first(conn, token, names, "hash", hashes, ("number", each))
    return [Holder(bytes(r[0]), *r[1:]) for r in rows]


def accompanied(conn: Connection, numbers: Collection[str]) -> set[str]:
    """Those of these submissions that share a token with another one."""
    own = fetch(conn, token, ("hash", "number"), "number", numbers)
    held: dict[bytes, set[str]] = {}
    for hash_, number in own:
        held.setdefault(bytes(hash_), set()).add(number)
    rows = fetch_first(conn, token, ("hash", "number"), "hash", held, ("number", 2))
    for hash_, number in rows:
        held[bytes(hash_)].add(number)
    return {n for each in held.values() if len(each) > 1 for n in each} & set(numbers)


def set_state(conn: Connection, number: str, state: str) -> None:
    """Withdraw or expire a submission: nobody meets its tokens any more."""
    conn.execute(update(submission).where(submission.c.number == number).values(state=state))
    conn.execute(delete(token).where(token.c.number == number))


def expired(conn: Connection, now_ms: int, limit: int) -> list[str]:
    """Open submissions whose time has passed."""
    statement = select(submission.c.number).where(
        submission.c.state == "OPEN", submission.c.expires_ms <= now_ms
    )
    statement = statement.order_by(submission.c.expires_ms).limit(limit).with_for_update(skip_locked=True)
    return [row[0] for row in conn.execute(statement)]


def reseal_page(
    conn: Connection,
    place: tuple[Table, str, str],
    after: str | int | None,
    limit: int,
    again: Callable[[str, bytes], bytes],
) -> str | int | None:
    """Seal one column anew in the rows that follow ``after``; the last key looked at, None at the end.

    ``place``: table, column, and the column of the agency that it is sealed for.
    """
    table, column, agency = place
    (key,) = table.primary_key
    statement = select(key, table.c[agency], table.c[column]).where(table.c[column].is_not(None))
    statement = statement.order_by(key).limit(limit)
    rows = conn.execute(statement if after is None else statement.where(key > after)).all()
    for ident, owner, sealed in rows:
        anew = again(owner, bytes(sealed))
        if anew != sealed:
            conn.execute(update(table).where(key == ident).values({column: anew}))
    return rows[-1][0] if len(rows) == limit else None


def open_numbers(conn: Connection, after: str, limit: int) -> list[str]:
    """Open submissions in order of their numbers, for the nightly re-check and the backfill."""
    statement = select(submission.c.number).where(submission.c.state == "OPEN", submission.c.number > after)
    return [row[0] for row in conn.execute(statement.order_by(submission.c.number).limit(limit))]


def reseal(conn: Connection, number: str, sealed: bytes, reference: bytes) -> None:
    """Replace what was sealed or hashed under an older key."""
    values = {"sealed": sealed, "reference": reference}
    conn.execute(update(submission).where(submission.c.number == number).values(values))


def drop_tokens(conn: Connection, key_number: int) -> int:
    """Delete every token hashed under one key; how many there were."""
    gone = conn.execute(delete(token).where(token.c.key_number == key_number))
    return gone.rowcount


def counts(conn: Connection) -> dict[str, int]:
    """Open submissions by kind."""
    statement = select(submission.c.kind, func.count()).where(submission.c.state == "OPEN")
    return {row[0]: row[1] for row in conn.execute(statement.group_by(submission.c.kind))}


def spend(conn: Connection, day: int, agency: str, person: tuple[bytes, bytes], amount: int) -> int:
    """Add to what a user has asked for on one day; the new total. ``person`` is (hash, sealed)."""
    given = {"at": day, "of": agency, "who": person[0], "more": amount}
    found = conn.execute(_SPEND, given).scalar()
    if found is None:
        row = {"day": day, "agency": agency, "person": person[0], "sealed": person[1], "identifiers": 0}
        upsert(conn, query_count, [row], update=())
        found = conn.execute(_SPEND, given).scalar_one()
    return int(found)


def forget_counts(conn: Connection, before_day: int) -> None:
    """Forget who asked for how much on the days before this one."""
    conn.execute(delete(query_count).where(query_count.c.day < before_day))


def spent(conn: Connection, day: int, agency: str, least: int) -> list[tuple[bytes, int]]:
    """(sealed user, identifiers) of an agency's users who asked for at least so many on one day."""
    statement = select(query_count.c.sealed, query_count.c.identifiers).where(
        query_count.c.day == day, query_count.c.agency == agency, query_count.c.identifiers >= least
    )
    rows = conn.execute(statement.order_by(query_count.c.identifiers.desc()))
    return [(bytes(row[0]), int(row[1])) for row in rows]
