"""Keeping the SQLite log small: compaction and retention, a bounded slice at a time.

Compaction walks each slot of a compacted topic once, from its oldest record on, and keeps in a table where
the latest record of each key stands; when a later one comes by, the earlier is deleted. A tombstone goes
once it is older than the grace period and every group has read past it. Retention deletes the oldest
records of the other topics. Offsets are never used again.
"""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import xxhash

SLICE: Final = 2_000
"""Records looked at, at most, in one step."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """How the log keeps itself small. ``lag_ms``: younger records are left alone; ``grace_ms``: how long a
    tombstone stays at least; ``every_ms``: the pause once there is nothing to do; ``slice_s``: seconds that
    one slice may hold up the writers."""

    lag_ms: int
    grace_ms: int
    every_ms: int = 5_000
    slice_s: float = 0.05


def due(connection: sqlite3.Connection, upkeep: Upkeep, now_ms: int) -> bool:
    """Whether somebody should tidy (a turn far ahead was set by a clock that has been set back since)."""
    turn: int = connection.execute("SELECT due_ms FROM housekeeping").fetchone()[0]
    return not now_ms < turn <= now_ms + 10 * upkeep.every_ms


def claim(connection: sqlite3.Connection, upkeep: Upkeep, now_ms: int) -> bool:
    """Whether it is this process's turn; if so, nobody else's for a while."""
    if not due(connection, upkeep, now_ms):
        return False
    connection.execute("UPDATE housekeeping SET due_ms = ?", (now_ms + upkeep.every_ms,))
    return True


def tidy(
    connection: sqlite3.Connection, upkeep: Upkeep, now_ms: int, clock: Callable[[], float] = time.monotonic
) -> None:
    """One slice of work on every slot that needs it, for as long as the slice lasts.

    If there is more, this process or another may go on after a tenth of the usual pause.
    """
    deadline = clock() + upkeep.slice_s
    more = False
    slots = connection.execute(
        "SELECT s.id, s.clean, t.compacted, t.retention_ms FROM slot s JOIN topic t ON t.name = s.topic"
        " ORDER BY s.next - s.clean DESC"
    ).fetchall()
    for slot, clean, compacted, retention_ms in slots:
        if clock() > deadline:
            more = True
            break
        if compacted:
            more |= _compact(connection, slot, clean, now_ms - upkeep.lag_ms)
            more |= _drop_tombstones(connection, slot, now_ms - upkeep.grace_ms)
        elif retention_ms is not None:
            more |= _expire(connection, slot, now_ms - retention_ms)
    if more:
        connection.execute("UPDATE housekeeping SET due_ms = ?", (now_ms + upkeep.every_ms // 10,))


def _compact(connection: sqlite3.Connection, slot: int, clean: int, before_ms: int) -> bool:
    """Look at the next records of a slot; whether there are more that are old enough."""
    rows = connection.execute(
        f"SELECT offset, timestamp_ms, key, value IS NULL FROM record_{slot}"  # noqa: S608 - an integer
        " WHERE offset >= ? ORDER BY offset LIMIT ?",
        (clean, SLICE),
    ).fetchall()
    latest: dict[str, int] = {}
    superseded: list[tuple[int]] = []
    tombstones: list[tuple[int, int, int]] = []
    for offset, timestamp_ms, key, dead in rows:
        if timestamp_ms > before_ms:
            break
        if key in latest:
            superseded.append((latest[key],))
        latest[key] = offset
        clean = offset + 1
        if dead:
            tombstones.append((slot, offset, timestamp_ms))
    if not latest:
        return False
    hashes = sorted((_hash(key), key, offset) for key, offset in latest.items())
    superseded += _earlier(connection, slot, hashes)
    connection.executemany(f"DELETE FROM record_{slot} WHERE offset = ?", superseded)  # noqa: S608 - an integer
    connection.executemany(
        "DELETE FROM tombstone WHERE slot = ? AND offset = ?", [(slot, o) for (o,) in superseded]
    )
    connection.executemany(
        f"INSERT INTO latest_{slot} VALUES (?, ?) ON CONFLICT(hash) DO UPDATE SET offset = excluded.offset",  # noqa: S608
        [(digest, offset) for digest, _, offset in hashes],
    )
    gone = {offset for (offset,) in superseded}
    connection.executemany(
        "INSERT INTO tombstone VALUES (?, ?, ?)", [t for t in tombstones if t[1] not in gone]
    )
    connection.execute("UPDATE slot SET clean = ? WHERE id = ?", (clean, slot))
    return len(rows) == SLICE and clean == rows[-1][0] + 1


def _earlier(
    connection: sqlite3.Connection, slot: int, hashes: list[tuple[int, str, int]]
) -> list[tuple[int]]:
    """The earlier record of each of these keys that has one (the key itself decides, not its hash)."""
    found = []
    for digest, key, _ in hashes:
        row = connection.execute(
            f"SELECT l.offset FROM latest_{slot} l JOIN record_{slot} r ON r.offset = l.offset"  # noqa: S608 - integers
            " WHERE l.hash = ? AND r.key = ?",
            (digest, key),
        ).fetchone()
        if row:
            found.append(row)
    return found


def _hash(key: str) -> int:
    """64 bits of a key, signed as SQLite's integers are."""
    return xxhash.xxh3_64_intdigest(key.encode()) - (1 << 63)


def _drop_tombstones(connection: sqlite3.Connection, slot: int, before_ms: int) -> bool:
    """Delete tombstones that were kept long enough and that every group has read; whether more are left."""
    old = connection.execute(
        "SELECT offset FROM tombstone WHERE slot = ? AND timestamp_ms <= ?"
        " AND offset < (SELECT COALESCE(min(next), (SELECT next FROM slot WHERE id = ?))"
        "  FROM progress WHERE slot = ?)"
        " ORDER BY offset LIMIT ?",
        (slot, before_ms, slot, slot, SLICE),
    ).fetchall()
    for (offset,) in old:
        key = connection.execute(f"SELECT key FROM record_{slot} WHERE offset = ?", (offset,)).fetchone()  # noqa: S608
        if key:
            connection.execute(
                f"DELETE FROM latest_{slot} WHERE hash = ? AND offset = ?",  # noqa: S608 - an integer
                (_hash(key[0]), offset),
            )
    connection.executemany(f"DELETE FROM record_{slot} WHERE offset = ?", old)  # noqa: S608 - an integer
    connection.executemany("DELETE FROM tombstone WHERE slot = ? AND offset = ?", [(slot, o) for (o,) in old])
    return len(old) == SLICE


def _expire(connection: sqlite3.Connection, slot: int, before_ms: int) -> bool:
    """Delete the oldest records that were kept long enough; whether more are left."""
    rows = connection.execute(
        f"SELECT offset, timestamp_ms FROM record_{slot} ORDER BY offset LIMIT ?",  # noqa: S608 - an integer
        (SLICE,),
    ).fetchall()
    old = 0
    while old < len(rows) and rows[old][1] < before_ms:
        old += 1
    if old:
        connection.execute(f"DELETE FROM record_{slot} WHERE offset <= ?", (rows[old - 1][0],))  # noqa: S608
    return old == SLICE
