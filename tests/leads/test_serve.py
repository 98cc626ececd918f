"""The service as a process: projection, evaluation and API together, and how it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.leads import serve as serving
from services.leads.serve import Defect, Service
from shared.auth import ensure_key, mint
from shared.contracts.topics import RESOLUTIONS, TOPICS
from shared.database import Database
from shared.log import NewRecord, open_log
from shared.settings import Settings
from tests.leads.api import READING
from tests.leads.picture_world import World, report

PORT = 18_210
PHONE = {"local_id": "p1", "number": "+19155550142", "role": "CONTACT"}


class Idle:
    """An office with nothing to do."""

    def match(self) -> None:
        """Nothing."""

    carry = stop = match


def wait_for(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("not in time")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, port=PORT)


@pytest.fixture
def process(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {"INTERLOCK_HOME": str(settings.home), "INTERLOCK_PORT": str(PORT)}
    running = subprocess.Popen(
        [sys.executable, "-m", "services.leads"], env=environment, stderr=subprocess.PIPE
    )
    yield running
    if running.poll() is None:
        running.kill()
    running.communicate()


def ready() -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{PORT}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_resolution_in_the_log_is_soon_found_and_sigterm_ends_in_peace(
    settings: Settings, process: subprocess.Popen[bytes]
) -> None:
    wait_for(ready)
    log = open_log(settings.log_url)
    log.ensure(TOPICS)
    message = World().put(
        report(
            "A",
            phones=[PHONE],
            retention={"class": "O", "review_by": "2099-01-01", "retain_until": "2099-01-01"},
        )
    )
    log.append(RESOLUTIONS.name, [NewRecord(message.key, message.value)])
    log.close()
    token = mint(
        ensure_key(settings.key_file),
        subject="a",
        agency="TXZZZ0001",
        roles=["analyst"],
        ttl=timedelta(hours=1),
    )
    headers = {"Authorization": f"Bearer {token}", **READING}
    with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", headers=headers) as client:
        items = wait_for(
            lambda: client.get("/v1/entities", params={"identifier": "phone:+19155550142"}).json()["items"]
        )
        assert items[0]["kind"] == "PHONE"
    assert "interlock_lag" in httpx.get(f"http://127.0.0.1:{PORT}/metrics").text
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


def test_a_thread_that_dies_stops_the_process(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    monkeypatch.setattr(serving.os, "kill", lambda pid, number: killed.append(number))
    log = open_log(settings.log_url)
    log.ensure(TOPICS)
    service = Service(db, log, Idle())  # type: ignore[arg-type]

    def broken(_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(service._evaluator, "run", broken)
    service.start()
    wait_for(lambda: killed)
    assert killed == [signal.SIGTERM]
    with pytest.raises(Defect):
        service.stop()
    log.close()
