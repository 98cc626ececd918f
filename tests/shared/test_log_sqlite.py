"""The SQLite log keeps the contract, and what is its own: one file, several processes, a disk that fills."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import log_sqlite_compact_store as compaction
from shared import log_sqlite_group_store as groups
from shared import log_sqlite_store as store
from shared.contracts.topics import Topic
from shared.errors import Misconfigured, Transient
from shared.log import NewRecord, Position, open_log
from tests.shared.log_contract import KEPT, PASSING, ROOT, LogContract, drain, everything, until, values


class TestSqliteLog(LogContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite://{tmp_path}/log.db?partitions=4&life=1.5"

    @pytest.fixture
    def compactable_url(self, url: str) -> str:
        return f"{url}&compaction_lag=0&tombstone_grace=0&upkeep=0.1"

    @pytest.fixture
    def away(
        self, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> tuple[str, Callable[[], AbstractContextManager[None]]]:
        monkeypatch.setattr(store, "CONTENTION", 0.3)

        @contextmanager
        def absence() -> Iterator[None]:
            """Somebody else holds the file and does not let go."""
            hog = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
            hog.execute("BEGIN IMMEDIATE")
            yield
            hog.execute("ROLLBACK")
            hog.close()

        return url, absence


def fresh(tmp_path: Path) -> sqlite3.Connection:
    """A log's file with its tables, written to directly."""
    store.create(tmp_path / "log.db")
    return store.connect(tmp_path / "log.db")


def put(connection: sqlite3.Connection, topic: Topic, records: list[NewRecord], now_ms: int) -> None:
    with store.transaction(connection, Path()):
        store.create_topic(connection, topic, 1)
        store.insert(connection, store.slots_of(connection, topic.name), records, now_ms)


def keys(connection: sqlite3.Connection, topic: Topic) -> list[str]:
    [slot] = store.slots_of(connection, topic.name)
    return [r.key for r in store.select(connection, slot, Position(topic.name, 0, 0), 10_000, 1 << 30)]


def tidy(connection: sqlite3.Connection, upkeep: compaction.Upkeep, now_ms: int) -> None:
    with store.transaction(connection, Path()):
        compaction.tidy(connection, upkeep, now_ms, clock=lambda: 0.0)


def test_processes_write_one_file_at_once(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/log.db"
    command = [sys.executable, "-m", "tests.shared.log_processes", "burst", url, PASSING.name]
    started = [subprocess.Popen([*command, f"p{p}"], cwd=ROOT) for p in range(3)]
    assert [p.wait(60) for p in started] == [0, 0, 0]
    log = open_log(url)
    got = everything(log, PASSING.name)
    assert all(values([r for r in got if r.key == f"p{p}"]) == [str(n) for n in range(200)] for p in range(3))
    log.close()


def test_what_is_committed_is_on_the_disk_and_what_is_deleted_is_gone(tmp_path: Path) -> None:
    connection = fresh(tmp_path)
    settings = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in SETTINGS}
    assert settings == SETTINGS
    connection.close()


SETTINGS = {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1, "secure_delete": 1}


def test_a_full_disk_is_transient_and_names_itself(tmp_path: Path) -> None:
    log = open_log(f"sqlite://{tmp_path}/log.db?partitions=1")
    log.ensure([PASSING])
    limit = log._writer.execute(lambda c: c.execute("PRAGMA max_page_count=60").fetchone()[0])
    assert limit == 60
    with pytest.raises(Transient, match="disk of the log is full"):
        log.append(PASSING.name, [NewRecord("k", bytes(1000)) for _ in range(1000)])
    log.append(PASSING.name, [NewRecord("k", b"small")])  # on a new connection, which has no such limit
    assert values(everything(log, PASSING.name)) == ["small"]
    log.close()


