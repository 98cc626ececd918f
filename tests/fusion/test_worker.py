"""The handler that the worker's loop drives."""

import pytest
from sqlalchemy import select

from services.fusion import tables
from services.fusion.recover import LEASE
from services.fusion.worker import BEAT, FusionHandler
from shared.contracts.topics import REPORTS
from shared.database import Database
from shared.log import NewRecord, Position, Record
from shared.telemetry import FUSED
from tests.fusion.outbox import outbox_rows
from tests.fusion.tiny import Tiny
from tests.fusion.world import World, check, someone


class Sink:
    """A log that takes everything."""

    def __init__(self) -> None:
        self.taken: list[NewRecord] = []

    def append(self, topic: str, records: list[NewRecord]) -> list[Position]:
        self.taken += records
        return []


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def beats(db: Database) -> dict[str, float]:
    with db.snapshot() as conn:
        return {row.owner: row.beat for row in conn.execute(select(tables.worker))}


def test_a_batch_is_fused_counted_and_sent(sqlite_db: Database, clock: Clock) -> None:
    sink, world = Sink(), World()
    handler = FusionHandler(sqlite_db, sink, Tiny(), "me", clock)
    before = FUSED._value.get()
    bad = Record(Position(REPORTS.name, 0, 9), "no-uuid", b"{", {}, 0)
    [dead] = handler.handle([world.put(0, [someone("a", "1970", "x")]), bad])
    assert (dead.record, dead.step) == (bad, "parse")
    assert "not a report" in dead.error
    assert FUSED._value.get() == before + 1
    handler.relay()
    assert len(sink.taken) == 1
    handler.relay()
    assert len(sink.taken) == 1
    assert outbox_rows(sqlite_db) == []
    check(sqlite_db, world)


def test_it_says_now_and_then_that_it_lives(sqlite_db: Database, clock: Clock) -> None:
    handler = FusionHandler(sqlite_db, Sink(), Tiny(), "me", clock)
    handler.relay()
    assert beats(sqlite_db) == {"me": 1_000.0}
    clock.now += BEAT / 2
    handler.relay()
    assert beats(sqlite_db) == {"me": 1_000.0}
    clock.now += BEAT
    handler.handle([])
    assert beats(sqlite_db) == {"me": clock.now}


def test_an_idle_worker_sends_what_a_dead_one_left(sqlite_db: Database, clock: Clock) -> None:
    left, world = FusionHandler(sqlite_db, Sink(), Tiny(), "left", clock), World()
    left.handle([world.put(0, [someone("a", "1970", "x")])])
    sink = Sink()
    handler = FusionHandler(sqlite_db, sink, Tiny(), "me", clock)
    handler.relay()
    assert sink.taken == []
    clock.now += LEASE + 1
    handler.relay()
    assert len(sink.taken) == 1
    check(sqlite_db, world)
