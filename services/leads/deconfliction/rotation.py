"""Rotates the registry's key without downtime; ``keyring`` tells the steps and why they are in this order."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

from sqlalchemy import Connection

from services.leads.deconfliction import meet, tables
from services.leads.deconfliction import registry_store as store
from services.leads.deconfliction.entering import key_of
from services.leads.deconfliction.keyring import Key, KeyRing, KeyState
from services.leads.deconfliction.registry import Registry

SETTLE_SECONDS: Final = 2.0
"""How long somebody who reads what was sealed under a former key may take."""
BATCH: Final = 200


class UnderWay(Exception):
    """Another rotation is under way, in this process or another."""


def rotate(
    registry: Registry, settle: Callable[[], None] = lambda: time.sleep(SETTLE_SECONDS)
) -> Iterator[tuple[int, int]]:
    """Move every submission to a new key; yields (how many are done, how many there are).

    A rotation cut short goes on where it was; two at a time there are none, or ``UnderWay`` is raised. The
    keys change while nobody writes; ``settle`` waits for those who read.
    """
    with registry.keys.alone() as mine:
        if not mine:
            raise UnderWay
        yield from _rotate(registry, settle)


def _rotate(registry: Registry, settle: Callable[[], None]) -> Iterator[tuple[int, int]]:
    with registry.changing_keys():
        registry.keys.add_next()
    settle()
    if any(k.state is KeyState.NEXT for k in registry.keys.ring().keys):
        yield from _backfill(registry)
        with registry.changing_keys():
            registry.keys.promote()
    _reseal(registry)
    former = [k.number for k in registry.keys.ring().keys if k.state is KeyState.PREVIOUS]
    with registry.transaction() as (conn, _):
        _forget(conn, former)
        store.forget_counts(conn, registry.clock().toordinal() + 1)
    settle()
    with registry.changing_keys() as conn:
        _forget(conn, former)  # what came in meanwhile, under this key as well
        registry.keys.drop_previous()


def _forget(conn: Connection, former: Iterable[int]) -> None:
    for number in former:
        store.drop_tokens(conn, number)


def _backfill(registry: Registry) -> Iterator[tuple[int, int]]:
    """Hash every open submission under the next key, and seal its text with it."""
    after, done = "", 0
    with registry.db.snapshot() as conn:
        total = sum(store.counts(conn).values())
    while True:
        with registry.transaction() as (conn, ring):
            coming = next(k for k in ring.keys if k.state is KeyState.NEXT)
            numbers = store.open_numbers(conn, after, BATCH)
            found = store.read(conn, numbers, lock=True)
            for stored in found.values():
                _move(conn, ring, coming, stored)
        if not numbers:
            return
        after, done = numbers[-1], done + len(numbers)
        yield done, max(done, total)


def _move(conn: Connection, ring: KeyRing, coming: Key, stored: store.Stored) -> None:
    submitted = meet.opened(ring, stored)
    if stored.state == "OPEN":
        tokens = [t for t in meet.stored_tokens(ring, submitted) if t.key_number == coming.number]
        store.add_tokens(conn, {stored.number: tokens})
    sealed = ring.seal(stored.agency, ring.open(stored.agency, stored.sealed), coming)
    reference = key_of(ring, stored.agency, submitted.reference, coming)[0]
    store.reseal(conn, stored.number, sealed, reference)


SEALED: Final = (
    (tables.submission, "sealed", "agency"),
    (tables.conflict, "evidence", "agency_a"),
    (tables.conflict, "note", "agency_a"),
    (tables.notice, "sealed", "agency"),
    (tables.notice, "acknowledged_by", "agency"),
    (tables.delivery, "address", "agency"),
    (tables.channel, "sealed", "agency"),
    (tables.lead_step, "sealed", "agency"),
)
"""Every sealed column, with the column of the agency that it is sealed for."""


def _reseal(registry: Registry) -> None:
    """Seal under the current key whatever is still sealed under the former one, some rows at a time."""
    for table, column, agency in SEALED:
        after: str | int | None = None
        while True:
            with registry.transaction() as (conn, ring):
                again = partial(_again, ring)
                after = store.reseal_page(conn, (table, column, agency), after, BATCH, again)
            if after is None:
                break


def _again(ring: KeyRing, agency: str, sealed: bytes) -> bytes:
    if ring.sealed_with(sealed) == ring.current.number:
        return sealed
    return ring.seal(agency, ring.open(agency, sealed))
