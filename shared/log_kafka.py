"""The log on Apache Kafka, through kafka-python: the only module that imports it.

An append returns once every replica that must have the records has them (``acks=all``, idempotent), and
whatever goes wrong shows as ``Transient`` within twice the URL's ``timeout``: never as a loss, never as a
hang. Nothing touches the network before the first call.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka import errors as kafka_errors
from kafka.admin import OffsetSpec
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.net.compat import KafkaNetClient
from kafka.structs import OffsetAndMetadata

from shared.contracts.topics import Topic
from shared.errors import Misconfigured, Poison, Transient
from shared.log import NewRecord, Position, Record
from shared.log_kafka_care import Care, Lazy
from shared.log_kafka_options import KafkaOptions, parse

T = TypeVar("T")

_REBALANCED: Final = (
    kafka_errors.CommitFailedError,
    kafka_errors.RebalanceInProgressError,
    kafka_errors.IllegalGenerationError,
    kafka_errors.UnknownMemberIdError,
)
_REFUSED: Final = (
    kafka_errors.AuthorizationError,
    kafka_errors.SaslAuthenticationFailedError,
    kafka_errors.UnsupportedSaslMechanismError,
    kafka_errors.SecurityDisabledError,
    kafka_errors.KafkaConfigurationError,
    kafka_errors.UnsupportedVersionError,
    kafka_errors.InvalidReplicationFactorError,
    kafka_errors.InvalidConfigurationError,
    kafka_errors.InvalidPartitionsError,
    kafka_errors.PolicyViolationError,
)
_TOO_LARGE: Final = (kafka_errors.MessageSizeTooLargeError, kafka_errors.RecordListTooLargeError)
_UNKNOWN_TOPIC: Final = kafka_errors.UnknownTopicOrPartitionError.errno


def open_kafka(url: str) -> "KafkaLog":
    """The log at ``kafka://host:9092?setting=value``; see ``KafkaOptions``. Raises ``Misconfigured``."""
    return KafkaLog(parse(url))


@contextmanager
def speaking() -> Iterator[None]:
    """Raise every error of the client named by what to do next."""
    try:
        yield
    except _REBALANCED as error:
        raise Transient(f"the group was shared anew: {error}", retry_after=0.0) from error
    except _REFUSED as error:
        raise Misconfigured(f"INTERLOCK_LOG: Kafka refuses: {error}") from error
    except _TOO_LARGE as error:
        raise Poison(f"Kafka takes no record of this size: {error}", step="append") from error
    except (kafka_errors.KafkaError, OSError) as error:
        raise Transient(f"Kafka does not answer: {error}", retry_after=2.0) from error


