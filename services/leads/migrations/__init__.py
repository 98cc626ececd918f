"""Schema migrations of the leads service, run by Alembic on both dialects."""
