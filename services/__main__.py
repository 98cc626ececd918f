"""The ``interlock`` command."""

import os
from typing import Annotated

import typer

from services.command import entry
from services.command.console import Data
from services.command.demo import demo
from services.command.environment import environment_for
from services.command.resolve import resolve
from services.command.simulate import simulate
from services.command.train import train
from services.command.up import up

Port = Annotated[int | None, typer.Option("--port", envvar="INTERLOCK_PORT", help="Listen here instead.")]


def main() -> None:
    """Run one command; exit code 0, 1 (it failed) or 2 (it was asked wrongly)."""
    entry.run(entry.commands(_running))


def _running(app: typer.Typer) -> None:
    """The commands that start services or need their code."""
    app.command("up", rich_help_panel=entry.RUNNING)(up)
    app.command("demo", rich_help_panel=entry.RUNNING)(demo)
    serve = typer.Typer(help="Run one service in the foreground.", no_args_is_help=True)
    serve.command("ingest")(serve_ingest)
    serve.command("fusion")(serve_fusion)
    serve.command("leads")(serve_leads)
    app.add_typer(serve, name="serve", rich_help_panel=entry.RUNNING)
    app.command("simulate", rich_help_panel=entry.SENDING)(simulate)
    app.command("resolve", rich_help_panel=entry.RESOLVING)(resolve)
    app.command("train", rich_help_panel=entry.RESOLVING)(train)


# Each service is imported only where it is served, so that no other command waits for it.


def serve_ingest(
    feed: Annotated[str, typer.Option("--feed", help="SOD, OFC, EPIC or BCSC.")],
    port: Port = None,
    data: Data = None,
) -> None:
    """Run the ingest of one feed."""
    from services.ingest.serve import serve  # noqa: PLC0415

    serve(entry.settings_of(_apply(data, port)), feed.upper())


def serve_fusion(port: Port = None, data: Data = None) -> None:
    """Run one fusion worker."""
    from services.fusion.serve import serve  # noqa: PLC0415

    serve(entry.settings_of(_apply(data, port)))


def serve_leads(port: Port = None, data: Data = None) -> None:
    """Run the leads service."""
    from services.leads.serve import serve  # noqa: PLC0415

    serve(entry.settings_of(_apply(data, port)))


def _apply(data: str | None, port: int | None) -> dict[str, str]:
    given = {"INTERLOCK_PORT": str(port)} if port else {}
    return {**os.environ, **environment_for(data), **given}


if __name__ == "__main__":
    main()