def test_more_than_can_be_queued_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.log_sqlite_writer.QUEUED", 2000)
    log = open_log(f"sqlite://{tmp_path}/log.db")
    log.ensure([PASSING])
    hog = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    hog.execute("BEGIN IMMEDIATE")
    results: list[object] = []

    def send() -> None:
        try:
            results.append(log.append(PASSING.name, [NewRecord("k", bytes(700))]))
        except Transient as error:
            results.append(error)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for t in threads:
        t.start()
    until(lambda: any(isinstance(r, Transient) for r in results), 5, "some are refused while others wait")
    hog.execute("ROLLBACK")
    hog.close()
    for t in threads:
        t.join()
    assert any(isinstance(r, list) for r in results)
    log.close()


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("sqlite://relative.db", "absolute"),
        ("sqlite:///tmp/x.db?partitions=none", "partitions"),
        ("sqlite:///tmp/x.db?partitions=0", "partitions"),
        ("sqlite:///tmp/x.db?partitoins=4", "partitoins"),
        ("mysql://user:secret@host", "sqlite://"),
    ],
)
def test_a_wrong_url_is_named_without_its_password(url: str, named: str) -> None:
    with pytest.raises(Misconfigured, match=named) as wrong:
        open_log(url)
    assert "secret" not in str(wrong.value)


