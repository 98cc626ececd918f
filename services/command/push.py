"""``interlock push``: send files of reports to the feeds they belong to."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from services.command.console import Failed, Json, err, out, print_json
from services.command.pushing import FilePush, Result, Sender, Tally
from services.command.reach import DESK, Reach, Token, Url
from shared.errors import Misconfigured

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE…", exists=True, dir_okay=False, readable=True, help="NDJSON, or BSA XML batches."
    ),
]
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Pushed:
    """A file that was pushed; ``refused_file`` holds the lines to mend, where there are any."""

    file: Path
    tally: Tally
    refused_file: Path | None = None


def push(
    files: Files,
    agency: Annotated[
        str, typer.Option("--agency", envvar="INTERLOCK_AGENCY", help="Originator of XML batches.")
    ] = DESK,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Of XML batches: case_no, operation … (repeat)."),
    ] = None,
    url: Url = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """Send files of reports: NDJSON of any feed, or BSA XML batches to OFC.

    Each line's schema decides its feed. Lines that a feed refuses are listed
    with the reasons and written to FILE.refused.ndjson: mend them there and
    push that file. A push that was stopped goes on where it was when the same
    command runs again.

    \b
    Examples:
      interlock push last-year.ndjson
      interlock push sar_batch.xml --agency DCZZZ0009 --set case_no=26-0117
      interlock push seizures.ndjson --url https://{service}.interlock.example
    """
    reach = Reach.of(url, token)
    query = dict(_pair(option) for option in options or ())
    done: list[Pushed] = []
    with _progress(json) as progress, closing(Sender(reach, waiting=progress.console.print)) as sender:
        for file in files:
            task = progress.add_task(file.name, total=max(1, file.stat().st_size))
            if file.suffix.lower() == ".xml":
                done.append(Pushed(file, tally_of(import_xml(file, agency, sender, query))))
            else:
                done.append(_push_lines(file, sender, progress, task))
    if json:
        print_json(_summary(done))
    else:
        _show(done)
    if any(each.tally.refused for each in done):
        raise typer.Exit(1)


def _progress(silent: bool) -> Progress:
    """A bar over the bytes of a file."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=err(),
        disable=silent,
        transient=True,
    )


def _push_lines(file: Path, sender: Sender, progress: Progress, task: TaskID) -> Pushed:
    job = FilePush(file)
    try:
        tally = job.run(sender, lambda _: progress.update(task, completed=job.offset))
    except KeyboardInterrupt:
        sent = job.tally.resumed_after + job.tally.accepted + job.tally.refused
        raise Failed(f"stopped after {sent} reports of {file}; the same command goes on from there") from None
    return Pushed(file, tally, job.refused_file if tally.refused else None)


def _pair(option: str) -> tuple[str, str]:
    name, equals, value = option.partition("=")
    if not equals:
        raise Misconfigured(f"--set {option}: give NAME=VALUE, such as case_no=26-0117")
    return name, value


def import_xml(
    file: Path, agency: str, sender: Sender, query: Mapping[str, str] = MappingProxyType({})
) -> list[Result]:
    """Import one BSA XML batch at OFC, a result for each filing; sending it again is harmless."""
    body = file.read_bytes()
    if b"EFilingBatchXML" not in body[:4096]:
        raise Misconfigured(f"{file} is not a BSA XML batch: its root element must be EFilingBatchXML")
    return sender.import_document("OFC", agency, body, {"format": "bsa-xml", **query})


def tally_of(results: Sequence[Result]) -> Tally:
    """The sums of one document's results."""
    refusals = [r for r in results if r.receipt_id is None]
    return Tally(accepted=len(results) - len(refusals), refused=len(refusals), refusals=refusals)


def _summary(done: Sequence[Pushed]) -> dict[str, Any]:
    return {
        "accepted": sum(each.tally.accepted for each in done),
        "refused": sum(each.tally.refused for each in done),
        "resumed_after": sum(each.tally.resumed_after for each in done),
        "files": [
            {
                "file": str(each.file),
                "accepted": each.tally.accepted,
                "refused": each.tally.refused,
                "resumed_after": each.tally.resumed_after,
                "refused_file": each.refused_file,
                "refusals": [{"line": r.line.number, "reasons": r.reasons} for r in each.tally.refusals],
            }
            for each in done
        ],
    }


def _show(done: Sequence[Pushed]) -> None:
    for each in done:
        tally = each.tally
        before = f" (after {tally.resumed_after:,} of an earlier run)" if tally.resumed_after else ""
        out().print(f"{each.file}: {tally.accepted:,} accepted, {tally.refused:,} refused{before}")
        for result in tally.refusals[:SHOWN]:
            out().print(f"  line {result.line.number}: {'; '.join(result.reasons)}", markup=False)
        if tally.refused > SHOWN:
            out().print(f"  … and {tally.refused - SHOWN:,} more")
        if each.refused_file is not None:
            out().print(f"  Mend them in {each.refused_file} and push that file.", markup=False)
