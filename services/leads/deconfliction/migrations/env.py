"""Runs the migrations on the connection that ``shared.database.migrate`` hands over.

The version table has its own name: on PostgreSQL the registry may share a database with the picture.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="deconfliction_version")
context.run_migrations()
