"""The Kafka log keeps the contract on a real broker, and what is its own: URLs, brokers that stall or die."""

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from shared.errors import Misconfigured, Poison, Transient
from shared.log import NewRecord, open_log
from shared.log_kafka_care import Care, Lazy
from shared.log_kafka_options import parse
from tests.conftest import Broker
from tests.shared.log_contract import KEPT, PASSING, LogContract, everything, until, values

pytestmark = [
    pytest.mark.usefixtures("no_sockets_left"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <(socket|ssl)[.]:pytest.PytestUnraisableExceptionWarning"
    ),
]


def configure(url: str, settings: dict[str, str]) -> None:
    """Set a topic's settings that production has no need of."""
    options = parse(url)
    admin = KafkaAdminClient(**options.client())
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, options.prefix + KEPT.name, settings)])
    admin.close()


class TestKafkaLog(LogContract):
    takeover_seconds = 9.0

    @pytest.fixture
    def url(self, kafka: str) -> str:
        return f"{kafka}?partitions=4&prefix=test-{uuid.uuid4().hex[:12]}-"

    @pytest.fixture
    def compactable_url(self, url: str) -> str:
        log = open_log(url)
        log.ensure([KEPT])
        log.close()
        eager = {"segment.ms": "100", "min.cleanable.dirty.ratio": "0.001", "delete.retention.ms": "0"}
        configure(url, eager | {"segment.bytes": str(1 << 20), "max.compaction.lag.ms": "200"})
        return url

    @pytest.fixture
    def away(self, own_broker: Broker) -> tuple[str, Callable[[], AbstractContextManager[None]]]:
        @contextmanager
        def absence() -> Iterator[None]:
            own_broker.run("stop")
            yield
            own_broker.run("start")

        return f"{own_broker.url}?partitions=4&timeout=2&prefix=away-{uuid.uuid4().hex[:6]}-", absence


