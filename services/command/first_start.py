"""``interlock secrets``: what a deployment on servers needs before its first start, made once."""

import os
import secrets as random
from pathlib import Path
from typing import Annotated

import typer

from services.command.console import out

DATABASES = ("fusion", "leads", "deconfliction")
"""Each has a role of its own name."""

Keys = Annotated[Path, typer.Option("--keys", help="For signing.pem and pgpass; only the services read it.")]
Databases = Annotated[
    Path,
    typer.Option(
        "--databases", help="For databases.sql and superuser; PostgreSQL reads it at its first start."
    ),
]


def make_secrets(
    keys: Keys, databases: Databases, host: Annotated[str, typer.Option("--postgres")] = "postgres"
) -> None:
    """Make the signing key and the databases' passwords of a deployment, unless they are there.

    KEYS gets signing.pem and pgpass (PGPASSFILE); DATABASES gets what the
    PostgreSQL image runs at its first start, and the superuser's password.
    """
    from shared.auth import ensure_key  # noqa: PLC0415

    ensure_key(keys / "signing.pem")
    passwords = keys / "pgpass"
    if passwords.exists():
        out().print("The secrets are there already.")
        return
    chosen = {name: random.token_urlsafe(24) for name in DATABASES}
    _write(databases / "superuser", random.token_urlsafe(24) + "\n", 0o444)
    _write(databases / "databases.sql", "".join(_database(name, chosen[name]) for name in DATABASES), 0o444)
    _write(passwords, "".join(f"{host}:*:*:{name}:{chosen[name]}\n" for name in DATABASES), 0o600)
    out().print("Made the signing key and the databases' passwords.")


def _database(name: str, password: str) -> str:
    role = f"CREATE ROLE {name} LOGIN PASSWORD '{password}';\n"
    return f"{role}CREATE DATABASE {name} OWNER {name};\nREVOKE ALL ON DATABASE {name} FROM PUBLIC;\n"


def _write(file: Path, text: str, mode: int) -> None:
    """Write a whole file, replacing what a run that was cut off left there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as made:
        made.write(text)
        made.flush()
        os.fsync(made.fileno())
