"""``interlock doctor``: what is wrong here, and what to do about it."""

from typing import TYPE_CHECKING

import typer

from services.command.console import Data, Json, PortBase, out, print_json
from services.command.environment import settings_for
from services.command.reach import Reach, Url

if TYPE_CHECKING:
    from services.command.checks import Finding


def doctor(data: Data = None, port_base: PortBase = None, url: Url = None, json: Json = False) -> None:
    """Look at everything that Interlock needs here, and say what is wrong and what to do.

    Exit code 1 where there is any trouble.
    """
    from services.command.checks import examine  # noqa: PLC0415 - it brings the database layer, a second's import

    reach = Reach(settings_for(data, port_base), url)
    findings: list[Finding] = []
    for finding in examine(reach):
        findings.append(finding)
        if not json:
            mark = "[green]ok[/]     " if finding.well else "[red]trouble[/]"
            out().print(mark, end="  ")
            out().print(f"{finding.what}: {finding.found}", markup=False)
            if finding.remedy:
                out().print(f"         → {finding.remedy}", markup=False)
    troubles = [finding for finding in findings if not finding.well]
    if json:
        rows = [{"what": f.what, "well": f.well, "found": f.found, "remedy": f.remedy} for f in findings]
        print_json({"well": not troubles, "findings": rows})
    else:
        out().print("All is well." if not troubles else f"{len(troubles)} to mend.")
    if troubles:
        raise typer.Exit(1)
