"""Databases for tests of the leads service: both dialects, migrated, empty."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from services.leads import migrations
from shared.database import Database, migrate, open_database
from tests.leads.api import Api


@pytest.fixture(params=["sqlite", "postgres"])
def new_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Makes migrated, empty databases of one dialect."""
    made: list[Database] = []
    dropped: list[str] = []
    server = request.getfixturevalue("postgres") if request.param == "postgres" else None

    def make() -> Database:
        name = f"leads_{uuid4().hex}"
        if server is None:
            url = f"sqlite:///{tmp_path / name}.db"
        else:
            _execute(server, f'CREATE DATABASE "{name}"')
            dropped.append(name)
            url = make_url(server).set(database=name).render_as_string(hide_password=False)
        db = open_database(url)
        made.append(db)
        migrate(db, Path(migrations.__file__).parent)
        return db

    yield make
    for db in made:
        db.close()
    for name in dropped:
        _execute(str(server), f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def db(new_db: Callable[[], Database]) -> Database:
    """One migrated, empty database."""
    return new_db()


def _execute(server: str, statement: str) -> None:
    engine = create_engine(
        make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as conn:
        conn.execute(text(statement))
    engine.dispose()


@pytest.fixture
def api(db: Database, tmp_path: Path) -> Api:
    """The API over an empty database."""
    return Api(db, tmp_path)
