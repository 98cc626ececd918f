"""Recovery of dead workers, rebuilding, republishing, and the schema."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select

from services.fusion import tables
from services.fusion.fuse import Fuser
from services.fusion.rebuild import check_model, rebuild, republish
from services.fusion.recover import LEASE, beat, ended_here, new_owner, recover, resign
from services.fusion.worker import FusionHandler
from shared.contracts.resolution import Resolution
from shared.contracts.topics import FUSION_GROUP, JUDGEMENTS, REPORTS, RESOLUTIONS, TOPICS
from shared.database import Database
from shared.errors import Misconfigured
from shared.log import Log, NewRecord, Position, open_log
from tests.fusion.schedules import Killed
from tests.fusion.tiny import Tiny
from tests.fusion.world import World, check, check_published, message_of, someone


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    found = open_log(f"sqlite:///{tmp_path / 'log.db'}?partitions=2")
    found.ensure(TOPICS)
    yield found
    found.close()


def nobody(attempt: int) -> None:
    raise AssertionError("nobody else is there")


def killed_at(db: Database, world: World, owner: str, step: str) -> None:
    """A worker that dies while it fuses a report."""
    worker = Fuser(db, Tiny(), owner, nobody)

    def fail(at: str) -> None:
        if at == step:
            raise Killed

    worker.pause = fail
    with pytest.raises(Killed):
        worker.handle([world.put(len(world.versions), [someone("a", "1970", "x")])])


def test_who_is_silent_for_a_lease_is_gone_and_its_work_is_finished(sqlite_db: Database) -> None:
    world = World()
    beat(sqlite_db, "dead", 0.0)
    killed_at(sqlite_db, world, "dead", "t2.read")
    me = Fuser(sqlite_db, Tiny(), "me", nobody)
    assert recover(me, LEASE - 1, lambda _: False) == set()
    assert recover(me, LEASE + 1, lambda _: False) == {"dead"}
    check(sqlite_db, world)
    assert recover(me, LEASE + 1, lambda _: False) == set()


def test_who_resigned_leaves_what_it_had_not_sent(sqlite_db: Database) -> None:
    world = World()
    beat(sqlite_db, "left", 0.0)
    Fuser(sqlite_db, Tiny(), "left", nobody).handle([world.put(0, [someone("a", "1970", "x")])])
    resign(sqlite_db, "left")
    me = Fuser(sqlite_db, Tiny(), "me", nobody)
    assert recover(me, 1.0, lambda _: False) == {"left"}
    check(sqlite_db, world)


def test_a_process_of_this_machine_that_has_ended_is_gone_at_once() -> None:
    host = socket.gethostname()
    assert not ended_here(new_owner())
    assert not ended_here(f"elsewhere.{host}:1:x")
    assert not ended_here("someone")
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert ended_here(f"{host}:{pid}:x")


def fill(log: Log, world: World) -> None:
    """The world's records in a real log."""
    for record in sorted((r for p in world.partitions for r in p), key=lambda r: r.position.offset):
        log.append(record.position.topic, [NewRecord(record.key, record.value)])


def fuse_all(handler: FusionHandler, log: Log) -> None:
    """What the worker's loop does, until nothing is left."""
    for topic in (REPORTS.name, JUDGEMENTS.name):
        for partition, end in log.ends(topic).items():
            records = log.read(Position(topic, partition, 0), 10_000)
            assert not records or records[-1].position.offset == end - 1
            assert handler.handle(records) == []
    handler.relay()


def sent(log: Log, since: dict[int, int] | None = None) -> list[Resolution]:
    """The messages of the log, or those after these ends."""
    return [
        message_of(NewRecord(r.key, r.value))
        for partition in log.ends(RESOLUTIONS.name)
        for r in log.read(Position(RESOLUTIONS.name, partition, (since or {}).get(partition, 0)), 100_000)
    ]


def test_a_republication_gives_a_new_reader_the_whole_picture(sqlite_db: Database, log: Log) -> None:
    world = World()
    world.grow(Random(5), 80)
    fill(log, world)
    handler = FusionHandler(sqlite_db, log, Tiny(), "me", lambda: 0.0)
    fuse_all(handler, log)
    at_first = log.ends(RESOLUTIONS.name)
    told: list[int] = []
    count = republish(handler.fuser, log, told.append)
    messages = sent(log, at_first)
    assert count == told[-1] == len(messages)
    check_published(messages, world, Random(1))


def test_an_interrupted_republication_goes_on_where_it_was(sqlite_db: Database, log: Log) -> None:
    world = World()
    world.grow(Random(7), 60)
    fill(log, world)
    handler = FusionHandler(sqlite_db, log, Tiny(), "me", lambda: 0.0)
    fuse_all(handler, log)
    at_first = log.ends(RESOLUTIONS.name)

    def interrupt(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        republish(handler.fuser, log, interrupt)
    begun = len(sent(log, at_first))
    assert begun > 0
    republish(handler.fuser, log)
    messages = sent(log, at_first)
    reports = [m.report_id for m in messages if m.report_id]
    assert len(reports) == len(set(reports))
    check_published(messages, world, Random(1))


def test_a_changed_model_is_refused_until_the_picture_is_made_anew(sqlite_db: Database, log: Log) -> None:
    world = World()
    world.grow(Random(6), 40)
    fill(log, world)
    check_model(sqlite_db, "one")
    check_model(sqlite_db, "one")
    fuse_all(FusionHandler(sqlite_db, log, Tiny(), "me", lambda: 0.0), log)
    with pytest.raises(Misconfigured, match="--rebuild"):
        check_model(sqlite_db, "two")
    rebuild(sqlite_db, log)
    check_model(sqlite_db, "two")
    assert set(log.committed(FUSION_GROUP, REPORTS.name).values()) == {0}
    fuse_all(FusionHandler(sqlite_db, log, Tiny(), "other", lambda: 0.0), log)
    check(sqlite_db, world)
    check_published(sent(log), world, Random(1))


def test_migrations_and_tables_agree(sqlite_db: Database) -> None:
    with sqlite_db.snapshot() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": False})
        assert compare_metadata(context, tables.metadata) == []
        assert conn.execute(select(tables.report)).all() == []