class KafkaLog:
    """See ``Log``. One producer, one admin client and at most one reader a process."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        patience = 2 * options.timeout
        self._producers = Lazy(lambda: self._new(KafkaProducer, options.producer()), patience)
        self._admins = Lazy(lambda: self._new(KafkaAdminClient, options.client()), patience)
        self._readers = Lazy(lambda: self._new(KafkaConsumer, options.reader()), patience)
        self._reading = threading.Lock()
        self._partitions: dict[str, int] = {}
        self._care = Care()
        self._closed = False

    def ensure(self, topics: Sequence[Topic]) -> None:
        """See ``Log.ensure``. Topics that exist are left as their operator made them."""
        names = [self._options.prefix + topic.name for topic in topics]
        described = self._ask(lambda admin: admin.describe_topics(names))
        present = {found["name"] for found in described if not found["error_code"]}
        for name, topic in zip(names, topics, strict=True):
            if name not in present:
                self._ask(partial(self._create, topic=topic))

    def append(self, topic: str, records: Sequence[NewRecord]) -> list[Position]:
        """See ``Log.append``. Raises ``Poison`` for a record that is too large."""
        self._partition_count(topic)
        rows = [self._row(record) for record in records]
        with self._care:
            producer = self._producers.get()
            failure: BaseException | None = None
            futures = []
            for key, value, headers in rows:
                try:
                    futures.append(producer.send(self._options.prefix + topic, value, key, headers))
                except kafka_errors.KafkaError as error:
                    failure = error
                    break
            places, late = self._await(futures)
            failure = failure or late
            if failure is not None:
                self._retire(producer)
                with speaking():
                    raise failure
        return [Position(topic, partition, offset) for partition, offset in places]

    def consumer(self, group: str, topics: Sequence[str]) -> "KafkaLogConsumer":
        """See ``Log.consumer``."""
        self._refuse_if_closed()
        settings = self._options.member(self._options.prefix + group)
        assignors = {"partition_assignment_strategy": (RoundRobinPartitionAssignor,)}
        return KafkaLogConsumer(self, self._new(KafkaConsumer, settings | assignors), group, topics)

    def read(self, position: Position, limit: int) -> list[Record]:
        """See ``Log.read``."""
        if position.partition not in range(self._partition_count(position.topic)):
            return []
        place = self.place(position)
        end = self.ends(position.topic)[position.partition]
        if position.offset >= end:
            return []
        records: list[Record] = []
        if not self._reading.acquire(timeout=2 * self._options.timeout):
            raise Transient("Kafka does not answer", retry_after=2.0)
        try:
            reader = self._readers.get()
            with speaking():
                reader.assign([place])
                reader.seek(place, position.offset)
                deadline = time.monotonic() + 2 * self._options.timeout
                while len(records) < limit and reader.position(place) < end:
                    found = reader.poll(timeout_ms=500, max_records=limit - len(records))
                    records += self.records(found)
                    if time.monotonic() > deadline and not records:
                        raise Transient("Kafka does not answer", retry_after=2.0)
        finally:
            self._reading.release()
        return records

    def ends(self, topic: str) -> dict[int, int]:
        """See ``Log.ends``."""
        places = self._places(topic)
        found = self._ask(
            lambda admin: admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
        )
        return {place.partition: found[place].offset for place in places}

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """See ``Log.committed``."""
        places, name = self._places(topic), self._options.prefix + group
        found = self._ask(lambda admin: admin.list_group_offsets({name: places}))[name]
        return {place.partition: max(0, found[place].offset) if place in found else 0 for place in places}

    def forget(self, group: str) -> None:
        """See ``Log.forget``."""
        name = self._options.prefix + group
        result = self._ask(lambda admin: admin.delete_groups([name]))[name]
        if result == kafka_errors.NonEmptyGroupError.__name__:
            raise Misconfigured(f"group {group} has members: stop them first")
        if result not in {"OK", kafka_errors.GroupIdNotFoundError.__name__}:
            raise Transient(f"Kafka did not forget group {group}: {result}")

    def ping(self) -> None:
        """See ``Log.ping``."""
        self._ask(lambda admin: admin.describe_cluster())

    def close(self) -> None:
        """See ``Log.close``. Consumers are closed by whoever opened them."""
        self._closed = True
        patience = 2 * self._options.timeout
        if (producer := self._producers.take()) is not None:
            with suppress(kafka_errors.KafkaError):
                producer.close(timeout=patience)
        with suppress(kafka_errors.KafkaError):
            if (admin := self._admins.take()) is not None:
                admin.close()
            if (reader := self._readers.take()) is not None:
                reader.close(autocommit=False, timeout_ms=1000)

    @staticmethod
    def _new(client: Callable[..., Any], settings: dict[str, Any]) -> Any:
        """Make a client; one that cannot be made leaves no thread and no socket behind."""
        networks: list[KafkaNetClient] = []

        def network(**config: Any) -> KafkaNetClient:
            networks.append(KafkaNetClient(**config))
            return networks[-1]

        try:
            with speaking():
                return client(kafka_client=network, **settings)
        except BaseException as error:
            for opened in networks:
                opened.close()
            if isinstance(error, Transient) and "security_protocol" in settings:
                # The client cannot tell a refused login or certificate from a broker that is away.
                raise Transient(
                    f"{error}; or the login or certificate is refused", retry_after=5.0
                ) from error
            raise

    def _create(self, admin: Any, topic: Topic) -> None:
        """Create one topic; somebody else may be doing so right now."""
        name = self._options.prefix + topic.name
        wanted = {
            "num_partitions": self._options.partitions,
            "replication_factor": self._options.replication,
            "configs": self._options.topic(topic),
        }
        with suppress(kafka_errors.TopicAlreadyExistsError):
            admin.create_topics({name: wanted})
        admin.wait_for_topics([name], timeout_ms=int(self._options.timeout * 1000))

    def _ask(self, question: Callable[[Any], T]) -> T:
        """Ask the cluster, and for as long as a request may take, again where that may help."""
        self._refuse_if_closed()
        deadline = time.monotonic() + self._options.timeout
        while True:
            admin = self._admins.get()
            try:
                with speaking():
                    return question(admin)
            except Transient:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _partition_count(self, topic: str) -> int:
        """How many partitions the topic has. Raises ``Misconfigured`` where there is no such topic."""
        if topic not in self._partitions:
            [found] = self._ask(lambda admin: admin.describe_topics([self._options.prefix + topic]))
            if found["error_code"] == _UNKNOWN_TOPIC:
                raise Misconfigured(f"Kafka has no topic {topic}: ensure it first")
            if found["error_code"]:
                with speaking():
                    raise kafka_errors.for_code(found["error_code"])(topic)
            self._partitions[topic] = len(found["partitions"])
        return self._partitions[topic]

    def _places(self, topic: str) -> list[TopicPartition]:
        return [self.place(Position(topic, p, 0)) for p in range(self._partition_count(topic))]

    def place(self, position: Position) -> TopicPartition:
        """The partition of a position, named as the cluster names it."""
        return TopicPartition(self._options.prefix + position.topic, position.partition)

    def topic(self, place: TopicPartition) -> str:
        """The topic of a partition, named as everybody else does."""
        name: str = place.topic
        return name.removeprefix(self._options.prefix)

    def records(self, found: Mapping[TopicPartition, Sequence[Any]]) -> list[Record]:
        """What a client polled, as the port has it."""
        return [
            Record(
                Position(self.topic(place), place.partition, message.offset),
                (message.key or b"").decode(),
                message.value,
                {name: value.decode() for name, value in message.headers},
                message.timestamp,
            )
            for place, messages in found.items()
            for message in messages
        ]

    def _row(self, record: NewRecord) -> tuple[bytes, bytes | None, list[tuple[str, bytes]]]:
        """A record as the producer takes it. Raises ``Poison`` where it is too large."""
        size = len(record.value or b"")
        if size > self._options.max_record:
            raise Poison(f"a record of {size} bytes is more than max_record allows", step="append")
        headers = [(name, text.encode()) for name, text in record.headers.items()]
        return record.key.encode(), record.value, headers

    def _await(self, futures: Sequence[Any]) -> tuple[list[tuple[int, int]], BaseException | None]:
        """Wait until each record is in the log or is given up for good; the first error, if any."""
        deadline = time.monotonic() + 3 * self._options.timeout
        places: list[tuple[int, int]] = []
        failure: BaseException | None = None
        for future in futures:
            try:
                done = future.get(timeout=max(0.001, deadline - time.monotonic()))
                places.append((done.partition, done.offset))
            except kafka_errors.KafkaError as error:
                failure = failure or error
        return places, failure

    def _retire(self, producer: Any) -> None:
        """Let go of a producer that failed a record: what else it holds fails too, and nothing comes late.

        An idempotent producer of kafka-python 3.0 never sends again once a batch that was on its way has
        expired, and cannot be closed then either: hence by force.
        """
        if self._producers.take(producer) is None:
            return
        producer._sender.force_close()  # noqa: SLF001 - see above

        def close() -> None:
            with suppress(kafka_errors.KafkaError):
                producer.close(timeout=2 * self._options.timeout)

        threading.Thread(target=close, name="log-retired-producer", daemon=True).start()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise Transient("the log is closed in this process")


class KafkaLogConsumer:
    """See ``Consumer``."""

    def __init__(self, log: KafkaLog, consumer: Any, group: str, topics: Sequence[str]) -> None:
        self._log = log
        self._consumer = consumer
        self._group = group
        self._polled: dict[TopicPartition, int] = {}
        self._generation: tuple[str, int] | None = None
        self._closed = False
        consumer.subscribe([log.place(Position(topic, 0, 0)).topic for topic in topics])

    def poll(self, limit: int, timeout: float) -> list[Record]:
        """See ``Consumer.poll``. While Kafka is away there is nothing to poll; ``Log.ping`` says why."""
        with speaking():
            found = self._consumer.poll(timeout_ms=int(timeout * 1000), max_records=limit)
        if not found:
            return []
        if not self._polled:
            self._generation = self._current()
        for place, messages in found.items():
            self._polled[place] = messages[-1].offset + 1
        return self._log.records(found)

    def commit(self, positions: Sequence[Position] | None = None) -> None:
        """See ``Consumer.commit``."""
        if positions is None:
            done = dict(self._polled)
        else:
            done = {self._log.place(p): p.offset + 1 for p in sorted(positions)}
        if not done:
            return
        # The broker checks who commits, not what: after a rebalance these may be another member's.
        if self._current() != self._generation or not done.keys() <= self._consumer.assignment():
            raise Transient(f"group {self._group} was shared anew since these were polled", retry_after=0.0)
        with speaking():
            self._consumer.commit(
                {place: OffsetAndMetadata(offset, "", -1) for place, offset in done.items()}
            )
        self._polled = {p: following for p, following in self._polled.items() if following > done.get(p, 0)}

    def rewind(self) -> None:
        """See ``Consumer.rewind``."""
        self._polled.clear()
        done = self._offsets(self._log.committed)
        with speaking():
            for place in self._consumer.assignment():
                with suppress(ValueError):  # lost this instant: its next owner begins there too
                    self._consumer.seek(place, done[place])

    def lag(self) -> int:
        """See ``Consumer.lag``."""
        ends = self._offsets(lambda _, topic: self._log.ends(topic))
        done = self._offsets(self._log.committed)
        return sum(max(0, end - done.get(place, 0)) for place, end in ends.items())

    def close(self) -> None:
        """See ``Consumer.close``."""
        if not self._closed:
            self._closed = True
            with suppress(kafka_errors.KafkaError):
                self._consumer.close(autocommit=False, timeout_ms=2000)

    def _current(self) -> tuple[str, int]:
        """Who this member is and in which generation of the group."""
        now = self._consumer.group_metadata()
        return now.member_id, now.generation_id

    def _offsets(self, ask: Callable[[str, str], dict[int, int]]) -> dict[TopicPartition, int]:
        """What ``ask`` says of each partition this member owns."""
        owned = self._consumer.assignment()
        answers = {topic: ask(self._group, topic) for topic in {self._log.topic(place) for place in owned}}
        return {place: answers[self._log.topic(place)][place.partition] for place in owned}
