"""Taking SQLite's one write lock, for the log and for the databases."""

import random
import sqlite3
import time
from typing import Final

BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
"""The codes of a file that somebody else is using."""


def begin_immediate(connection: sqlite3.Connection, seconds: float) -> None:
    """BEGIN IMMEDIATE, trying every millisecond or so: SQLite's own waiting backs off to 100 ms.

    ``connection`` has a busy timeout of 0. Raises ``sqlite3.OperationalError`` where the file is still taken
    after ``seconds``, or cannot be written at all.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(moment())
        else:
            return


def moment() -> float:
    """About a millisecond, never twice the same: it spreads those who wait."""
    return random.uniform(0.0002, 0.002)  # noqa: S311 - decides nothing
