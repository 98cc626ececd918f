"""Rotates the registry's key without downtime; ``keyring`` tells the steps and why they are in this order."""

import time
from collections.abc import Callable, Iterator
from typing import Final

from services.leads.deconfliction import meet, tables
from services.leads.deconfliction import registry_store as store
from services.leads.deconfliction.keyring import KeyState
from services.leads.deconfliction.registry import Registry, key_of

SETTLE_SECONDS: Final = 2.0
"""How long a request that began under the former keys may still run."""
BATCH: Final = 200


def rotate(
    registry: Registry, settle: Callable[[], None] = lambda: time.sleep(SETTLE_SECONDS)
) -> Iterator[tuple[int, int]]:
    """Move every submission to a new key; yields (how many are done, how many there are).

    A rotation cut short goes on where it was. ``settle`` waits until every process has read the key file
    again.
    """
    registry.keys.add_next()
    settle()
    if any(k.state is KeyState.NEXT for k in registry.keys.ring().keys):
        yield from _backfill(registry)
        registry.keys.promote()
        settle()
    _reseal(registry)
    former = [k.number for k in registry.keys.ring().keys if k.state is KeyState.PREVIOUS]
    with registry.transaction() as conn:
        for number in former:
            store.drop_tokens(conn, number)
        store.forget_counts(conn, registry.clock().toordinal() + 1)
    registry.keys.drop_previous()


def _backfill(registry: Registry) -> Iterator[tuple[int, int]]:
    """Hash every open submission under the next key, and seal its text with it."""
    after, done = "", 0
    ring = registry.keys.ring()
    coming = next(k for k in ring.keys if k.state is KeyState.NEXT)
    with registry.db.snapshot() as conn:
        total = sum(store.counts(conn).values())
    while True:
        with registry.transaction() as conn:
            numbers = store.open_numbers(conn, after, BATCH)
            for number, stored in store.read(conn, numbers, lock=True).items():
                submitted = meet.opened(ring, stored)
                tokens = [t for t in meet.stored_tokens(ring, submitted) if t.key_number == coming.number]
                if stored.state == "OPEN":
                    store.add_tokens(conn, number, tokens)
                sealed = ring.seal(stored.agency, ring.open(stored.agency, stored.sealed), coming)
                reference = key_of(ring, stored.agency, submitted.reference, coming)[0]
                store.reseal(conn, number, sealed, reference)
        if not numbers:
            return
        after, done = numbers[-1], done + len(numbers)
        yield done, max(done, total)


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
    """Seal under the current key whatever is still sealed under the former one."""
    ring = registry.keys.ring()

    def again(agency: str, sealed: bytes) -> bytes:
        if ring.sealed_with(sealed) == ring.current.number:
            return sealed
        return ring.seal(agency, ring.open(agency, sealed))

    for table, column, agency in SEALED:
        with registry.transaction() as conn:
            store.reseal_column(conn, table, column, agency, again)