def test_a_broker_that_stalls_is_transient_in_time_and_nothing_is_lost(own_broker: Broker) -> None:
    log = open_log(f"{own_broker.url}?partitions=1&timeout=2&prefix=stall-")
    log.ensure([PASSING])
    log.append(PASSING.name, [NewRecord("k", b"0")])
    os.kill(own_broker.pid, signal.SIGSTOP)
    try:
        results: list[object] = []

        def send(n: int) -> None:
            started = time.monotonic()
            try:
                log.append(PASSING.name, [NewRecord("k", str(n).encode())])
                results.append(n)
            except Transient:
                results.append(time.monotonic() - started)

        threads = [threading.Thread(target=send, args=(n,)) for n in range(1, 6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(results) == 5
        assert all(isinstance(r, float) and r < 15 for r in results)
        started = time.monotonic()
        for call in (log.ping, lambda: log.ends(PASSING.name), lambda: log.committed("g", PASSING.name)):
            with pytest.raises(Transient):
                call()
        assert time.monotonic() - started < 25
    finally:
        os.kill(own_broker.pid, signal.SIGCONT)

    def again() -> bool:
        try:
            log.append(PASSING.name, [NewRecord("k", b"later")])
        except Transient:
            return False
        return True

    until(again, 30, "it takes records again")
    got = values(everything(log, PASSING.name))
    assert got[0] == "0"
    assert got[-1] == "later"
    log.close()


def test_what_was_acknowledged_survives_kill_9_of_the_broker(own_broker: Broker) -> None:
    log = open_log(f"{own_broker.url}?partitions=2&timeout=2&prefix=killed-")
    log.ensure([PASSING])
    acknowledged: list[str] = []
    stop = threading.Event()

    def send(thread: int) -> None:
        n = 0
        while not stop.is_set():
            try:
                log.append(PASSING.name, [NewRecord(f"k{thread}", f"{thread}-{n}".encode())])
            except Transient:
                continue
            acknowledged.append(f"{thread}-{n}")
            n += 1

    threads = [threading.Thread(target=send, args=(t,)) for t in range(3)]
    for t in threads:
        t.start()
    until(lambda: len(acknowledged) > 100, 30, "records are taken")
    os.kill(own_broker.pid, signal.SIGKILL)
    until(lambda: not is_running(own_broker), 10, "the broker is dead")
    own_broker.run("start")
    count = len(acknowledged)
    until(lambda: len(acknowledged) > count + 100, 60, "records are taken again")
    stop.set()
    for t in threads:
        t.join()
    got = values(everything(log, PASSING.name))
    assert set(acknowledged) <= set(got)
    for thread in range(3):
        mine = list(dict.fromkeys(v for v in got if v.startswith(f"{thread}-")))
        assert mine == [f"{thread}-{n}" for n in range(len(mine))]
    log.close()


def is_running(broker: Broker) -> bool:
    try:
        os.kill(broker.pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_log_opens_while_its_broker_is_away() -> None:
    log = open_log("kafka://127.0.0.1:1?timeout=1")
    started = time.monotonic()
    for call in (log.ping, lambda: log.ensure([KEPT]), lambda: log.consumer("g", [KEPT.name])):
        with pytest.raises(Transient):
            call()
    assert time.monotonic() - started < 10
    log.close()


def test_a_record_that_is_too_large_is_poison_and_harms_no_other(kafka: str) -> None:
    log = open_log(f"{kafka}?partitions=1&max_record=100000&prefix=test-{uuid.uuid4().hex[:12]}-")
    log.ensure([PASSING])
    with pytest.raises(Poison, match="100001 bytes"):
        log.append(PASSING.name, [NewRecord("a", b"small"), NewRecord("b", bytes(100_001))])
    log.append(PASSING.name, [NewRecord("c", bytes(100_000))])
    assert [r.key for r in everything(log, PASSING.name)] == ["c"]
    log.close()


def test_more_replicas_than_brokers_are_named(kafka: str) -> None:
    log = open_log(f"{kafka}?replication=3&prefix=test-{uuid.uuid4().hex[:12]}-")
    with pytest.raises(Misconfigured, match=r"(?i)replication"):
        log.ensure([PASSING])
    log.close()


def test_a_url_says_everything() -> None:
    options = parse(
        "kafka://us%40er:p%2Fw@one,two:9093?security_protocol=SASL_SSL&sasl_mechanism=SCRAM-SHA-512"
        "&partitions=12&replication=3&compression=none&prefix=x-&ssl_check_hostname=false"
    )
    assert options.servers == ("one:9092", "two:9093")
    assert (options.partitions, options.replication, options.insync) == (12, 3, 2)
    assert (
        options.client()
        | {
            "sasl_plain_username": "us@er",
            "sasl_plain_password": "p/w",
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "ssl_check_hostname": False,
        }
        == options.client()
    )
    assert options.producer()["compression_type"] is None
    assert options.producer()["acks"] == "all"
    assert options.topic(KEPT)["cleanup.policy"] == "compact"
    assert options.topic(PASSING)["retention.ms"] == str(7 * 86_400_000)
    assert "p/w" not in repr(options)


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("kafka://", "host:9092"),
        ("kafka://host/topic", "host:9092"),
        ("kafka://host?partitions=many", "partitions=many"),
        ("kafka://host?replication=0", "replication=0"),
        ("kafka://host?sasl_mechanism=MAGIC", "sasl_mechanism"),
        ("kafka://host?ssl_cafile=/nowhere.pem", "ssl_cafile=/nowhere.pem"),
        ("kafka://host?retries=3", "retries"),
        ("kafka://host?prefix=a/b", "prefix"),
        ("kafka://host?ssl_check_hostname=maybe", "ssl_check_hostname"),
        ("kafka://user:hunter2@host", "security_protocol=SASL_SSL"),
    ],
)
def test_a_wrong_setting_is_named_without_the_password(url: str, named: str) -> None:
    with pytest.raises(Misconfigured, match=named) as wrong:
        parse(url)
    assert "hunter2" not in str(wrong.value)


def test_while_in_doubt_one_attempt_at_a_time_is_let_through() -> None:
    care = Care()
    with pytest.raises(Transient, match="first"), care:
        raise Transient("first")
    outcome: list[str] = []

    def other() -> None:
        try:
            with care:
                outcome.append("let through")
        except Transient:
            outcome.append("refused")

    with care:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert outcome == ["refused"]
    with care:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert outcome == ["refused", "let through"]


def test_a_client_that_cannot_be_made_is_not_tried_by_everyone_at_once() -> None:
    attempts: list[int] = []

    def make() -> object:
        attempts.append(1)
        raise Transient("away")

    lazy = Lazy(make, 1.0)
    for _ in range(5):
        with pytest.raises(Transient):
            lazy.get()
    assert len(attempts) == 1
