"""What all tests share: real servers where they are at hand, and how hard properties are tried.

A test that asks for ``kafka`` or ``postgres`` is skipped without that server, saying which command would
start one; where CI or INTERLOCK_REQUIRE_SERVERS is set, a missing server is a failure.
"""

import gc
import logging
import os
import shutil
import socket
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
KAFKA_SCRIPT = ROOT / "deploy" / "kafka" / "kafka"

hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=5_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def kafka() -> str:
    """URL of a real Kafka log, such as ``kafka://127.0.0.1:19092``; tests share it, so they prefix topics."""
    broker = os.environ.get("INTERLOCK_TEST_KAFKA", "").removeprefix("kafka://")
    if not broker:
        _missing("Kafka", "INTERLOCK_TEST_KAFKA=$(deploy/kafka/kafka start) make test")
    _answers("INTERLOCK_TEST_KAFKA", broker)
    return f"kafka://{broker}"


@pytest.fixture(scope="session")
def postgres() -> str:
    """URL of a real PostgreSQL, as SQLAlchemy takes it; its user may create databases."""
    url = os.environ.get("INTERLOCK_TEST_POSTGRES", "")
    if not url:
        _missing("PostgreSQL", "INTERLOCK_TEST_POSTGRES=$(deploy/postgres/postgres start) make test")
    _answers("INTERLOCK_TEST_POSTGRES", urlsplit(url).netloc.rpartition("@")[2])
    return url


@dataclass
class Broker:
    """A Kafka broker of a test's own, which it may kill and start again."""

    port: int
    home: Path
    properties: str = ""

    @property
    def url(self) -> str:
        """Its log's URL."""
        return f"kafka://127.0.0.1:{self.port}"

    def run(self, verb: str) -> None:
        """``start`` or ``stop``; waits until it is done."""
        command = [KAFKA_SCRIPT, verb, "--port", str(self.port), "--dir", str(self.home)]
        if self.properties:
            extra = self.home / "extra.properties"
            extra.write_text(self.properties)
            command += ["--properties", extra]
        environment = os.environ | {"KAFKA_HEAP_OPTS": "-Xms96m -Xmx256m"}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        assert verb != "stop" or "stopped" in done.stderr, done.stderr

    @property
    def pid(self) -> int:
        """Its process."""
        return int((self.home / "pid").read_text())


@pytest.fixture(scope="session")
def own_broker(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that nobody else uses; ``kafka`` says whether brokers can be had at all."""
    broker = Broker(free_pair(), tmp_path_factory.mktemp("broker"))
    broker.run("start")
    yield broker
    broker.run("stop")
    shutil.rmtree(broker.home, ignore_errors=True)


@pytest.fixture(scope="module")
def no_sockets_left() -> Iterator[None]:
    """Collect the sockets that kafka-python leaves to the garbage collector before other tests do.

    Its log is silenced meanwhile: pytest keeps every record, and with it the connection it is about.
    """
    logger = logging.getLogger("kafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _missing(server: str, command: str) -> None:
    """Skip, or fail where servers are required."""
    if os.environ.get("CI", "") not in {"", "false", "0"} or os.environ.get("INTERLOCK_REQUIRE_SERVERS"):
        pytest.fail(f"{server} is required here; start one: {command}", pytrace=False)
    pytest.skip(f"needs {server}: {command}")


def _answers(variable: str, address: str) -> None:
    """Fail unless something listens where the variable says."""
    host, _, port = address.split(",", maxsplit=1)[0].partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError as error:
        pytest.fail(f"{variable}: nothing answers at {host}:{port}: {error}", pytrace=False)


def free_pair() -> int:
    """A port that is free together with the next one, above 19093 and below what the system hands out."""
    for port in range(19_100 + os.getpid() % 500 * 2, 25_000, 2):
        try:
            for each in (port, port + 1):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", each))
        except OSError:
            continue
        return port
    raise RuntimeError("no free pair of ports")
