"""A resolver's database on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import services.fusion
from shared.database import Database, migrate, open_database
from tests.databases import fresh_postgres

MIGRATIONS = Path(services.fusion.__file__).parent / "migrations"


@pytest.fixture(scope="session")
def fusion_postgres_url(postgres: str) -> Iterator[str]:
    with fresh_postgres(postgres, "fusion") as url:
        yield url


@pytest.fixture
def sqlite_db(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'fusion.db'}")
    migrate(database, MIGRATIONS)
    yield database
    database.close()
