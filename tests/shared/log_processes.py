"""Processes for the log's tests to kill: ``python -m tests.shared.log_processes ROLE URL TOPIC …``."""

import signal
import sys

from shared.contracts.topics import Topic
from shared.errors import Transient
from shared.log import NewRecord, open_log


def write(url: str, topic: str) -> None:
    """Append records without end, naming each once it is acknowledged."""
    log = open_log(url)
    for n in range(1_000_000):
        log.append(topic, [NewRecord(f"key-{n % 7}", str(n).encode())])
        print(n, flush=True)


def burst(url: str, topic: str, key: str) -> None:
    """Append 200 records of one key."""
    log = open_log(url)
    log.ensure([Topic(topic, compacted=False, retention_days=7)])
    for n in range(200):
        log.append(topic, [NewRecord(key, str(n).encode())])
    log.close()


def consume(url: str, topic: str) -> None:
    """Poll once, name the records, wait for SIGUSR1, then commit and say whether that was refused."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    log = open_log(url)
    consumer = log.consumer("group", [topic])
    records = []
    while not records:
        records = consumer.poll(1000, 1.0)
    print(" ".join((r.value or b"").decode() for r in records), flush=True)
    signal.sigwait({signal.SIGUSR1})
    try:
        consumer.commit()
        print("committed", flush=True)
    except Transient:
        print("refused", flush=True)


if __name__ == "__main__":
    {"write": write, "burst": burst, "consume": consume}[sys.argv[1]](*sys.argv[2:])
