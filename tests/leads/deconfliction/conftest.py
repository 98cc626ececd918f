"""Registries for tests: both dialects, migrated, empty, with a clock that tests turn."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from services.leads.deconfliction import migrations
from shared.database import Database, migrate, open_database
from tests.leads.conftest import _execute
from tests.leads.deconfliction.house import House


@pytest.fixture(params=["sqlite", "postgres"])
def registry_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of one dialect."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/deconfliction.db"
        return
    server, name = request.getfixturevalue("postgres"), f"dc_{uuid4().hex}"
    _execute(server, f'CREATE DATABASE "{name}"')
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    _execute(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def open_houses(registry_url: str, tmp_path: Path) -> Iterator[Callable[[], House]]:
    """Makes replicas: registries over one database with one key file, each with its own connections."""
    opened: list[Database] = []

    def make() -> House:
        db = open_database(registry_url)
        opened.append(db)
        migrate(db, Path(migrations.__file__).parent)
        return House(db, tmp_path / "keys" / "deconfliction.json")

    yield make
    for db in opened:
        db.close()


@pytest.fixture
def house(open_houses: Callable[[], House]) -> House:
    """One registry."""
    return open_houses()
