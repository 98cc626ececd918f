"""Runs the migrations on the connection that ``shared.database.migrate`` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
