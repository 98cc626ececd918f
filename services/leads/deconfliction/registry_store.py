"""The registry's statements: submissions, their hashed tokens, and who else holds them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, func, select, update

from services.leads.deconfliction.tables import check, query_count, submission, token
from shared.database import advisory_lock, fetch, upsert

LOCKS: Final = 4096
_LOCK_BASE: Final = 0x0DEC_0000_0000
_PAIR_BASE: Final = 0x0DEC_0001_0000
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


_COLUMNS: Final = [submission.c[name] for name in Stored.__slots__]


def lock(conn: Connection, hashes: Iterable[bytes]) -> None:
    """Let nobody else submit or look up these tokens until the transaction ends.

    The locks are few and taken in order, so any two transactions with a token in common take turns and
    none waits in a circle.
    """
    for number in sorted({int.from_bytes(h[:2]) % LOCKS for h in hashes}):
        advisory_lock(conn, _LOCK_BASE + number)


def lock_pairs(conn: Connection, conflict_ids: Iterable[str]) -> None:
    """Let nobody else enter these conflicts until the transaction ends; taken once, in order."""
    for number in sorted({int(i[:4], 16) % LOCKS for i in conflict_ids}):
        advisory_lock(conn, _PAIR_BASE + number)


def by_reference(conn: Connection, agency: str, reference: Collection[bytes]) -> Stored | None:
    """The agency's submission under its own reference, hashed under any live key."""
    found = conn.execute(
        select(*_COLUMNS).where(submission.c.agency == agency, submission.c.reference.in_(list(reference)))
    ).first()
    return None if found is None else Stored(*found)


def read(conn: Connection, numbers: Iterable[str], *, lock: bool = False) -> dict[str, Stored]:
    """The submissions of these numbers; ``lock``: nobody changes them until the transaction ends."""
    lock = lock and conn.dialect.name == "postgresql"
    rows = fetch(conn, submission, Stored.__slots__, "number", numbers, lock=lock)
    return {row[0]: Stored(*row) for row in rows}


def write(
    conn: Connection, row: dict[str, Any], tokens: Sequence[StoredToken], *, replaces: bool = False
) -> None:
    """Store a submission with its tokens, or put a newer content in its place; and ask for its check."""
    number = row["number"]
    if replaces:
        conn.execute(delete(token).where(token.c.number == number))
        conn.execute(update(submission).where(submission.c.number == number).values(row))
    else:
        conn.execute(submission.insert().values(row))
    add_tokens(conn, number, tokens)
    ask(conn, [number], row["checked_ms"])


def add_tokens(conn: Connection, number: str, tokens: Sequence[StoredToken]) -> None:
    """Add tokens to a submission; those that are there stay."""
    rows = [
        {"hash": t.hash, "number": number, "key_number": t.key_number, "cls": t.cls, "qualified": t.qualified}
        for t in sorted(tokens, key=lambda t: t.hash)
    ]
    upsert(conn, token, rows, update=())


def ask(conn: Connection, numbers: Sequence[str], due_ms: int) -> None:
    """Have the matches of these submissions worked out."""
    upsert(conn, check, [{"number": n, "due_ms": due_ms} for n in sorted(numbers)], update=())


def asked(conn: Connection, now_ms: int, limit: int) -> list[str]:
    """Submissions whose check is due, locked for this transaction; other workers pass over them."""
    statement = (
        select(check.c.number).where(check.c.due_ms <= now_ms).order_by(check.c.due_ms, check.c.number)
    )
    statement = statement.limit(limit).with_for_update(skip_locked=True)
    return [row[0] for row in conn.execute(statement)]


def answered(conn: Connection, numbers: Sequence[str], now_ms: int) -> None:
    """These checks are done."""
    conn.execute(delete(check).where(check.c.number.in_(list(numbers))))
    conn.execute(update(submission).where(submission.c.number.in_(list(numbers))).values(checked_ms=now_ms))


def is_asked(conn: Connection, now_ms: int) -> bool:
    """Whether a check is due."""
    return conn.execute(select(check.c.number).where(check.c.due_ms <= now_ms).limit(1)).first() is not None


def unchecked(conn: Connection, before_ms: int, limit: int) -> list[str]:
    """Open submissions that were last checked before then and do not wait for a check, oldest first."""
    statement = (
        select(submission.c.number)
        .where(submission.c.state == "OPEN", submission.c.checked_ms < before_ms)
        .where(submission.c.number.not_in(select(check.c.number)))
    )
    return [row[0] for row in conn.execute(statement.order_by(submission.c.checked_ms).limit(limit))]


def holders(
    conn: Connection, hashes: Collection[bytes], number: str, *, each: int | None = None
) -> list[Holder]:
    """Who else holds one of these tokens; with ``each``: at most so many of one token, the newest."""
    found: list[Holder] = []
    if each is None:
        rows = fetch(conn, token, Holder.__slots__, "hash", hashes)
        return [Holder(bytes(r[0]), *r[1:]) for r in rows if r[1] != number]
    for one in sorted(hashes):
        rows = conn.execute(
            select(token.c.hash, token.c.number, token.c.cls, token.c.qualified)
            .where(token.c.hash == one, token.c.number != number)
            .order_by(token.c.number.desc())
            .limit(each)
        )
        found += [Holder(bytes(r[0]), *r[1:]) for r in rows]
    return found


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


def is_over(conn: Connection, now_ms: int) -> bool:
    """Whether the time of an open submission has passed."""
    found = select(submission.c.number).where(submission.c.state == "OPEN", submission.c.expires_ms <= now_ms)
    return conn.execute(found.limit(1)).first() is not None


def reseal_column(
    conn: Connection, table: Table, column: str, agency: str, open_and_seal: Callable[[str, bytes], bytes]
) -> None:
    """Seal one column of a whole table anew; ``agency`` names the column of the agency it is sealed for."""
    (key,) = table.primary_key
    rows = conn.execute(select(key, table.c[agency], table.c[column]).where(table.c[column].is_not(None)))
    for ident, owner, sealed in rows.all():
        again = open_and_seal(owner, bytes(sealed))
        if again != sealed:
            conn.execute(update(table).where(key == ident).values({column: again}))


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
    where = (query_count.c.day == day, query_count.c.agency == agency, query_count.c.person == person[0])
    more = update(query_count).where(*where).values(identifiers=query_count.c.identifiers + amount)
    more_now = more.returning(query_count.c.identifiers)
    found = conn.execute(more_now).scalar()
    if found is None:
        row = {"day": day, "agency": agency, "person": person[0], "sealed": person[1], "identifiers": 0}
        upsert(conn, query_count, [row], update=())
        found = conn.execute(more_now).scalar_one()
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
