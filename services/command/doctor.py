"""``interlock doctor``: what is wrong here, and what to do about it."""

import typer

from services.command.checks import Finding, examine
from services.command.console import Data, Json, PortBase, out, print_json
from services.command.environment import settings_for


def doctor(data: Data = None, port_base: PortBase = None, json: Json = False) -> None:
    """Look at everything that Interlock needs here, and say what is wrong and what to do.

    Exit code 1 where there is any trouble.
    """
    settings = settings_for(data, port_base)
    findings: list[Finding] = []
    for finding in examine(settings):
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
