"""After a crash: finish the work and send the messages of workers that are gone.

Each worker says now and then that it lives. One that has been silent for a lease, or whose process has
ended on this machine, is gone; whoever notices adopts what it left. A worker that was only slow loses
nothing: every step is idempotent, and both finishing is as good as one.
"""

import os
import socket
from collections.abc import Callable
from typing import Final
from uuid import uuid4

from services.fusion import journal_store
from services.fusion.fuse import Fuser
from shared.database import Database

LEASE: Final = 30.0
"""Seconds of silence after which a worker counts as gone; it should speak several times within."""


def new_owner() -> str:
    """A name for this worker: machine, process, and a part that no other run has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:12]}"


def ended_here(owner: str) -> bool:
    """Whether ``owner`` was a process of this machine that has ended; False where that cannot be known."""
    host, _, rest = owner.partition(":")
    number = rest.partition(":")[0]
    if host != socket.gethostname() or not number.isdigit():
        return False
    if int(number) == os.getpid():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def beat(db: Database, owner: str, now: float) -> None:
    """Say that this worker lives."""
    with db.transaction() as conn:
        journal_store.beat(conn, owner, now)


def resign(db: Database, owner: str) -> None:
    """Say that this worker has ended in order."""
    with db.transaction() as conn:
        journal_store.resign(conn, owner)


def recover(fuser: Fuser, now: float, ended: Callable[[str], bool] = ended_here) -> set[str]:
    """Adopt and finish what workers that are gone, and this one, have left; the names of those gone."""
    with fuser.db.snapshot() as conn:
        others = journal_store.owners(conn) - {fuser.owner}
        living = journal_store.living(conn, now - LEASE) if others else set()
    gone = {owner for owner in others if owner not in living or ended(owner)}
    if gone:
        fuser.unsure = True
        with fuser.db.transaction() as conn:
            journal_store.adopt(conn, gone, fuser.owner)
    fuser.catch_up()
    return gone
