"""A short run of what ``make fuzz`` runs for long."""

from collections.abc import Iterator

import pytest

from shared.database import Database, migrate
from tests.fusion.conftest import MIGRATIONS
from tests.fusion.schedules import open_for_schedules, run_schedule

SHORT = 20


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('schedules') / 'fusion.db'}"
    else:
        url = request.getfixturevalue("fusion_postgres_url")
    database = open_for_schedules(url)
    migrate(database, MIGRATIONS)
    yield database
    database.close()


@pytest.mark.parametrize("seed", range(SHORT))
def test_any_interleaving_gives_the_same_picture(db: Database, seed: int) -> None:
    run_schedule(db, seed)
