"""What every log must hold; run on each adapter by a class that says how to reach one."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from shared.contracts.topics import Topic
from shared.errors import Misconfigured, Transient
from shared.log import Consumer, Log, NewRecord, Position, Record, open_log

ROOT = Path(__file__).resolve().parents[2]
KEPT = Topic("kept.v1", compacted=True, retention_days=None)
PASSING = Topic("passing.v1", compacted=False, retention_days=7)


def drain(consumer: Consumer, count: int, seconds: float = 30) -> list[Record]:
    """Poll until ``count`` records came."""
    records: list[Record] = []
    end = time.monotonic() + seconds
    while len(records) < count:
        assert time.monotonic() < end, f"{len(records)} of {count} records within {seconds} s"
        records += consumer.poll(1000, 0.5)
    return records


def until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def everything(log: Log, topic: str) -> list[Record]:
    """All records of a topic, by partition and offset."""
    return [r for p in log.ends(topic) for r in log.read(Position(topic, p, 0), 100_000)]


def values(records: list[Record]) -> list[str]:
    return [(r.value or b"").decode() for r in records]


class LogContract:
    """Subclasses give ``url``, ``compactable_url`` and ``away``; partitions are 4."""

    takeover_seconds = 5.0

    @pytest.fixture
    def url(self) -> str:
        raise AssertionError("a subclass says where the log is")

    @pytest.fixture
    def compactable_url(self, url: str) -> str:
        """A log that compacts at once."""
        return url

    @pytest.fixture
    def away(self, url: str) -> tuple[str, Callable[[], AbstractContextManager[None]]]:
        """A log, and a context in which it does not answer."""
        raise AssertionError("a subclass says how its log goes away")

    @pytest.fixture
    def log(self, url: str) -> Iterator[Log]:
        opened = open_log(url)
        opened.ensure([KEPT, PASSING])
        yield opened
        opened.close()

    @contextmanager
    def process(self, role: str, url: str, topic: str) -> Iterator["subprocess.Popen[str]"]:
        command = [sys.executable, "-m", "tests.shared.log_processes", role, url, topic]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
            try:
                yield started
            finally:
                started.kill()

    def test_a_record_comes_back_as_it_went(self, log: Log) -> None:
        before = time.time_ns() // 1_000_000
        sent = [
            NewRecord("k", b"\x00\xff raw", {"traceparent": "00-1", "empty": "", "name": "Zoë"}),
            NewRecord("k", b""),
            NewRecord("k", None, {"schema": "report/1"}),
        ]
        positions = log.append(KEPT.name, sent)
        got = log.read(positions[0], 10)
        assert [(r.key, r.value, dict(r.headers)) for r in got] == [
            (r.key, r.value, dict(r.headers)) for r in sent
        ]
        assert [r.position for r in got] == positions
        assert all(before - 1000 <= r.timestamp_ms <= before + 60_000 for r in got)

    def test_a_key_stays_in_its_partition_and_in_order(self, log: Log) -> None:
        sent = [NewRecord(f"key-{n % 17}", str(n).encode()) for n in range(500)]
        positions = log.append(PASSING.name, sent)
        homes: dict[str, set[int]] = {}
        for record, position in zip(sent, positions, strict=True):
            homes.setdefault(record.key, set()).add(position.partition)
        assert all(len(home) == 1 for home in homes.values())
        assert {p for home in homes.values() for p in home} == {0, 1, 2, 3}
        by_key: dict[str, list[int]] = {}
        for record in everything(log, PASSING.name):
            by_key.setdefault(record.key, []).append(int(record.value or b""))
        assert all(numbers == sorted(numbers) for numbers in by_key.values())
        assert sum(map(len, by_key.values())) == 500

    def test_threads_append_at_once_without_loss_or_disorder(self, log: Log) -> None:
        def send(thread: int) -> None:
            for n in range(30):
                log.append(PASSING.name, [NewRecord(f"t{thread}", f"{thread}-{n}".encode())])

        threads = [threading.Thread(target=send, args=(t,)) for t in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        got = values(everything(log, PASSING.name))
        for thread in range(8):
            mine = [v for v in got if v.startswith(f"{thread}-")]
            assert mine == [f"{thread}-{n}" for n in range(30)]

    def test_a_megabyte_is_a_record_like_any_other(self, log: Log) -> None:
        big = bytes(range(256)) * 4096
        consumer = log.consumer("group", [PASSING.name])
        positions = log.append(PASSING.name, [NewRecord(f"k{n}", big) for n in range(5)])
        assert all(log.read(p, 1)[0].value == big for p in positions)
        assert all(r.value == big for r in drain(consumer, 5))
        consumer.close()

    def test_a_topic_that_nobody_made_is_named(self, log: Log) -> None:
        with pytest.raises(Misconfigured, match="nowhere"):
            log.append("nowhere.v1", [NewRecord("k", b"v")])

    def test_ensuring_again_changes_nothing(self, log: Log) -> None:
        log.append(KEPT.name, [NewRecord("k", b"v")])
        log.ensure([KEPT, PASSING])
        assert values(everything(log, KEPT.name)) == ["v"]
        assert len(log.ends(KEPT.name)) == 4

    def test_reading_does_not_wait_and_ends_at_the_end(self, log: Log) -> None:
        [position] = log.append(PASSING.name, [NewRecord("k", b"v")])
        beyond = Position(PASSING.name, position.partition, 1000)
        assert log.read(beyond, 10) == []
        assert log.read(Position(PASSING.name, 99, 0), 10) == []
        assert len(log.read(position, 0)) == 0

    def test_what_was_acknowledged_survives_kill_9_of_its_writer(self, log: Log, url: str) -> None:
        with self.process("write", url, PASSING.name) as writer:
            assert writer.stdout is not None
            acknowledged = [writer.stdout.readline().strip() for _ in range(200)]
            writer.send_signal(signal.SIGKILL)
            acknowledged += writer.stdout.read().split("\n")[:-1]
        got = values(everything(log, PASSING.name))
        assert set(acknowledged) <= set(got)
        assert len(got) == len(set(got))

    def test_ends_and_committed_count_offsets(self, log: Log) -> None:
        assert log.ends(PASSING.name) == dict.fromkeys(range(4), 0)
        assert log.committed("group", PASSING.name) == dict.fromkeys(range(4), 0)
        log.append(PASSING.name, [NewRecord(f"k{n}", b"v") for n in range(40)])
        assert sum(log.ends(PASSING.name).values()) == 40
        consumer = log.consumer("group", [PASSING.name])
        drain(consumer, 40)
        assert sum(log.committed("group", PASSING.name).values()) == 0
        assert consumer.lag() == 40
        consumer.commit()
        assert log.committed("group", PASSING.name) == log.ends(PASSING.name)
        assert consumer.lag() == 0
        consumer.close()

    def test_a_group_goes_on_where_it_committed(self, log: Log) -> None:
        log.append(PASSING.name, [NewRecord(f"k{n}", str(n).encode()) for n in range(20)])
        first = log.consumer("group", [PASSING.name])
        drain(first, 20)
        first.commit()
        log.append(PASSING.name, [NewRecord("x", b"uncommitted")])
        drain(first, 1)
        first.close()
        second = log.consumer("group", [PASSING.name])
        assert values(drain(second, 1)) == ["uncommitted"]
        second.close()

    def test_a_forgotten_group_starts_at_the_beginning(self, log: Log) -> None:
        log.append(KEPT.name, [NewRecord(str(i), b"v") for i in range(10)])
        first = log.consumer("forgetful", [KEPT.name])
        drain(first, 10)
        first.commit()
        with pytest.raises(Misconfigured, match="forgetful has"):
            log.forget("forgetful")
        first.close()
        log.forget("forgetful")
        log.forget("nobody-ever")
        assert sum(log.committed("forgetful", KEPT.name).values()) == 0
        second = log.consumer("forgetful", [KEPT.name])
        assert len(drain(second, 10)) == 10
        second.close()

    def test_part_of_a_batch_may_be_committed(self, log: Log) -> None:
        log.append(PASSING.name, [NewRecord("k", str(n).encode()) for n in range(10)])
        consumer = log.consumer("group", [PASSING.name])
        records = drain(consumer, 10)
        consumer.commit([r.position for r in records[:4]])
        consumer.rewind()
        assert values(drain(consumer, 6)) == [str(n) for n in range(4, 10)]
        consumer.commit()
        assert consumer.lag() == 0
        consumer.close()

    def test_rewinding_polls_again_what_was_not_committed(self, log: Log) -> None:
        log.append(PASSING.name, [NewRecord("k", str(n).encode()) for n in range(10)])
        consumer = log.consumer("group", [PASSING.name])
        assert len(drain(consumer, 10)) == 10
        assert consumer.poll(10, 0.05) == []
        consumer.rewind()
        assert values(drain(consumer, 10)) == [str(n) for n in range(10)]
        consumer.close()

    def test_a_poll_keeps_to_its_limit(self, log: Log) -> None:
        log.append(PASSING.name, [NewRecord(f"k{n}", b"v") for n in range(50)])
        consumer = log.consumer("group", [PASSING.name])
        got: list[Record] = []
        while len(got) < 50:
            records = consumer.poll(7, 2.0)
            assert len(records) <= 7
            got += records
        assert len({r.position for r in got}) == 50
        consumer.close()

    def test_a_waiting_poll_wakes_when_something_comes(self, log: Log) -> None:
        consumer = log.consumer("group", [PASSING.name])
        log.append(PASSING.name, [NewRecord("k", b"first")])
        drain(consumer, 1)
        timer = threading.Timer(0.3, lambda: log.append(PASSING.name, [NewRecord("k", b"second")]))
        timer.start()
        started = time.monotonic()
        assert values(drain(consumer, 1)) == ["second"]
        assert time.monotonic() - started < 1.5
        timer.join()
        consumer.close()

    def test_groups_do_not_disturb_each_other(self, log: Log) -> None:
        log.append(PASSING.name, [NewRecord(f"k{n}", b"v") for n in range(10)])
        for group in ("one", "two"):
            consumer = log.consumer(group, [PASSING.name])
            assert len(drain(consumer, 10)) == 10
            consumer.commit()
            consumer.close()

    def test_members_share_the_partitions(self, log: Log) -> None:
        members = [log.consumer("group", [PASSING.name, KEPT.name]) for _ in range(2)]
        seen: list[dict[Position, str]] = [{}, {}]
        stop = threading.Event()

        def run(member: int) -> None:
            while not stop.is_set():
                for record in members[member].poll(100, 0.2):
                    seen[member][record.position] = record.key
                try:
                    members[member].commit()
                except Transient:
                    members[member].rewind()

        threads = [threading.Thread(target=run, args=(m,)) for m in range(2)]
        for t in threads:
            t.start()
        sent = 0

        def both_work() -> bool:
            nonlocal sent
            for mine in seen:
                mine.clear()
            sent += 1
            placed = {
                *log.append(PASSING.name, [NewRecord(f"k{n}-{sent}", b"v") for n in range(20)]),
                *log.append(KEPT.name, [NewRecord(f"k{n}-{sent}", b"v") for n in range(20)]),
            }
            until(lambda: placed <= {*seen[0], *seen[1]}, 20, "every record came to a member")
            return bool(seen[0]) and bool(seen[1]) and not seen[0].keys() & seen[1].keys()

        try:
            until(both_work, 90, "both members get records, none both")
        finally:
            stop.set()
            for t in threads:
                t.join()
            for member in members:
                member.close()

    def test_others_take_over_from_a_member_that_was_killed(self, log: Log, url: str) -> None:
        log.append(PASSING.name, [NewRecord(f"k{n}", str(n).encode()) for n in range(20)])
        with self.process("consume", url, PASSING.name) as victim:
            assert victim.stdout is not None
            assert victim.stdout.readline()
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            heir = log.consumer("group", [PASSING.name])
            started = time.monotonic()
            assert sorted(values(drain(heir, 20)), key=int) == [str(n) for n in range(20)]
            assert time.monotonic() - started < self.takeover_seconds + 3
            heir.commit()
            heir.close()

    def test_a_member_that_slept_through_a_takeover_cannot_commit(self, log: Log, url: str) -> None:
        log.append(PASSING.name, [NewRecord("k", str(n).encode()) for n in range(5)])
        with self.process("consume", url, PASSING.name) as sleeper:
            assert sleeper.stdout is not None
            assert sleeper.stdout.readline().split() == ["0", "1", "2", "3", "4"]
            sleeper.send_signal(signal.SIGSTOP)
            heir = log.consumer("group", [PASSING.name])
            records = drain(heir, 5)
            heir.commit([records[1].position])
            sleeper.send_signal(signal.SIGCONT)
            sleeper.send_signal(signal.SIGUSR1)
            assert sleeper.stdout.readline().strip() == "refused"
            assert sum(log.committed("group", PASSING.name).values()) == 2
            heir.close()

    def test_compaction_keeps_the_latest_of_each_key(self, compactable_url: str) -> None:
        log = open_log(compactable_url)
        log.ensure([KEPT])
        for n in range(30):
            log.append(KEPT.name, [NewRecord(f"key-{k}", f"{k}-{n}".encode()) for k in range(5)])
        log.append(KEPT.name, [NewRecord("key-0", None)])
        ends = log.ends(KEPT.name)

        def compacted() -> bool:
            log.append(KEPT.name, [NewRecord(f"filler-{p}", b"") for p in range(40)])
            mine = [r for r in everything(log, KEPT.name) if r.key.startswith("key-")]
            return sorted(values(mine)) == [f"{k}-29" for k in range(1, 5)]

        until(compacted, 60, "old versions and the tombstone are gone")
        assert all(log.ends(KEPT.name)[p] >= ends[p] for p in ends)
        consumer = log.consumer("late", [KEPT.name])
        assert {"1-29", "2-29", "3-29", "4-29"} <= set(values(drain(consumer, 44)))
        consumer.close()
        log.close()

    @pytest.mark.timeout(180)
    def test_a_log_that_is_away_is_transient_and_comes_back(
        self, away: tuple[str, Callable[[], AbstractContextManager[None]]]
    ) -> None:
        url, absence = away
        log = open_log(url)
        log.ensure([PASSING])
        log.ping()
        consumer = log.consumer("group", [PASSING.name])
        log.append(PASSING.name, [NewRecord("k", b"before"), NewRecord("k", b"more")])
        drain(consumer, 2)
        with absence():
            for attempt in (
                lambda: log.append(PASSING.name, [NewRecord("k", b"during")]),
                lambda: log.append(PASSING.name, [NewRecord("k", b"during")]),
                consumer.commit,
            ):
                started = time.monotonic()
                with pytest.raises(Transient) as refused:
                    attempt()
                assert refused.value.retry_after >= 0
                assert time.monotonic() - started < 30
        until(
            lambda: self._succeeds(lambda: log.append(PASSING.name, [NewRecord("k", b"after")])), 60, "back"
        )
        until(lambda: self._succeeds(log.ping), 20, "it answers")
        until(lambda: self._succeeds(consumer.rewind), 20, "the consumer is back")
        seen: list[str] = []

        def all_seen() -> bool:
            seen.extend(values(consumer.poll(100, 0.5)))
            return "after" in seen

        until(all_seen, 30, "what was appended afterwards")
        assert values(everything(log, PASSING.name))[:2] == ["before", "more"]
        until(lambda: self._succeeds(lambda: self._commit(consumer)), 30, "the group commits again")
        consumer.close()
        log.close()

    @staticmethod
    def _commit(consumer: Consumer) -> None:
        try:
            consumer.commit()
        except Transient:
            consumer.rewind()
            consumer.poll(100, 1.0)
            raise

    @staticmethod
    def _succeeds(action: Callable[[], object]) -> bool:
        try:
            action()
        except Transient:
            return False
        return True
