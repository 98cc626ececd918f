"""The worker's promises, on a real log: order, poison isolated, transients repeated, defects loud."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import worker as module
from shared.contracts.topics import DEAD_LETTERS, FUSION_GROUP, REPORTS
from shared.errors import Poison, Transient
from shared.log import Consumer, Log, NewRecord, Position, Record, open_log
from shared.worker import DeadLetter, Pace, Worker

QUICK = Pace(least=4, most=64, seconds=1.0, poll=0.05)


class Recorder:
    """Handles by writing down; ``on`` may raise for a batch; stops the worker once ``enough`` came."""

    def __init__(self, enough: int, on: Callable[[Sequence[Record]], None] | None = None) -> None:
        self.worker: Worker | None = None
        self.enough = enough
        self.on = on
        self.steps: list[str] = []
        self.done: list[str] = []

    def handle(self, records: Sequence[Record]) -> Sequence[DeadLetter]:
        self.steps.append("handle")
        if self.on:
            self.on(records)
        values = [(r.value or b"").decode() for r in records]
        self.done += [v for v in values if v != "bad"]
        return [
            DeadLetter(r, "bad by itself", "look") for r, v in zip(records, values, strict=True) if v == "bad"
        ]

    def relay(self) -> None:
        self.steps.append("relay")
        if len(set(self.done)) >= self.enough:
            assert self.worker is not None
            self.worker.stop()


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setattr(module, "SHORTEST_PAUSE", 0.001)
    opened = open_log(f"sqlite://{tmp_path}/log.db?partitions=2")
    opened.ensure([REPORTS, DEAD_LETTERS])
    yield opened
    opened.close()


def send(log: Log, *values: str | None, key: str = "k") -> list[Position]:
    headers = {"schema": "report/1"}
    return log.append(REPORTS.name, [NewRecord(key, v.encode() if v else None, headers) for v in values])


def work(log: Log, recorder: Recorder) -> None:
    recorder.worker = Worker(log, FUSION_GROUP, [REPORTS.name], recorder, pace=QUICK)
    recorder.worker.run()


def dead(log: Log) -> list[Record]:
    return [r for p in log.ends(DEAD_LETTERS.name) for r in log.read(Position(DEAD_LETTERS.name, p, 0), 100)]


def uncommitted(log: Log) -> int:
    ends, done = log.ends(REPORTS.name), log.committed(FUSION_GROUP, REPORTS.name)
    return sum(ends[p] - done[p] for p in ends)


def test_everything_is_handled_in_order_and_committed(log: Log) -> None:
    send(log, *map(str, range(100)))
    recorder = Recorder(100)
    work(log, recorder)
    assert recorder.done == [str(n) for n in range(100)]
    assert uncommitted(log) == 0


def test_commit_comes_last(log: Log) -> None:
    send(log, "a", "b")
    seen: list[int] = []
    recorder = Recorder(2)
    original = recorder.relay

    def relay() -> None:
        seen.append(uncommitted(log))
        original()

    recorder.relay = relay  # type: ignore[method-assign] # the test looks on
    work(log, recorder)
    assert seen[0] == 2
    assert recorder.steps[:2] == ["handle", "relay"]
    assert uncommitted(log) == 0


def test_poison_is_narrowed_down_and_keeps_its_bytes_and_headers(log: Log) -> None:
    positions = send(log, *[f"good-{n}" for n in range(10)], "\x00poison", *[f"more-{n}" for n in range(10)])

    def refuse(records: Sequence[Record]) -> None:
        if any(r.value == b"\x00poison" for r in records):
            raise Poison("cannot be read", step="parse")

    recorder = Recorder(20, refuse)
    work(log, recorder)
    assert recorder.done == [f"good-{n}" for n in range(10)] + [f"more-{n}" for n in range(10)]
    [letter] = dead(log)
    assert (letter.key, letter.value) == ("k", b"\x00poison")
    assert letter.headers == {
        "schema": "report/1",
        "source-topic": REPORTS.name,
        "source-partition": str(positions[10].partition),
        "source-offset": str(positions[10].offset),
        "error": "cannot be read",
        "step": "parse",
    }
    assert uncommitted(log) == 0


def test_records_the_handler_gives_back_are_dead_letters(log: Log) -> None:
    send(log, "a", "bad", "b", "bad")
    work(log, Recorder(2))
    assert [(r.value, r.headers["step"], r.headers["error"]) for r in dead(log)] == [
        (b"bad", "look", "bad by itself")
    ] * 2


def test_a_poisonous_tombstone_stays_a_tombstone(log: Log) -> None:
    send(log, None, "a")

    def refuse(records: Sequence[Record]) -> None:
        if any(r.value is None for r in records):
            raise Poison("no such report" * 1000, step="normalise")

    work(log, Recorder(1, refuse))
    [letter] = dead(log)
    assert letter.value is None
    assert len(letter.headers["error"]) == module.LONGEST_REASON


@given(st.sets(st.integers(0, 40)))
def test_however_much_poison_is_in_a_batch_each_is_found(poisonous: set[int]) -> None:
    records = [Record(Position("t", 0, n), "k", str(n).encode(), {}, 0) for n in range(40)]
    poisonous &= set(range(40))

    def refuse(batch: Sequence[Record]) -> None:
        if any(r.position.offset in poisonous for r in batch):
            raise Poison("bad")

    recorder = Recorder(0, refuse)
    found = Worker(NoLog(), "g", ["t"], recorder)._handle(records)
    assert {d.record.position.offset for d in found} == poisonous
    assert recorder.done == [str(n) for n in range(40) if n not in poisonous]


class NoLog:
    """A log that nobody asks anything."""

    def __getattr__(self, name: str) -> Callable[..., object]:
        raise AssertionError(name)


def test_a_transient_is_tried_again_until_it_passes(log: Log) -> None:
    send(log, "a", "b")
    attempts: list[int] = []

    def flaky(_records: Sequence[Record]) -> None:
        attempts.append(1)
        if len(attempts) < 5:
            raise Transient("database away", retry_after=0)

    recorder = Recorder(2, flaky)
    work(log, recorder)
    assert len(attempts) == 5
    assert recorder.done == ["a", "b"]
    assert dead(log) == []
    assert uncommitted(log) == 0


def test_a_relay_that_fails_repeats_the_batch_before_anything_is_committed(log: Log) -> None:
    send(log, "a")
    recorder = Recorder(1)
    original, calls = recorder.relay, []

    def relay() -> None:
        calls.append(uncommitted(log))
        if len(calls) == 1:
            raise Transient("log away", retry_after=0)
        original()

    recorder.relay = relay  # type: ignore[method-assign] # the test looks on
    work(log, recorder)
    assert recorder.done == ["a", "a"]
    assert calls[:2] == [1, 1]


def test_pauses_grow_and_end_somewhere(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    send(log, "a")
    pauses: list[float] = []
    monkeypatch.setattr(Worker, "_rest", lambda self, seconds: pauses.append(seconds))
    monkeypatch.setattr(module.random, "uniform", lambda low, high: high)
    recorder = Recorder(1)

    def away(_records: Sequence[Record]) -> None:
        if len(pauses) < 10:
            raise Transient("away", retry_after=1.0)

    recorder.on = away
    work(log, recorder)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30, 30, 30]


def test_a_defect_stops_the_worker_loudly_and_commits_nothing(log: Log) -> None:
    send(log, "a")

    def defect(_records: Sequence[Record]) -> None:
        raise KeyError("a defect")

    with pytest.raises(KeyError, match="a defect"):
        work(log, Recorder(1, defect))
    assert uncommitted(log) == 1
    assert dead(log) == []
    recorder = Recorder(1)
    work(log, recorder)  # who starts next gets it at once: the defective one has left the group
    assert recorder.done == ["a"]


def test_stopping_finishes_the_batch_at_hand(log: Log) -> None:
    send(log, *map(str, range(10)))
    recorder = Recorder(1_000_000)
    running = Worker(log, FUSION_GROUP, [REPORTS.name], recorder, pace=QUICK)
    recorder.on = lambda _records: running.stop()
    running.run()
    assert len(recorder.done) == 10
    assert uncommitted(log) == 0


def test_stopping_ends_a_long_pause(log: Log) -> None:
    send(log, "a")
    tried = threading.Event()

    def away(_records: Sequence[Record]) -> None:
        tried.set()
        raise Transient("away", retry_after=30)

    recorder = Recorder(1, away)
    running = Worker(log, FUSION_GROUP, [REPORTS.name], recorder, pace=QUICK)
    thread = threading.Thread(target=running.run)
    thread.start()
    assert tried.wait(10)
    running.stop()
    thread.join(5)
    assert not thread.is_alive()


def test_a_log_that_is_away_at_the_start_is_waited_for(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    send(log, "a")
    join, attempts = log.consumer, []

    def consumer(group: str, topics: Sequence[str]) -> Consumer:
        attempts.append(1)
        if len(attempts) < 3:
            raise Transient("away", retry_after=0)
        return join(group, topics)

    monkeypatch.setattr(log, "consumer", consumer)
    recorder = Recorder(1)
    work(log, recorder)
    assert recorder.done == ["a"]


@pytest.mark.parametrize(
    ("limit", "count", "took", "following"),
    [
        (256, 256, 0.2, 512),
        (256, 100, 0.2, 256),
        (256, 256, 1.5, 256),
        (256, 256, 2.5, 128),
        (4096, 4096, 0.5, 4096),
        (32, 32, 9.0, 32),
    ],
)
def test_batches_grow_while_they_are_quick_and_shrink_when_slow(
    limit: int, count: int, took: float, following: int
) -> None:
    assert Pace().next(limit, count, took) == following
