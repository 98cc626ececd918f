"""Ingests for tests, stopped when the test ends."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.log import open_log
from shared.settings import Settings
from tests.ingest.harness import Ingest, Switched


@pytest.fixture
def make_ingest(tmp_path: Path) -> Iterator[Callable[..., Ingest]]:
    """Builds an ingest with settings of the test's choice; its clients start and stop with the test."""
    built: list[Ingest] = []

    def make(feed: str = "EPIC", **settings: Any) -> Ingest:
        terms = Settings(home=tmp_path, **settings)
        ingest = Ingest(feed, Switched(open_log(terms.log_url)), terms)
        ingest.http.__enter__()
        built.append(ingest)
        return ingest

    yield make
    for ingest in built:
        ingest.http.__exit__(None, None, None)
        ingest.log.close()


@pytest.fixture
def ingest(make_ingest: Callable[..., Ingest]) -> Ingest:
    """EPIC's ingest with the default settings."""
    return make_ingest()
