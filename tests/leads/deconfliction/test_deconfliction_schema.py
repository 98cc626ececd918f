"""The migrations make the tables that the code works with, on both dialects."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.leads.deconfliction.tables import metadata
from tests.leads.deconfliction.house import House


def test_the_migrated_schema_is_that_of_the_tables(house: House) -> None:
    with house.registry.db.engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"version_table": "deconfliction_version"})
        found = compare_metadata(context, metadata)
    differences = [d for d in found if not (isinstance(d, list) and d[0][0] == "modify_comment")]
    assert not differences
