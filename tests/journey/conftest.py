"""Journeys run on both deployments: embedded (SQLite), and Kafka with PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployments import distributed
from tests.system import System


@pytest.fixture(scope="module", params=["embedded", "distributed"])
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A running deployment, one for all tests of a module."""
    home: Path = tmp_path_factory.mktemp("system")
    environment: dict[str, str] = {"INTERLOCK_CLOCK": str(home / "clock")}
    if request.param == "distributed":
        environment |= distributed(
            request.getfixturevalue("kafka"), request.getfixturevalue("postgres"), f"j{home.name}{id(home)}"
        )
    running = System(home, environment)
    running.start()
    yield running
    assert running.stop() == 0, running.log()
