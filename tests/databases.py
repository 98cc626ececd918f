"""Databases of a test's own on a real PostgreSQL server."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg


@contextmanager
def fresh_postgres(server: str, name: str) -> Iterator[str]:
    """The URL of a new database on ``server``; dropped at the end."""
    database = f"{name}_{uuid4().hex[:12]}"
    plain = server.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{database}"')
        try:
            yield f"{server.rsplit('/', 1)[0]}/{database}"
        finally:
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
