"""``interlock simulate``: invented reports of all feeds with their truth, to files or to the services."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from services.command.console import Json, err, out, print_json
from services.command.reach import FEEDS, Reach, Token, Url, reasons_of

if TYPE_CHECKING:
    from services.simulator.files import Written
    from services.simulator.push import Pushed, Target

Reports = Annotated[int, typer.Option("--reports", min=1, help="How many.")]
Seed = Annotated[int, typer.Option("--seed", help="Equal seeds give equal reports.")]
Folder = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Write them here, one file for each agency.")
]
SHOWN = 5


def simulate(
    reports: Reports = 2_000,
    seed: Seed = 1,
    folder: Folder = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", metavar="DIR", help="Without --out: write the truth here.")
    ] = None,
    url: Url = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """Invent reports: people, phones, vehicles and schemes, with typos and gaps.

    With --out they go to files that `interlock push` sends, and the truth
    about every mention beside them; without it they go to the services.

    \b
    Examples:
      interlock simulate --reports 10000 --seed 7 --out made
      interlock simulate --reports 500 --truth made
    """
    from services.simulator.run import Plan, to_files, to_services  # noqa: PLC0415

    plan = Plan(reports, seed)
    with Progress(console=err(), disable=json, transient=True) as progress:
        task = progress.add_task("Simulating", total=reports)
        if folder is not None:
            written = to_files(plan, folder, lambda count: progress.update(task, completed=count))
        else:
            pushed = to_services(
                plan,
                _target(Reach.of(url, token)),
                truth=truth,
                progress=lambda p: progress.update(task, completed=p.accepted + p.refused),
            )
    if folder is not None:
        _tell_written(written, folder, json=json)
    else:
        _tell_pushed(pushed, json=json)


def _tell_written(written: "Written", folder: Path, *, json: bool) -> None:
    if json:
        print_json({"reports": written.reports, "schemes": written.schemes, "files": written.files})
    else:
        out().print(f"{written.reports:,} reports and {written.schemes:,} schemes: {folder}", markup=False)


def _tell_pushed(pushed: "Pushed", *, json: bool) -> None:
    """Say what was accepted; refusals make the command fail."""
    if json:
        print_json({"accepted": pushed.accepted, "refused": pushed.refused, "by_feed": pushed.by_feed})
    else:
        out().print(f"{pushed.accepted:,} accepted, {pushed.refused:,} refused")
        for refusal in pushed.refusals[:SHOWN]:
            out().print(f"  {'; '.join(reasons_of(refusal['problem'] or {}))}", markup=False)
    if pushed.refused:
        raise typer.Exit(1)


def _target(reach: Reach) -> "Target":
    from services.simulator.push import Target  # noqa: PLC0415

    return Target({feed: reach.url(feed) for feed in FEEDS}, lambda a: reach.token_for(a, ("submitter",)))


def files_of(folder: Path, reports: int, seed: int, made: Callable[[int], None]) -> list[Path]:
    """Write a simulation; the files that hold its reports."""
    from services.simulator.run import Plan, to_files  # noqa: PLC0415

    written = to_files(Plan(reports, seed), folder, made)
    return [file for file in written.files if file.suffix == ".ndjson"]
