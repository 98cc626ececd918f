"""One worker: the picture, what it publishes, what it refuses, and how it finishes what was begun."""

from random import Random

import pytest

from services.fusion.fuse import Fuser
from shared.contracts.topics import H_TRACEPARENT, REPORTS
from shared.database import Database
from shared.database_outbox import unpack
from shared.errors import Transient
from shared.log import NewRecord, Position, Record
from tests.fusion.outbox import outbox_rows
from tests.fusion.schedules import Killed
from tests.fusion.tiny import Tiny, random_person
from tests.fusion.world import World, check, check_published, published, report, someone


def impatient(attempt: int) -> None:
    raise AssertionError("nobody else is there")


def fuser(db: Database, owner: str = "me") -> Fuser:
    return Fuser(db, Tiny(), owner, impatient)


@pytest.mark.parametrize("seed", range(25))
def test_one_worker_gives_the_picture_that_follows_from_the_evidence(sqlite_db: Database, seed: int) -> None:
    random = Random(seed)
    world = World()
    world.grow(random, 60)
    me = fuser(sqlite_db)
    at = [0, 0, 0]
    while any(n < len(p) for n, p in zip(at, world.partitions, strict=True)):
        i = random.randrange(3)
        size = random.choice((1, 2, 5, 20))
        assert me.handle(world.partitions[i][at[i] : at[i] + size]) == []
        at[i] += size
    check(sqlite_db, world)
    check_published(published(sqlite_db), world, random)


def test_poison_is_given_back_and_the_rest_is_fused(sqlite_db: Database) -> None:
    world = World()
    good = world.put(0, [someone("a", "1970", "x")])
    clash = report(0, 1, [someone("b")])
    bad = [
        Record(Position(REPORTS.name, 0, 90), "no-uuid", b"{", {}, 0),
        Record(Position(REPORTS.name, 0, 91), clash.report_id, clash.to_json(), {}, 0),
    ]
    refused = fuser(sqlite_db).handle([bad[0], good, bad[1]])
    assert [(r, p.step) for r, p in refused] == [(bad[0], "parse"), (bad[1], "version")]
    check(sqlite_db, world)


def test_a_repeat_is_fused_without_changing_or_publishing_anything(sqlite_db: Database) -> None:
    world = World()
    record = world.put(0, [someone("a", "1970", "x")])
    me = fuser(sqlite_db)
    me.handle([record])
    before = len(published(sqlite_db))
    assert me.handle([record, record]) == []
    assert len(published(sqlite_db)) == before
    check(sqlite_db, world)


def test_a_large_update_and_retraction_are_batches_like_any_other(sqlite_db: Database) -> None:
    random = Random(1)
    world = World()
    me = fuser(sqlite_db)
    people = [random_person(random, f"p{i}") for i in range(300)]
    for number, some in ((0, people), (0, people[::7]), (1, people)):
        me.handle([world.put(number, some)])
        check(sqlite_db, world)
    me.handle([world.retract(0), world.retract(1)])
    check(sqlite_db, world)
    check_published(published(sqlite_db), world, random)


def test_messages_carry_the_trace_and_the_moment_of_acceptance(sqlite_db: Database) -> None:
    made = report(0, 1, [someone("a", "1970", "x")])
    record = Record(
        Position(REPORTS.name, 0, 0),
        made.report_id,
        made.to_json(),
        {H_TRACEPARENT: "00-t", "secret": "x"},
        77,
    )
    me = fuser(sqlite_db)
    me.handle([record])
    [row] = outbox_rows(sqlite_db)
    [message] = unpack(row)
    assert message.headers == {H_TRACEPARENT: "00-t", "schema": "resolution/1"}
    [resolution] = published(sqlite_db)
    assert (resolution.accepted_at_ms, resolution.model, resolution.threshold) == (77, "tiny/1", 1_000)
    assert resolution.report == made


def test_a_component_too_large_for_one_message_is_cut(sqlite_db: Database) -> None:
    world = World()
    me = fuser(sqlite_db)
    # One telephone holds them together; cap 3 keys would be generic, so years tie them in a chain of pairs.
    records = [world.put(n, [someone("a", f"{1000 + n // 2}", f"{n // 2 + n % 2}")]) for n in range(900)]
    me.handle(records)
    check(sqlite_db, world)
    messages = published(sqlite_db)
    sizes = [sum(len(c.members) + len(c.pairs) for c in m.components) for m in messages]
    assert max(sizes) <= 1_000
    check_published(messages, world, Random(0))


def test_what_is_relayed_is_gone_from_the_outbox(sqlite_db: Database) -> None:
    told: list[str] = []

    class Sink:
        def append(self, topic: str, records: list[NewRecord]) -> list[Position]:
            told.extend(r.key for r in records)
            return []

    me, world = fuser(sqlite_db), World()
    for number in (0, 1):
        me.handle([world.put(number, [someone("ab"[number], f"197{number}", f"x{number}")])])
        assert me.relay(Sink()) == 1
        assert told == [report(n, 1, ()).report_id for n in range(number + 1)]
        assert [r.key for r in published(sqlite_db)] == told[-1:]
    me.leave()
    assert published(sqlite_db) == []
    assert me.relay(Sink()) == 0


STEPS = ("t1.counted", "t1.journaled", "t1.committed", "t2.read", "t3.locked", "t3.written", "t3.committed")


@pytest.mark.parametrize("error", [Killed, Transient], ids=["killed", "transient"])
@pytest.mark.parametrize("step", STEPS)
def test_what_is_begun_is_finished_by_the_next_batch(
    sqlite_db: Database, step: str, error: type[BaseException]
) -> None:
    world = World()
    me = fuser(sqlite_db)
    me.handle([world.put(0, [someone("b", "1970", "x")])])

    def fail(at: str) -> None:
        if at == step:
            raise error("now")

    me.pause = fail
    second = world.put(1, [someone("a", "1970", "x")])
    with pytest.raises(error):
        me.handle([second])
    me.pause = lambda _: None
    me.handle([second])
    check(sqlite_db, world)
    check_published(published(sqlite_db), world, Random(0))
