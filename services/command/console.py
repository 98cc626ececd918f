"""How commands speak: tables for people, JSON for programs, and plain words when something fails."""

import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from shared.errors import InterlockError

Json = Annotated[bool, typer.Option("--json", help="Answer as JSON, for programs.")]
Data = Annotated[
    str | None,
    typer.Option(
        "--data", envvar="INTERLOCK_HOME", metavar="DIR", help="Data directory.", show_default=False
    ),
]
PortBase = Annotated[
    int | None,
    typer.Option(
        "--port-base",
        envvar="INTERLOCK_PORT_BASE",
        help="Feeds on base+1 to base+4, leads on base+100, fusion on base+200.",
        show_default="8100",
    ),
]


class Failed(InterlockError):
    """The command could not do what was asked; the message says why and what to do. Exit code 1."""


@cache
def out() -> Console:
    """Where answers go."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


@cache
def err() -> Console:
    """Where progress, warnings and failures go, so that answers can be piped."""
    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> Table:
    """A plain table; None shows as an empty cell."""
    made = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made


def bits(centibits: int) -> str:
    """A weight in bits, with its sign."""
    return f"{centibits / 100:+.2f}"
