"""``interlock settings``: every setting, its value here, and what it is for."""

import os
from dataclasses import fields
from typing import Annotated

import typer

from services.command.console import Json, out, print_json, table
from shared.settings import Settings, settings_table

Markdown = Annotated[bool, typer.Option("--markdown", help="As the table of docs/operations.md.")]


def list_settings(markdown: Markdown = False, json: Json = False) -> None:
    """List every environment variable that Interlock reads, with its value here."""
    if markdown:
        out().print(as_markdown(), markup=False, soft_wrap=True)
        return
    Settings.from_env()
    rows = [
        (variable, _value(variable), default.strip("`"), text) for variable, default, text in settings_table()
    ]
    if json:
        print_json([{"variable": v, "value": value, "default": d, "doc": text} for v, value, d, text in rows])
    else:
        out().print(table(("setting", "here", "default", "for"), rows))


def _value(variable: str) -> str:
    """What is set here; of what may hold a password only that it is."""
    value = os.environ.get(variable, "")
    secret = any(f.metadata["secret"] for f in fields(Settings) if f.metadata["variable"] == variable)
    return "(set)" if value and secret else value


def as_markdown() -> str:
    """The settings as a table in Markdown."""
    rows = [f"| `{variable}` | {default} | {text} |" for variable, default, text in settings_table()]
    return "\n".join(["| setting | default | for |", "|---|---|---|", *rows])