def test_a_file_that_is_no_log_is_misconfigured(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(Misconfigured, match=r"log\.db"):
        open_log(f"sqlite://{tmp_path}/log.db")


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "log.db")
    connection.execute(f"PRAGMA user_version={store.SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(Misconfigured, match="newer"):
        open_log(f"sqlite://{tmp_path}/log.db")


def test_a_slot_is_handed_over_only_when_its_owner_is_done(tmp_path: Path) -> None:
    log = open_log(f"sqlite://{tmp_path}/log.db?partitions=2")
    log.ensure([PASSING])
    log.append(PASSING.name, [NewRecord(f"k{n}", b"v") for n in range(20)])
    first = log.consumer("group", [PASSING.name])
    held = drain(first, 20)
    second = log.consumer("group", [PASSING.name])
    assert second.poll(100, 0.3) == []
    first.commit()
    log.append(PASSING.name, [NewRecord(f"k{n}", b"w") for n in range(20)])
    others = drain(second, 1)
    mine = drain(first, 20 - len(others))
    assert {r.position.partition for r in others} != {r.position.partition for r in mine}
    assert len(held) == 20
    first.close()
    second.close()
    log.close()


NAMES = st.sampled_from("abcde")
SLOTS = st.integers(0, 7)


@given(
    st.dictionaries(NAMES, st.frozensets(SLOTS, max_size=8), max_size=5),
    st.dictionaries(SLOTS, NAMES, max_size=8),
)
def test_shares_are_complete_even_and_stay_where_they_can(
    wants: dict[str, frozenset[int]], owners: dict[int, str]
) -> None:
    shared = groups.share(wants, owners)
    assert shared.keys() == frozenset().union(*wants.values())
    assert all(slot in wants[member] for slot, member in shared.items())
    load = {m: list(shared.values()).count(m) for m in wants}
    for slot, member in shared.items():
        for other, wanted in wants.items():
            assert slot not in wanted or load[member] <= load[other] + 1
    assert groups.share(wants, shared) == shared


def test_a_life_set_by_a_clock_that_went_back_does_not_last_for_ever(tmp_path: Path) -> None:
    connection = fresh(tmp_path)
    put(connection, PASSING, [], 0)
    ghost = groups.Member("ghost", "group", (PASSING.name,), 3000)
    living = groups.Member("living", "group", (PASSING.name,), 3000)
    groups.beat(connection, ghost, 10_000_000)
    groups.beat(connection, living, 5_000)
    assert [lease.slot for lease in groups.leases_of(connection, living)] == [1]
    assert groups.leases_of(connection, ghost) == []
    connection.close()


def test_a_promised_slot_is_taken_from_an_owner_that_never_lets_go(tmp_path: Path) -> None:
    connection = fresh(tmp_path)
    with store.transaction(connection, Path()):
        store.create_topic(connection, PASSING, 2)
    stuck = groups.Member("a", "group", (PASSING.name,), 3000)
    heir = groups.Member("b", "group", (PASSING.name,), 3000)
    for now in range(0, 40_000, 1000):
        groups.beat(connection, stuck, now)
        groups.beat(connection, heir, now)
        if now == 20_000:
            assert len(groups.leases_of(connection, stuck)) == 2
    assert len(groups.leases_of(connection, stuck)) == 1
    [taken] = groups.leases_of(connection, heir)
    with pytest.raises(Transient):
        groups.commit(connection, stuck, [(taken.slot, 1, 5)], 40_000)
    connection.close()


def test_retention_forgets_the_old_and_keeps_the_young(tmp_path: Path) -> None:
    connection = fresh(tmp_path)
    put(connection, PASSING, [NewRecord(f"old{n}", b"v") for n in range(5000)], 0)
    put(connection, PASSING, [NewRecord("young", b"v")], 6 * store.DAY_MS)
    upkeep = compaction.Upkeep(lag_ms=0, grace_ms=0)
    for _ in range(3):
        tidy(connection, upkeep, 8 * store.DAY_MS)
    assert keys(connection, PASSING) == ["young"]
    put(connection, PASSING, [NewRecord("next", b"v")], 9 * store.DAY_MS)
    assert store.ends(connection, PASSING.name) == {0: 5002}
    connection.close()


def test_young_records_are_not_compacted(tmp_path: Path) -> None:
    connection = fresh(tmp_path)
    upkeep = compaction.Upkeep(lag_ms=1000, grace_ms=0)
    put(connection, KEPT, [NewRecord("a", b"1"), NewRecord("a", b"2")], 0)
    tidy(connection, upkeep, 500)
    assert keys(connection, KEPT) == ["a", "a"]
    tidy(connection, upkeep, 1500)
    assert keys(connection, KEPT) == ["a"]
    connection.close()


def test_a_tombstone_stays_until_it_is_old_and_every_group_has_read_it(tmp_path: Path) -> None:
    connection = fresh(tmp_path)
    upkeep = compaction.Upkeep(lag_ms=0, grace_ms=10_000)
    put(connection, KEPT, [NewRecord("a", b"1"), NewRecord("b", b"1")], 0)
    member = groups.Member("m", "slow", (KEPT.name,), 3000)
    groups.beat(connection, member, 0)
    [lease] = groups.leases_of(connection, member)
    groups.commit(connection, member, [(lease.slot, lease.epoch, 2)], 0)
    put(connection, KEPT, [NewRecord("a", None)], 100)
    tidy(connection, upkeep, 200)
    assert keys(connection, KEPT) == ["b", "a"]
    tidy(connection, upkeep, 20_000)
    assert keys(connection, KEPT) == ["b", "a"], "the group has not read it"
    groups.commit(connection, member, [(lease.slot, lease.epoch, 3)], 0)
    tidy(connection, upkeep, 20_000)
    assert keys(connection, KEPT) == ["b"]
    put(connection, KEPT, [NewRecord("a", b"again")], 20_001)
    tidy(connection, upkeep, 20_002)
    assert keys(connection, KEPT) == ["b", "a"]
    connection.close()


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=40), st.integers(1, 7))
def test_compaction_leaves_exactly_the_latest_of_each_key(writes: list[tuple[str, bool]], part: int) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in store._SCHEMA.split(";"):
        connection.execute(statement)
    upkeep = compaction.Upkeep(lag_ms=0, grace_ms=0)
    latest: dict[str, bytes | None] = {}
    put(connection, KEPT, [], 0)
    for n, (key, dead) in enumerate(writes):
        latest[key] = None if dead else str(n).encode()
        put(connection, KEPT, [NewRecord(key, latest[key])], n)
        if n % part == 0:
            tidy(connection, upkeep, n)
    tidy(connection, upkeep, 1000)
    [slot] = store.slots_of(connection, KEPT.name)
    left = store.select(connection, slot, Position(KEPT.name, 0, 0), 1000, 1 << 20)
    assert {r.key: r.value for r in left} == {k: v for k, v in latest.items() if v is not None}
    connection.close()
