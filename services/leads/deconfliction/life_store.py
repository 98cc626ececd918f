"""The statements of leads' lives: the steps people took, on what basis, and the submissions made for them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

import orjson
import xxhash
from sqlalchemy import Connection, delete, func, select

from services.leads.deconfliction.tables import lead_basis, lead_check, lead_step
from shared.contracts.handling import Audience, Clearance
from shared.database import advisory_lock, fetch, upsert

_LEAD_BASE: Final = 0x0DEC_0002_0000
OPEN: Final = 0
"""The basis of what everybody may see."""
MANY: Final = 20_000
"""Of the leads that a state is asked for, the newest so many are looked at."""


@dataclass(frozen=True, slots=True)
class StoredStep:
    """A step as stored; ``sealed`` opens with its agency's key."""

    step_id: int
    lead_id: str
    basis_id: int
    step: str
    agency: str
    sealed: bytes
    at_ms: int
    outcome: str | None = None


_BASES: Final = select(lead_basis.c.basis_id, lead_basis.c.audiences)
_STEP: Final = [lead_step.c[name] for name in StoredStep.__slots__]


def basis_of(audiences: Iterable[str]) -> tuple[int, str]:
    """The id and text of a basis: the audiences (keys) of everything that a version of a lead was made of."""
    text = orjson.dumps(sorted(set(audiences) - {"*"})).decode()
    return (OPEN if text == "[]" else xxhash.xxh3_64_intdigest(text.encode()) >> 1 or 1), text


def bases(conn: Connection) -> dict[int, tuple[Audience, ...]]:
    """Every basis that a step was ever taken on."""
    return {i: _audiences(text) for i, text in conn.execute(_BASES)}


@lru_cache(maxsize=4_096)
def _audiences(text: str) -> tuple[Audience, ...]:
    return tuple(Audience.parse(key) for key in orjson.loads(text))


def readable(found: Mapping[int, tuple[Audience, ...]], viewer: Clearance) -> list[int]:
    """The bases of which the viewer may see every part."""
    return sorted(i for i, parts in found.items() if all(a.includes(viewer) for a in parts))


def below(found: Mapping[int, tuple[Audience, ...]], basis_id: int) -> list[int]:
    """The bases that whoever may see this one may see as well."""
    whole = set(found[basis_id])
    return sorted(i for i, parts in found.items() if whole.issuperset(parts))


def lock(conn: Connection, lead_id: str) -> None:
    """Let nobody else take a step with this lead until the transaction ends."""
    advisory_lock(conn, _LEAD_BASE + int(lead_id[:4], 16))


def add_step(conn: Connection, audiences: Iterable[str], row: Mapping[str, Any]) -> None:
    """Enter a step that was taken on these audiences."""
    conn.execute(lead_step.insert().values({**row, "basis_id": note_basis(conn, audiences)}))


def note_basis(conn: Connection, audiences: Iterable[str]) -> int:
    """Remember a basis; its id."""
    basis_id, text = basis_of(audiences)
    upsert(conn, lead_basis, [{"basis_id": basis_id, "audiences": text}], update=())
    return basis_id


def repeat_step(conn: Connection, basis_id: int, row: Mapping[str, Any]) -> None:
    """Enter a step on a basis that is known."""
    conn.execute(lead_step.insert().values({**row, "basis_id": basis_id}))


def steps(
    conn: Connection, lead_ids: Collection[str], basis_ids: Collection[int]
) -> dict[str, list[StoredStep]]:
    """The steps of each lead on these bases, in order."""
    found: dict[str, list[StoredStep]] = {}
    wanted = sorted(lead_ids)
    for start in range(0, len(wanted), 500):
        statement = select(*_STEP).where(
            lead_step.c.lead_id.in_(wanted[start : start + 500]), lead_step.c.basis_id.in_(list(basis_ids))
        )
        for row in conn.execute(statement.order_by(lead_step.c.step_id)):
            found.setdefault(row[1], []).append(StoredStep(*row))
    return found


def repeated(conn: Connection, repeat: Collection[bytes]) -> StoredStep | None:
    """What somebody said before under this key, hashed under any live key."""
    found = conn.execute(select(*_STEP).where(lead_step.c.repeat.in_(list(repeat)))).first()
    return None if found is None else StoredStep(*found)


def outcomes(conn: Connection) -> dict[str, tuple[str, str]]:
    """(outcome, rules) that was said last of each of the newest ``MANY`` leads that everybody may see."""
    statement = select(lead_step.c.lead_id, lead_step.c.outcome, lead_step.c.rules)
    statement = statement.where(lead_step.c.basis_id == OPEN, lead_step.c.outcome.is_not(None))
    rows = conn.execute(statement.order_by(lead_step.c.step_id.desc()).limit(MANY)).all()
    return {row[0]: (row[1], row[2] or "") for row in reversed(rows)}


def touched(conn: Connection, basis_ids: Collection[int]) -> list[str]:
    """The leads that had a step on these bases, the newest ``MANY``."""
    newest = func.max(lead_step.c.step_id)
    statement = select(lead_step.c.lead_id).where(lead_step.c.basis_id.in_(list(basis_ids)))
    return [
        r[0]
        for r in conn.execute(statement.group_by(lead_step.c.lead_id).order_by(newest.desc()).limit(MANY))
    ]


def add_checks(conn: Connection, numbers: Iterable[str], lead_id: str, basis_id: int, at_ms: int) -> None:
    """Remember the submissions that were made for a lead, and when they were answered."""
    rows = [
        {"number": n, "lead_id": lead_id, "basis_id": basis_id, "checked_ms": at_ms}
        for n in sorted(set(numbers))
    ]
    upsert(conn, lead_check, rows)


def checks(conn: Connection, lead_id: str, basis_ids: Collection[int]) -> list[tuple[str, int]]:
    """(number, answered at) of the submissions made for a lead on these bases."""
    statement = select(lead_check.c.number, func.max(lead_check.c.checked_ms)).where(
        lead_check.c.lead_id == lead_id, lead_check.c.basis_id.in_(list(basis_ids))
    )
    return [
        (r[0], r[1])
        for r in conn.execute(statement.group_by(lead_check.c.number).order_by(lead_check.c.number))
    ]


def leads_of(conn: Connection, numbers: Iterable[str]) -> list[tuple[str, str, int]]:
    """(submission, lead, basis) that these were made for, in the order in which leads are locked."""
    rows = fetch(conn, lead_check, ("number", "lead_id", "basis_id"), "number", numbers)
    return sorted(rows, key=itemgetter(1, 0, 2))


def forget_checks(conn: Connection, lead_id: str, basis_ids: Collection[int]) -> None:
    """The lead is done with: its submissions are nobody's business any more."""
    mine = (lead_check.c.lead_id == lead_id, lead_check.c.basis_id.in_(list(basis_ids)))
    conn.execute(delete(lead_check).where(*mine))
