"""Alembic migrations of the deconfliction registry; they keep a version table of their own."""
