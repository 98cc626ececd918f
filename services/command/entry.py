"""The command line as a whole: which commands there are, and how their failures end."""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Annotated

import typer

from services.command import (
    backup,
    dead_letters,
    deconfliction,
    doctor,
    entity,
    first_start,
    leads,
    push,
    replay,
    settings_list,
    token,
)
from services.command.console import Failed, err
from shared.errors import InterlockError, Misconfigured
from shared.settings import Settings

RUNNING, SENDING, READING, CARING = "Running it", "Sending reports", "Reading the picture", "Looking after it"
RESOLVING = "Resolving lists"


def commands(first: Callable[[typer.Typer], None] = lambda _: None) -> typer.Typer:
    """Every command that needs no other service's code; the image of the command line has these.

    ``first`` adds others before them, so that help shows them first.
    """
    app = typer.Typer(
        name="interlock",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    first(app)
    app.command("push", rich_help_panel=SENDING)(push.push)
    app.command("leads", rich_help_panel=READING)(leads.leads)
    app.command("lead", rich_help_panel=READING)(leads.lead)
    app.command("entity", rich_help_panel=READING)(entity.entity)
    app.command("why", rich_help_panel=READING)(entity.why)
    app.command("token", rich_help_panel=CARING)(token.token)
    app.command("doctor", rich_help_panel=CARING)(doctor.doctor)
    app.command("backup", rich_help_panel=CARING)(backup.backup)
    app.command("restore", rich_help_panel=CARING)(backup.restore)
    app.command("settings", rich_help_panel=CARING)(settings_list.list_settings)
    app.command("secrets", rich_help_panel=CARING)(first_start.make_secrets)
    app.command("replay", rich_help_panel=CARING)(replay.replay)
    app.add_typer(deconfliction.commands(), name="deconfliction", rich_help_panel=CARING)
    app.add_typer(dead_letters.commands(), name="dead-letters", rich_help_panel=CARING)
    return app


def _print_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"interlock {version('interlock')}\n")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
]


def _options(_version: Version = False) -> None:
    """Fuse agencies' reports into one picture, and see what it says."""


def run(app: typer.Typer) -> None:
    """Run the command line; every failure ends in one clear message and its exit code."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what went wrong there is told in our own words
    try:
        app()
    except Misconfigured as error:
        _end(str(error), 2)
    except (Failed, InterlockError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        _end(str(error), 1)
    except KeyboardInterrupt:
        _end("Stopped.", 1)


def _end(message: str, code: int) -> None:
    err().print(message, markup=False, style="red")
    sys.exit(code)


def settings_of(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment; raises ``Misconfigured``."""
    return Settings.from_env(environ)
