"""``interlock token``: a bearer token of the local signing key."""

import re
import sys
from datetime import timedelta
from typing import Annotated

import typer

from services.command.console import Data
from services.command.environment import settings_for
from shared.errors import Misconfigured

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def token(
    agency: Annotated[str, typer.Option("--agency", help="The agency it speaks for, such as TXZZZ0001.")],
    role: Annotated[list[str] | None, typer.Option("--role", help="submitter, analyst, … (repeat).")] = None,
    authority: Annotated[list[str] | None, typer.Option("--authority", help="BSA, … (repeat).")] = None,
    centre: Annotated[list[str] | None, typer.Option("--centre", help="EPIC, … (repeat).")] = None,
    subject: Annotated[str, typer.Option("--subject", help="Who it is for.")] = "command-line",
    ttl: Annotated[str, typer.Option("--ttl", help="How long it holds: 30m, 8h, 2d.")] = "8h",
    data: Data = None,
) -> None:
    """Print a token signed with the local key, for curl and for programs.

    \b
    Examples:
      interlock token --agency TXZZZ0001 --role analyst
      interlock token --agency TXZZZ0001 --role analyst --authority BSA --ttl 8h
      curl -H "Authorization: Bearer $(interlock token --agency TXZZZ0001)" …
    """
    from shared.auth import mint, signing_key  # noqa: PLC0415

    settings = settings_for(data)
    if settings.jwks_url:
        raise Misconfigured("INTERLOCK_JWKS_URL is set: tokens come from that issuer, not from this command")
    minted = mint(
        signing_key(settings),
        subject=subject,
        agency=agency,
        roles=role or ("analyst",),
        authorities=authority or (),
        centres=centre or (),
        ttl=duration(ttl),
    )
    sys.stdout.write(minted + "\n")


def duration(text: str) -> timedelta:
    """``90``, ``30m``, ``8h``, ``2d`` as a length of time; raises ``Misconfigured``."""
    found = re.fullmatch(r"([1-9][0-9]{0,6})([smhd]?)", text.strip())
    if not found:
        raise Misconfigured(f"--ttl {text!r}: give a number and a unit, such as 30m, 8h or 2d")
    return timedelta(**{UNITS[found[2] or "s"]: int(found[1])})
